/** The composer's channel switch: which way an answer goes, until when, as what, and what it may carry there. */

import { csrf, emit, fetchParts, span, toast, word } from "./live.js";

const $ = (selector, root = document) => root.querySelector(selector);
const composer = () => $("#composer");
const text = () => $("#composer textarea");
const ways = () => [...document.querySelectorAll("#menu-way .way")];
export const chosen = () => $('#menu-way .way[aria-checked="true"]');
const isOff = (way) => way.getAttribute("aria-disabled") === "true";
const save = () => emit("desk:draft");

/* --- which way ------------------------------------------------------------------------------------------------- */

function choose(way, { quietly = false } = {}) {
  if (!way) return;
  for (const one of ways()) one.setAttribute("aria-checked", one === way);
  $("#way-channel").value = `${way.dataset.channel} ${way.dataset.address}`;
  $("#way-via").value = way.dataset.via;
  const now = $("#way-now");
  $("use", now).setAttribute("href", $("use", way).getAttribute("href"));
  for (const part of [".way-name", ".way-address"]) $(part, now).textContent = $(part, way).textContent;
  show();
  if (!quietly) {
    picked = newestIn();
    save();
    if (!templateNeeded(way)) text().focus();
  }
}

/** Everything that follows from the chosen way: its words, the button, what can be added. */
function show() {
  const way = chosen();
  const form = composer();
  if (!form) return;
  const words = $("#composer-standing");
  const said = way && $(".way-standing", way);
  words.replaceChildren(...(said ? [way.dataset.via ? "" : `${$(".way-name", way).textContent}: `, ...said.cloneNode(true).childNodes] : []));
  $("#composer-send-words").textContent = way?.dataset.send ?? $("#composer-send-words").textContent;
  form.dataset.off = way && !isOff(way) ? "" : "yes";
  form.dataset.via = way?.dataset.via ?? "";
  $(".composer-send").dataset.off = form.dataset.off;
  showLead(way);
  showTwo(way);
  showTemplates(way);
  showChoices(way);
  showQuote(way);
  showFiles();
  measureSoon();
  tick();
}

/** One press leads to the best way: from one that costs or is closed, and when the customer has gone on elsewhere. */
const isOpen = (way) => ["open", "human"].includes(way.dataset.state) && !isOff(way);
let picked = 0; // the customer's newest words when somebody last chose a way by hand
const newestIn = () => Math.max(0, ...[...document.querySelectorAll("#timeline .msg.in")].map((one) => Number(one.dataset.message)));

function better(way) {
  const best = ways().find(isOpen);
  return best && best !== way && best.dataset.via !== "comment" && (!isOpen(way) || newestIn() > picked) ? best : undefined;
}

function showLead(way) {
  const lead = way && better(way);
  $("#way-lead").hidden = !lead;
  $("#way-lead").textContent = lead ? word("way-lead", $(".way-name", lead).textContent) : "";
}

/** Under a comment there are two ways that everybody must tell apart: in public, and in private. */
function showTwo(way) {
  const box = $("#way-two");
  const both = way?.dataset.via ? ways().filter((one) => one.dataset.line === way.dataset.line && one.dataset.via) : [];
  box.hidden = both.length < 2;
  for (const button of box.querySelectorAll("button")) {
    const one = both.find((other) => other.dataset.via === button.dataset.via);
    const isChosen = Boolean(one) && one === way;
    button.setAttribute("aria-checked", isChosen);
    button.tabIndex = isChosen ? 0 : -1;
    if (one) button.setAttribute("aria-disabled", isOff(one));
  }
}

function pick(way) {
  if (isOff(way)) {
    const others = ways().filter((one) => !isOff(one)).map((one) => $(".way-name", one).textContent);
    toast({ text: word(others.length ? "way-off" : "way-none", $(".way-standing", way)?.textContent ?? "").replace("[]", others.join(", ")), kind: "error" });
  } else choose(way);
}

function via(mode, focus = false) {
  const line = chosen()?.dataset.line;
  const way = ways().find((one) => one.dataset.line === line && one.dataset.via === mode);
  if (way) pick(way);
  if (focus) $('#way-two [aria-checked="true"]').focus();
}

/* --- until when ------------------------------------------------------------------------------------------------ */

const NEAR = 3600; // the last hour, and the last message, deserve a stronger tone
let asked = 0;

