/** The list: opening, walking by keys, selecting, paging, and live rows that never jump under the pointer. */

import { applyFragments, emit, fetchParts, remember, tick, watch, word } from "./live.js";

const $ = (selector, root = document) => root.querySelector(selector);
const inbox = $("#inbox");
const rows = $("#rows");
const scroller = $("#list-scroll");
const held = new Map(); // rows that came while the pointer was over the list

const current = () => $("#thread")?.dataset.ticket;
const all = () => [...rows.querySelectorAll(".row")];
const at = () => $(".row.at", rows) || $('.row[aria-current="true"]', rows);

/* --- opening --------------------------------------------------------------------------------------------------- */

let opening = 0;

async function open(href, { push = true } = {}) {
  const mine = ++opening;
  emit("desk:leave");
  inbox.dataset.pane = "thread";
  markCurrent(href.match(/\/inbox\/(\d+)\//)?.[1]);
  const pane = $("#thread-pane");
  const slow = setTimeout(() => mine === opening && showBones(pane), 150);
  const parts = await fetchParts(href);
  clearTimeout(slow);
  if (mine !== opening) return;
  if (!parts?.querySelector("#thread")) {
    // Not there, not ours, or no connection: the page itself says which.
    location.assign(href);
    return;
  }
  pane.replaceChildren(parts);
  if (push) history.pushState({ thread: true }, "", href);
  arrived();
}

function arrived() {
  const thread = $("#thread");
  if (!thread) return;
  remember(document);
  window.htmx.process(thread);
  document.title = `${$("#thread-head h1")?.textContent || ""} · ${$(".list-head h1")?.textContent || ""}`;
  toEnd();
  tick();
  markCurrent(thread.dataset.ticket);
  $(`#t${thread.dataset.ticket}`, rows)?.classList.remove("unread");
  watch(thread.dataset.ticket);
  emit("desk:opened", { ticket: thread.dataset.ticket });
}

function showBones(pane) {
  const bones = document.createElement("div");
  bones.className = "row-bones grow";
  bones.setAttribute("aria-busy", "true");
  for (let index = 0; index < 6; index++) bones.append(Object.assign(document.createElement("div"), { className: "bone" }));
  pane.replaceChildren(bones);
}

function toEnd() {
  const scroll = $("#thread-scroll");
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
}

function markCurrent(id) {
  for (const row of all()) {
    if (row.dataset.ticket === id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    row.classList.remove("at");
  }
}

function back() {
  emit("desk:leave");
  watch(null);
  inbox.dataset.pane = "list";
  history.pushState({}, "", `/inbox/${location.search}`);
  markCurrent(null);
}

addEventListener("popstate", () => {
  if (/^\/inbox\/\d+\//.test(location.pathname)) open(location.pathname + location.search, { push: false });
  else if (inbox) {
    inbox.dataset.pane = "list";
    emit("desk:leave");
    watch(null);
  }
});

rows?.addEventListener("click", (event) => {
  const link = event.target.closest(".row-link");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link.getAttribute("href"));
});

/* --- walking and selecting ------------------------------------------------------------------------------------- */

function walk(step) {
  const list = all();
  if (!list.length) return;
  const index = list.indexOf(at());
  const next = list[index < 0 ? (step > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, index + step))];
  for (const row of list) row.classList.toggle("at", row === next);
  next.scrollIntoView({ block: "nearest" });
  if (current() && inbox.dataset.pane === "thread" && innerWidth >= 760) open($(".row-link", next).getAttribute("href"));
  if (next === list.at(-1)) $("#more a")?.click();
}

function select(row) {
  const box = row && $("input", row);
  if (!box) return;
  box.checked = !box.checked;
  showSelection();
}

let lastChecked = null;
rows?.addEventListener("click", (event) => {
  if (!event.target.matches(".row-mark input")) return;
  const list = all();
  const row = event.target.closest(".row");
  if (event.shiftKey && lastChecked?.isConnected) {
    const [from, to] = [list.indexOf(lastChecked), list.indexOf(row)].sort((a, b) => a - b);
    for (const one of list.slice(from, to + 1)) $("input", one).checked = event.target.checked;
  }
  lastChecked = row;
  showSelection();
});

const chosen = () => [...rows.querySelectorAll("input:checked")].map((box) => box.value);

function showSelection() {
  const count = chosen().length;
  $("#bulk").hidden = count === 0;
  $("#list-pane").classList.toggle("selecting", count > 0);
  $("#bulk-count").textContent = word("selected", count);
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id === "bulk") for (const id of chosen()) detail.formData.append("id", id);
});
document.addEventListener("bulk-done", () => act("unselect") || refreshAll());

/* --- paging ---------------------------------------------------------------------------------------------------- */

