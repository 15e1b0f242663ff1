/** Every act has a name: a key, a button and the command bar all press the same `data-act`. */

import { emit, fetchParts, takeBack, toast, word } from "./live.js";

const $ = (selector, root = document) => root.querySelector(selector);
const fold = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{Diacritic}/gu, "");
const acts = [...document.getElementById("acts").content.querySelectorAll("[data-act]")].map((i) => ({
  act: i.dataset.act, key: i.dataset.key || "", on: i.dataset.on || "", name: i.textContent.trim(),
}));
const isHere = ({ on }) => !on || (on === "list" ? $("#rows") : on === "thread" ? $("#thread") : true);

const own = {
  undo: () => takeBack(),
  search: () => ($("#search") ? ($("#search").focus(), $("#search").select()) : location.assign("/inbox/?view=all")),
  inbox: () => location.assign("/inbox/"),
  control: () => location.assign("/control/"),
  command: () => openCommand(),
  help: () => { fillKeys(); $("#keys").showModal(); },
  drawer: () => $("#shell").classList.toggle("drawer"),
  "theme-light": () => theme("light"),
  "theme-dark": () => theme("dark"),
};

/** Does an act by name: ours, a screen's own (it listens for desk:act), else the button that bears it. */
export function act(name, source = null) {
  if (own[name]) return void own[name](source);
  const event = new CustomEvent("desk:act", { detail: { name, source }, cancelable: true });
  if (!document.dispatchEvent(event)) return;
  const button = document.querySelector(`button[data-act="${name}"], a[data-act="${name}"]`);
  if (button && button !== source) press(button);
}