function tick() {
  const at = Date.now() / 1000;
  let isOver = false;
  for (const time of document.querySelectorAll("#composer [data-until]")) {
    const left = Number(time.dataset.until) - at;
    const words = left >= 86400 && left < 3 * 86400 ? word("hours", Math.floor(left / 3600)) : span(left);
    if (time.textContent !== words) time.textContent = words;
    isOver ||= left <= 0;
  }
  const way = chosen();
  const until = $("#composer-standing [data-until]");
  const isNear = way && ((until && Number(until.dataset.until) - at < NEAR) || way.dataset.left === "1") && !way.dataset.via;
  $("#composer-standing")?.toggleAttribute("data-near", Boolean(isNear));
  if (isOver && Date.now() - asked > 5000) refresh();
}

/** Asks how the ways stand now, and keeps the chosen one. */
async function refresh() {
  const form = composer();
  if (!form) return;
  asked = Date.now();
  const value = chosen()?.dataset.value ?? "";
  const parts = await fetchParts(`${form.dataset.ways}?chosen=${encodeURIComponent(value)}`);
  const fresh = parts?.querySelector("#composer-ways");
  const old = $("#composer-ways");
  if (!fresh || composer() !== form) return;
  const meanwhile = chosen()?.dataset.value; // somebody may have chosen another one while we asked
  const onSwitch = document.activeElement?.id === "way-now";
  if ($("#menu-way")?.matches(":popover-open")) { // nothing moves under the pointer: it is asked again once it closes
    isStale = true;
    return;
  }
  old.replaceWith(fresh);
  if (onSwitch) $("#way-now")?.focus();
  const kept = ways().find((way) => way.dataset.value === meanwhile) ?? chosen();
  // Where nothing is written yet, the answer follows the customer to where they wrote last.
  const isFree = !text().value.trim() && !$("#composer-files").children.length && kept?.dataset.last !== "1";
  const next = (isFree && better(kept)) || kept;
  if (next) choose(next, { quietly: true });
  else show();
}

let isStale = false;
document.addEventListener("toggle", (event) => {
  if (event.target.id !== "menu-way" || event.newState !== "closed" || !isStale) return;
  isStale = false;
  refresh();
}, true);

let heard = 0;
const newest = () => Math.max(0, ...[...document.querySelectorAll("#timeline .msg")].map((one) => Number(one.dataset.message)));
document.addEventListener("desk:swapped", () => {
  if (newest() === heard) return;
  heard = newest();
  refresh();
});
document.addEventListener("htmx:responseError", ({ detail: { elt, xhr } }) => {
  if (elt === composer() && [409, 422].includes(xhr.status)) refresh();
});
setInterval(() => composer() && !document.hidden && tick(), 1000);

/* --- templates ------------------------------------------------------------------------------------------------- */

const templateNeeded = (way) => way?.dataset.state === "template";
const offered = (way) => [...document.querySelectorAll(`.way-template[data-channel="${way?.dataset.channel}"]`)];
let isTemplate = false; // asked for although words would go through

function showTemplates(way) {
  const box = $("#composer-template");
  const select = $("#template-choice");
  const has = way?.dataset.templates === "1";
  const wanted = has && (templateNeeded(way) || isTemplate || Boolean(select.dataset.chosen));
  $("#way-templates").hidden = !has || templateNeeded(way);
  $("#way-templates").setAttribute("aria-expanded", wanted);
  $("#way-choices").disabled = wanted; // a template goes alone
  box.hidden = !wanted;
  composer().toggleAttribute("data-template", wanted);
  if (!wanted) {
    select.value = "";
    $("#template-places").replaceChildren();
    return;
  }
  const before = select.value || select.dataset.chosen;
  const given = [...box.querySelectorAll("[name=parameter]")].map((field) => field.value);
  select.replaceChildren(select.options[0], ...offered(way).map((one) => new Option(one.dataset.label, one.dataset.value)));
  select.value = [...select.options].some((option) => option.value === before) ? before : "";
  delete select.dataset.chosen;
  isTemplate = true;
  places(given);
}

function places(given = []) {
  const one = offered(chosen()).find((other) => other.dataset.value === $("#template-choice").value);
  const names = one ? JSON.parse(one.dataset.places) : [];
  const fields = names.map((name, index) => {
    const label = document.createElement("label");
    const field = Object.assign(document.createElement("input"), { className: "input", name: "parameter", value: given[index] ?? "", maxLength: 500, ariaRequired: "true", dir: "auto" });
    label.append(Object.assign(document.createElement("span"), { className: "small quiet", textContent: /^\d+$/.test(name) ? word("place", name) : name }), field);
    return label;
  });
  $("#template-places").replaceChildren(...fields);
  preview();
}