async function more(link) {
  link.setAttribute("aria-disabled", "true");
  const parts = await fetchParts(link.getAttribute("href"));
  if (!parts) return void link.removeAttribute("aria-disabled");
  const known = new Set(all().map((row) => row.id));
  for (const row of parts.querySelectorAll(".row")) if (known.has(row.id)) row.remove();
  $("#more").replaceWith(parts);
  tick();
}

if (scroller) {
  const seen = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && $("#more a:not([aria-disabled])")?.click(), { root: scroller, rootMargin: "400px" });
  const look = () => { seen.disconnect(); const end = $("#more"); if (end) seen.observe(end); };
  new MutationObserver(look).observe(rows, { childList: true });
  look();
}

/* --- live rows ------------------------------------------------------------------------------------------------- */

let over = false;
scroller?.addEventListener("pointerenter", (event) => (over = event.pointerType === "mouse"));
scroller?.addEventListener("pointerleave", () => { over = false; settle(); });
const mayMove = () => !over && scroller.scrollTop < 8;

document.addEventListener("desk:changed", ({ detail: changed }) => {
  if (!rows) return;
  const ids = [...changed].filter(([id, version]) => !(Number($(`#t${id}`, rows)?.dataset.version) >= version)).map(([id]) => id);
  if (ids.length) patch(ids);
  countSoon();
});

async function patch(ids) {
  const parts = await fetchParts(`${rows.dataset.src}&ids=${ids.slice(0, 100).join(",")}`);
  if (!parts) return;
  for (const id of ids) place(id, parts.getElementById(`t${id}`));
  if (all().length) $("#no-rows")?.remove();
  tick();
  showNews();
}

/** Puts one row where it belongs, or away; holds back whatever would move others under the pointer. */
function place(id, fresh) {
  const old = $(`#t${id}`, rows);
  if (!fresh) {
    held.delete(id);
    if (!old) return;
    if (id === current() || !mayMove()) old.classList.add("gone");
    else old.remove();
    return;
  }
  if (id === current()) fresh.classList.remove("unread");
  if (!old) {
    const last = all().at(-1);
    if ($("#more") && last && fresh.dataset.sort > last.dataset.sort) return; // further down than what is loaded
    if (mayMove()) insert(fresh);
    else held.set(id, fresh);
    return;
  }
  const stays = old.dataset.sort === fresh.dataset.sort || !mayMove();
  $("input", fresh).checked = $("input", old).checked;
  if (old.hasAttribute("aria-current")) fresh.setAttribute("aria-current", "true");
  if (old.classList.contains("at")) fresh.classList.add("at");
  if (old.dataset.seen) fresh.dataset.seen = old.dataset.seen;
  old.replaceWith(fresh);
  if (!stays) insert(fresh);
}

function insert(row) {
  const before = all().find((one) => one !== row && one.dataset.sort > row.dataset.sort);
  rows.insertBefore(row, before || $("#more") || null);
}

function settle(force = false) {
  if (!force && !mayMove()) return;
  for (const row of rows.querySelectorAll(".gone")) if (row.dataset.ticket !== current()) row.remove();
  for (const row of held.values()) insert(row);
  held.clear();
  const sorted = all();
  const wanted = [...sorted].sort((a, b) => (a.dataset.sort < b.dataset.sort ? -1 : 1));
  if (wanted.some((row, index) => row !== sorted[index])) for (const row of wanted) rows.insertBefore(row, $("#more"));
  $("#no-rows")?.toggleAttribute("hidden", all().length > 0);
  showNews();
  tick();
}

function showNews() {
  const chip = $("#new-chip");
  chip.hidden = held.size === 0;
  chip.textContent = word("new", held.size);
}

let countTimer = null;
function countSoon() {
  countTimer ??= setTimeout(async () => {
    countTimer = null;
    const here = $("#views [aria-current]")?.dataset.view || "";
    const parts = await fetchParts(`/inbox/counts/?view=${here}`);
    const fresh = parts?.getElementById("views");
    if (fresh) $("#views").replaceWith(fresh);
  }, 1500);
}

/** After a gap (a lost connection, a sleeping tab) everything shown is asked for once. */
async function refreshAll() {
  if (!rows) return;
  const ids = all().slice(0, 100).map((row) => row.dataset.ticket);
  const first = await fetchParts(rows.dataset.src);
  if (!first) return;
  const fresh = new Map([...first.querySelectorAll(".row")].map((row) => [row.dataset.ticket, row]));
  const rest = ids.filter((id) => !fresh.has(id));
  for (const [id, row] of fresh) if ($(`#t${id}`, rows)?.dataset.version !== row.dataset.version) place(id, row);
  if (rest.length) await patch(rest);
  showNews();
  countSoon();
}
document.addEventListener("desk:catch-up", refreshAll);

/* --- acts ------------------------------------------------------------------------------------------------------ */