function press(button) {
  const menu = button.popoverTargetElement;
  if (menu) {
    if (!menu.matches(":popover-open")) {
      menu.showPopover({ source: button });
      place(menu, button);
    }
  } else button.click();
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax`;
  emit("desk:theme", name);
}

/* --- keys ------------------------------------------------------------------------------------------------------ */

let prefix = "";
const typing = (target) => target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openCommand();
  }
  if (event.key === "Escape") return escape(event);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.(".menu, dialog")) return menuKey(event);
  if (typing(event.target) || $("dialog[open]")) return;
  const key = prefix ? `${prefix} ${event.key}` : event.key;
  prefix = "";
  if (event.key === "g") {
    prefix = "g";
    setTimeout(() => (prefix = ""), 1200);
    return;
  }
  const found = acts.find((one) => one.key === key && isHere(one));
  if (!found) return;
  event.preventDefault();
  act(found.act);
});

function escape(event) {
  if ($("#shell")?.classList.contains("drawer")) $("#shell").classList.remove("drawer");
  else if (typing(event.target) && !event.target.closest("dialog, .menu")) event.target.blur();
  else if (!$(":popover-open") && !$("dialog[open]")) document.dispatchEvent(new CustomEvent("desk:act", { detail: { name: "escape" }, cancelable: true }));
}

function menuKey(event) {
  const menu = event.target.closest(".menu");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll("button, a, input")].filter((item) => !item.hidden);
  const at = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  items[(at + items.length) % items.length]?.focus();
}

/* --- clicks ---------------------------------------------------------------------------------------------------- */

document.addEventListener("click", (event) => {
  const shell = $("#shell");
  if (shell?.classList.contains("drawer") && !event.target.closest("#sidebar, [data-act=drawer]")) shell.classList.remove("drawer");
  const button = event.target.closest("[data-act], [data-dialog]");
  if (!button) return;
  if (button.dataset.dialog) return void openDialog(button.dataset.dialog);
  const name = button.dataset.act;
  if (own[name]) {
    event.preventDefault();
    own[name](button);
  } else if (!document.dispatchEvent(new CustomEvent("desk:act", { detail: { name, source: button }, cancelable: true }))) event.preventDefault();
});

// A choice made in a menu closes it, so that what it changes may be drawn anew.
const closeMenu = (menu) => menu?.matches(":popover-open") && menu.hidePopover();
document.addEventListener("htmx:beforeRequest", (event) => closeMenu(event.target.closest(".menu")));
document.addEventListener("click", (event) => {
  const menu = event.target.closest("button:not([type=button]), a, [data-act], [data-dialog]")?.closest(".menu");
  if (menu) setTimeout(() => closeMenu(menu), 0);
});

/* --- menus ----------------------------------------------------------------------------------------------------- */

function place(menu, anchor) {
  const box = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = box.bottom + 4 + height < innerHeight || box.top < height;
  menu.style.top = `${Math.max(8, below ? Math.min(box.bottom + 4, innerHeight - height - 8) : box.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(box.left + width > innerWidth - 8 ? box.right - width : box.left, innerWidth - width - 8))}px`;
}

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu[popover]")) return;
  const anchors = [...document.querySelectorAll(`[popovertarget="${menu.id}"]`)];
  for (const one of anchors) one.setAttribute("aria-expanded", event.newState === "open");
  if (event.newState !== "open") return;
  const anchor = anchors.find((one) => one === document.activeElement) || anchors.find((one) => one.offsetParent !== null);
  if (anchor) place(menu, anchor);
  const first = menu.querySelector("input[data-narrow], input[name=add], input[data-first], button, a");
  const narrow = menu.querySelector("[data-narrow]");
  if (narrow) { narrow.value = ""; narrowMenu(narrow); }
  first?.focus();
}, true);

function narrowMenu(input) {
  const wanted = fold(input.value);
  for (const item of input.closest(".menu").querySelectorAll("button")) item.hidden = !fold(item.textContent).includes(wanted);
}
document.addEventListener("input", (event) => event.target.matches("[data-narrow]") && narrowMenu(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-narrow]")) return;
  event.preventDefault();
  event.target.closest(".menu").querySelector("button:not([hidden])")?.click();
});

/* --- dialogs --------------------------------------------------------------------------------------------------- */

export async function openDialog(url) {
  const dialog = $("#dialog");
  const parts = await fetchParts(url);
  if (!parts) return toast({ text: word("no-connection"), kind: "error" });
  dialog.replaceChildren(parts);
  window.htmx.process(dialog);
  dialog.showModal();
  dialog.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}
document.addEventListener("desk:close-dialog", () => $("#dialog")?.close());
document.addEventListener("close-dialog", () => $("#dialog")?.close());
document.addEventListener("click", (event) => {
  if (event.target.matches("dialog[open]")) event.target.close();
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
});

function fillKeys() {
  const list = $("#keys dl");
  if (list.children.length) return;
  for (const { key, name } of acts.filter((one) => one.key)) {
    const line = document.createElement("div");
    const [term, keys] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    for (const part of key.split(" ")) keys.append(Object.assign(document.createElement("kbd"), { textContent: part }), " ");
    line.append(term, keys);
    list.append(line);
  }
}

/* --- command bar ----------------------------------------------------------------------------------------------- */

let chosen = 0;
let choices = [];

function openCommand() {
  const dialog = $("#command");
  if (dialog.open) return dialog.close();
  const input = $("input", dialog);
  input.value = "";
  dialog.showModal();
  fillCommand("");
  input.focus();
}

function fillCommand(typed) {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  const offered = acts.filter((one) => !["command", "next", "previous"].includes(one.act) && isHere(one) && words.every((w) => fold(one.name).includes(w)));
  choices = offered.map((one) => ({ name: one.name, key: one.key, run: () => act(one.act) }));
  for (const link of document.querySelectorAll("#views a")) {
    const name = link.querySelector(".label").textContent.trim();
    if (words.every((w) => fold(name).includes(w))) choices.push({ name, key: "", run: () => link.click() });
  }
  if (/^#?\d+$/.test(typed.trim())) choices.unshift({ name: `#${typed.trim().replace("#", "")}`, key: "", run: () => location.assign(`/inbox/${typed.trim().replace("#", "")}/`) });
  chosen = 0;
  const list = $("#command-list");
  list.replaceChildren(...choices.map((choice, index) => {
    const option = document.createElement("div");
    option.setAttribute("role", "option");
    option.id = `command-${index}`;
    option.textContent = choice.name;
    if (choice.key) option.append(Object.assign(document.createElement("kbd"), { textContent: choice.key }));
    option.addEventListener("click", () => run(index));
    return option;
  }));
  $("#command .empty").hidden = choices.length > 0;
  mark();
}

function mark() {
  const options = [...$("#command-list").children];
  options.forEach((option, index) => option.setAttribute("aria-selected", index === chosen));
  options[chosen]?.scrollIntoView({ block: "nearest" });
  $("#command input").setAttribute("aria-activedescendant", options[chosen]?.id || "");
}

function run(index) {
  const typed = $("#command input").value.trim();
  $("#command").close();
  if (choices[index]) choices[index].run();
  else if (typed) location.assign(`/inbox/?view=all&q=${encodeURIComponent(typed)}`);
}

$("#command input")?.addEventListener("input", (event) => fillCommand(event.target.value));
$("#command input")?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : choices.length - 1)) % Math.max(1, choices.length);
    mark();
  } else if (event.key === "Enter") {
    event.preventDefault();
    run(chosen);
  }
});