function preview() {
  const one = offered(chosen()).find((other) => other.dataset.value === $("#template-choice").value);
  const box = $("#template-preview");
  box.hidden = !one;
  if (!one) return;
  const names = JSON.parse(one.dataset.places);
  const values = [...document.querySelectorAll("#template-places [name=parameter]")].map((field) => field.value.trim());
  box.replaceChildren(...one.dataset.body.split(/(\{\{\s*[A-Za-z0-9_]+\s*\}\})/).map((piece) => {
    const at = names.indexOf(/^\{\{\s*([A-Za-z0-9_]+)\s*\}\}$/.exec(piece)?.[1] ?? "");
    if (at < 0) return document.createTextNode(piece);
    return Object.assign(document.createElement("mark"), { textContent: values[at] || piece });
  }));
}

/* --- quick replies --------------------------------------------------------------------------------------------- */

const chips = () => [...document.querySelectorAll("#composer-choices .chip")];
let isChoosing = false;

function showChoices(way) {
  const most = Number(way?.dataset.choices || 0);
  const button = $("#way-choices");
  button.hidden = !most;
  const open = most > 0 && !button.disabled && (isChoosing || chips().length > 0);
  $("#composer-choices").hidden = !open;
  button.setAttribute("aria-expanded", open);
  const field = $("#composer-choice");
  field.maxLength = Number(way?.dataset.choiceLength || 20);
  field.hidden = chips().length >= most;
}

function addChoice(field) {
  const words = field.value.trim();
  if (!words || chips().some((chip) => $("[name=choice]", chip).value === words)) return;
  const chip = $("#composer-chip").content.firstElementChild.cloneNode(true);
  $("span", chip).textContent = words;
  $("[name=choice]", chip).value = words;
  field.before(chip);
  field.value = "";
  showChoices(chosen());
  save();
}

/* --- pointing at a message ------------------------------------------------------------------------------------- */

function quote(id, line = "") {
  const fits = (way) => way.dataset.quotes === "1" && !isOff(way) && (!line || way.dataset.line === line);
  const way = [chosen(), ...ways()].find((one) => one && fits(one));
  if (!way) return toast({ text: word("quote-no") });
  if (way !== chosen()) choose(way);
  $("#composer-quote [name=quotes]").value = id;
  showQuote(way);
  save();
  text().focus();
}

function showQuote(way) {
  const box = $("#composer-quote");
  const id = $("[name=quotes]", box).value;
  const body = id && document.querySelector(`#m${CSS.escape(id)}`);
  box.hidden = !id;
  if (!id) return;
  if (way?.dataset.quotes !== "1") {
    unquote();
    return toast({ text: word("quote-no") });
  }
  $("span", box).textContent = body ? ($(".msg-text", body)?.textContent || "").trim().slice(0, 160) || word("quoted-message") : word("quoted-message");
}

function unquote() {
  $("#composer-quote [name=quotes]").value = "";
  $("#composer-quote").hidden = true;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-quote]");
  if (button && composer()) quote(button.dataset.quote, button.dataset.quoteLine ?? "");
});

/* --- files ----------------------------------------------------------------------------------------------------- */

/** Why the chosen way does not carry such a file, in words; empty when it does. */
export function misfit(name, size, type) {
  const way = chosen();
  if (!way || way.dataset.files === "" || composer().dataset.mode === "note") return "";
  const limits = JSON.parse(way.dataset.files);
  const kind = type.split("/")[0];
  const limit = (["image", "video", "audio"].includes(kind) ? limits[kind] : undefined) ?? limits.file ?? 0;
  if (!limit) return word("file-kind", name);
  return size > limit ? word("file-large", name).replace("[]", `${Math.floor(limit / 1048576)} MB`) : "";
}

function showFiles() {
  for (const chip of document.querySelectorAll(".composer-file[data-size]")) {
    const why = misfit($(".clip", chip).textContent, Number(chip.dataset.size), chip.dataset.type || "");
    chip.toggleAttribute("data-wrong", Boolean(why));
    chip.title = why;
  }
}

/* --- how long -------------------------------------------------------------------------------------------------- */

let measureTimer = null;
let plain = "";

function measureSoon() {
  clearTimeout(measureTimer);
  measureTimer = setTimeout(measure, 250);
}