function act(name, source) {
  switch (name) {
    case "next": walk(1); return true;
    case "previous": walk(-1); return true;
    case "open": { const row = at() || all()[0]; if (row) open($(".row-link", row).getAttribute("href")); return true; }
    case "select": select(at() || all()[0]); return true;
    case "unselect":
      for (const box of rows.querySelectorAll("input:checked")) box.checked = false;
      showSelection();
      return false;
    case "more": more(source); return true;
    case "news": scroller.scrollTop = 0; settle(true); return true;
    case "back": back(); return true;
    case "side":
      if (matchMedia("(width >= 1340px)").matches) inbox.classList.toggle("without-side");
      else inbox.classList.toggle("with-side");
      return true;
    case "escape":
      if (inbox.classList.contains("with-side")) inbox.classList.remove("with-side");
      else if (chosen().length) act("unselect");
      else if (current() && innerWidth < 760) back();
      return true;
    default: return onThread(name, source);
  }
}

document.addEventListener("desk:act", (event) => {
  if (act(event.detail.name, event.detail.source)) event.preventDefault();
});

document.addEventListener("play", ({ target }) => (target.closest(".msg") ?? target).setAttribute("data-touched", ""), true);

/* --- what can be done within a conversation, without the server ------------------------------------------------ */

function onThread(name, source) {
  const message = source?.closest(".msg");
  switch (name) {
    case "unfold":
      message.dataset.touched = "";
      $(".fold", message)?.classList.remove("fold");
      source.remove();
      return true;
    case "quoted": {
      message.dataset.touched = "";
      const quoted = source.nextElementSibling;
      quoted.hidden = !quoted.hidden;
      source.textContent = word(quoted.hidden ? "quoted" : "hide-quoted");
      source.setAttribute("aria-expanded", !quoted.hidden);
      return true;
    }
    case "mail-page": showMail(message, source.dataset.src); source.hidden = true; return true;
    case "view-image": showImage(source); return true;
    case "earlier": earlier(source); return true;
    case "split": startSplit(); return true;
    default: return false;
  }
}

function showMail(message, src) {
  message.dataset.touched = "";
  const frame = document.createElement("iframe");
  frame.className = "mail-page";
  frame.title = word("mail");
  // No scripts run in there; the same origin lets us measure its height.
  frame.sandbox = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
  frame.addEventListener("load", () => {
    frame.style.height = `${Math.min(4000, frame.contentDocument.body.offsetHeight + 28)}px`;
    if (!frame.contentDocument.querySelector("img[data-remote]") || message.querySelector(".remote-images")) return;
    const line = document.createElement("p");
    line.className = "remote-images small quiet line-wrap";
    const button = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: word("show-images") });
    button.addEventListener("click", () => { frame.src = `${src}?images=1`; line.hidden = true; });
    line.append(word("images"), " ", button);
    frame.before(line);
  });
  frame.src = src;
  $(".msg-text", message).hidden = true;
  $(".msg-text", message).after(frame);
}

function showImage(source) {
  const viewer = Object.assign(document.createElement("dialog"), { className: "viewer" });
  const image = Object.assign(document.createElement("img"), { src: source.dataset.src, alt: source.title });
  viewer.append(image);
  viewer.addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => viewer.remove());
  document.body.append(viewer);
  viewer.showModal();
}

async function earlier(link) {
  const thread = $("#thread");
  const parts = await fetchParts(link.getAttribute("href"));
  if (!parts) return;
  thread.dataset.src = link.getAttribute("href");
  const scroll = $("#thread-scroll");
  const fromEnd = scroll.scrollHeight - scroll.scrollTop;
  applyFragments(parts);
  scroll.scrollTop = scroll.scrollHeight - fromEnd;
}

function startSplit() {
  const thread = $("#thread");
  if (thread.classList.contains("splitting")) return;
  thread.classList.add("splitting");
  const bar = document.createElement("form");
  bar.className = "thread-banner splitting-bar";
  const go = Object.assign(document.createElement("button"), { className: "button button-main", textContent: word("split") });
  const stop = Object.assign(document.createElement("button"), { className: "button", type: "button", textContent: word("cancel") });
  const end = () => { thread.classList.remove("splitting"); bar.remove(); for (const box of thread.querySelectorAll(".msg-pick")) box.checked = false; };
  stop.addEventListener("click", end);
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    const message = [...thread.querySelectorAll(".msg-pick:checked")].map((box) => box.value);
    window.htmx.ajax("POST", `/inbox/${thread.dataset.ticket}/split/`, { source: thread, target: thread, swap: "keyed", values: { message } }).then(end);
  });
  bar.append(Object.assign(document.createElement("span"), { className: "grow", textContent: word("selecting") }), go, stop);
  $("#thread-scroll").prepend(bar);
}

/* --- staying at the end ---------------------------------------------------------------------------------------- */

let wasAtEnd = true;
document.addEventListener("desk:before-swap", () => {
  const scroll = $("#thread-scroll");
  wasAtEnd = !scroll || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
});
document.addEventListener("desk:swapped", () => wasAtEnd && toEnd());

if ($("#thread")) arrived();