async function measure() {
  const form = composer();
  const way = chosen();
  if (!form) return;
  const limit = Number(way?.dataset.limit || 0);
  const written = text().value;
  const size = way?.dataset.bytes === "1" ? new TextEncoder().encode(written).length : [...written].length;
  const worth = way?.dataset.kind === "sms" ? written.trim() : limit && size >= limit * 0.8;
  const line = $("#composer-count");
  if (!worth) return void (line.hidden = true);
  const body = new URLSearchParams({ text: written, kind: way.dataset.kind, via: way.dataset.via });
  const answer = await fetch(form.dataset.measure, { method: "POST", body, headers: { "X-CSRFToken": csrf() } }).catch(() => null);
  if (!answer?.ok || composer() !== form || text().value !== written) return;
  const said = await answer.json();
  line.hidden = !said.words;
  plain = said.plain;
  if ($("span", line).textContent !== said.words) $("span", line).textContent = said.words;
  $("button", line).hidden = !plain;
}

/* --- what happens around --------------------------------------------------------------------------------------- */

const acts = {
  way: (source) => pick(source),
  "way-menu": (source) => (source ? false : $("#way-now")?.click()),
  via: (source) => via(source.dataset.via),
  lead: () => choose(better(chosen())),
  template: () => {
    isTemplate = !isTemplate;
    delete $("#template-choice").dataset.chosen;
    show();
    (isTemplate ? $("#template-choice") : text()).focus();
    save();
  },
  choices: () => {
    isChoosing = !isChoosing;
    if (!isChoosing) for (const chip of chips()) chip.remove();
    showChoices(chosen());
    if (isChoosing) $("#composer-choice").focus();
    save();
  },
  "drop-choice": (source) => { source.closest(".chip").remove(); isChoosing = true; showChoices(chosen()); $("#composer-choice").focus(); save(); },
  unquote: () => { unquote(); save(); text().focus(); },
  plain: () => { text().value = plain; text().dispatchEvent(new Event("input", { bubbles: true })); text().focus(); },
};
document.addEventListener("desk:act", (event) => {
  const { name, source } = event.detail;
  if (composer() && acts[name] && acts[name](source) !== false) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.target.id === "composer-choice" && event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    addChoice(event.target);
  } else if (event.target.id === "composer-choice" && event.key === "Backspace" && !event.target.value) {
    chips().at(-1)?.remove();
    showChoices(chosen());
  } else if (event.target.closest?.("#way-two") && event.key.startsWith("Arrow")) {
    event.preventDefault();
    via(event.target.dataset.via === "comment" ? "private" : "comment", true);
  } else if (event.target.closest?.("#composer-template") && event.key === "Enter" && !event.ctrlKey && !event.metaKey) event.preventDefault();
});
document.addEventListener("focusout", (event) => event.target.id === "composer-choice" && addChoice(event.target));
document.addEventListener("input", (event) => {
  if (event.target.matches("#composer textarea")) measureSoon();
  if (event.target.closest("#template-places")) { preview(); save(); }
});
document.addEventListener("change", (event) => {
  if (event.target.id !== "template-choice") return;
  places();
  save();
  $("#template-places input")?.focus();
});

/** Why the answer cannot go as it stands: the name of a word to say and what it is about, or null. */
export function hindrance(body) {
  const way = chosen();
  if (composer().dataset.mode === "note") return null;
  if (!way) return [""];
  if (isOff(way)) return ["way-off-now", $(".way-standing", way)?.textContent ?? ""];
  if (composer().hasAttribute("data-template")) {
    if (!body.get("template")) return ["template-first"];
    const empty = [...document.querySelectorAll("#template-places [name=parameter]")].find((field) => !field.value.trim());
    if (empty) { setTimeout(() => empty.focus()); return ["template-places"]; }
  }
  return $(".composer-file[data-wrong]") ? ["file-wrong"] : null;
}

document.addEventListener("sent", () => {
  if (!composer()) return;
  isTemplate = isChoosing = false;
  for (const chip of chips()) chip.remove();
  unquote();
  $("#template-choice").value = "";
  refresh();
});
document.addEventListener("desk:mode", show);
document.addEventListener("desk:filed", showFiles);
function opened() {
  if (!composer()) return;
  isTemplate = Boolean($("#template-choice").dataset.chosen);
  isChoosing = false;
  picked = text().value ? newestIn() : 0;
  heard = newest();
  show();
}
document.addEventListener("desk:opened", opened);
opened();
