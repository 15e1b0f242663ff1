/** The composer: modes, drafts, files, sending, and who else is here. Never swapped while somebody writes. */

import { csrf, emit, say, toast, word } from "./live.js";
import { hindrance, misfit } from "./ways.js";

const $ = (selector, root = document) => root.querySelector(selector);
const composer = () => $("#composer");
const text = () => $("#composer textarea");

/* --- modes ----------------------------------------------------------------------------------------------------- */

function mode(name, focus = true) {
  const form = composer();
  if (!form) return;
  form.dataset.mode = name;
  for (const tab of form.querySelectorAll('[role="tab"]')) tab.setAttribute("aria-selected", tab.dataset.mode === name);
  text().placeholder = text().dataset[name === "note" ? "placeholderNote" : "placeholderReply"];
  if (focus) text().focus();
  if (text().value) saveSoon();
  emit("desk:mode");
}

document.addEventListener("desk:act", (event) => {
  const { name, source } = event.detail;
  const known = {
    reply: () => mode("reply"),
    note: () => mode("note"),
    send: () => (source ? false : composer()?.requestSubmit()),
    "drop-file": () => { source.closest(".composer-file").remove(); saveSoon(); },
    "keep-writing": () => { $("#composer-moved").replaceChildren(); $("#composer-moved").className = ""; seen(); text().focus(); },
  }[name];
  if (known && composer() && known() !== false) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.closest?.("#composer")) return;
  event.preventDefault();
  composer().requestSubmit($(".composer-send"));
});

/* --- sending --------------------------------------------------------------------------------------------------- */

document.addEventListener("htmx:configRequest", (event) => {
  const form = composer();
  if (!form || event.detail.elt !== form) return;
  event.detail.path = form.dataset[form.dataset.mode];
  const body = event.detail.formData;
  body.set("seen", lastMessage);
  body.set("expected_version", seenVersion);
  if (form.dataset.mode === "note") for (const name of ["template", "parameter", "choice", "quotes"]) body.delete(name);
  const why = hindrance(body);
  if ($(".composer-file progress", form)) refuse(event, "uploading");
  else if (why) refuse(event, ...why);
  else if (!text().value.trim() && !body.getAll("media").length && !body.get("template")) refuse(event, "nothing-to-send");
  wasTemplate = Boolean(body.get("template"));
});

let wasTemplate = false; // what was written beside it is kept

function refuse(event, why, what = "") {
  event.preventDefault();
  if (why) toast({ text: word(why, what) });
  text().focus();
}

document.addEventListener("sent", () => {
  const form = composer();
  if (!form) return;
  clearTimeout(saveTimer);
  if (!wasTemplate) text().value = "";
  $("#composer-files").replaceChildren();
  $("#composer-saved").textContent = "";
  const moved = $("#composer-moved");
  moved.replaceChildren();
  moved.className = "";
  localStorage.removeItem(key());
  doing("viewing");
  mode("reply", false);
  seen();
  const scroll = $("#thread-scroll");
  scroll.scrollTop = scroll.scrollHeight;
  text().focus();
});

document.addEventListener("restored", (event) => {
  if (!composer()) return;
  mode("reply");
  text().value = text().value.trim() ? `${event.detail.text}\n\n${text().value}` : event.detail.text;
});

/* --- what the writer has seen: the answer carries it, so that nobody answers past a colleague ------------------- */

let lastMessage = 0;
let seenVersion = 0;

function newest() {
  return Math.max(0, ...[...document.querySelectorAll("#timeline .msg")].map((one) => Number(one.dataset.message)));
}

function seen() {
  lastMessage = newest();
  seenVersion = Number($("#thread")?.dataset.version || 0);
}

document.addEventListener("desk:swapped", () => {
  // A customer's further words are seen when they are on the screen; a colleague's need a second look while we write.
  const fresh = [...document.querySelectorAll("#timeline .msg")].filter((one) => Number(one.dataset.message) > lastMessage);
  const isWriting = Boolean(text()?.value.trim());
  if (!isWriting || fresh.every((one) => one.classList.contains("in"))) {
    if (!document.hidden) seen();
  }
});

/* --- drafts ---------------------------------------------------------------------------------------------------- */

let saveTimer = null;
const key = () => `draft:${composer()?.dataset.ticket}`;

function saveSoon() {
  clearTimeout(saveTimer);
  saveTimer = setTimeout(save, 700);
}

async function save() {
  const form = composer();
  if (!form) return;
  clearTimeout(saveTimer);
  saveTimer = null;
  const body = new FormData(form);
  body.set("mode", form.dataset.mode);
  const written = text().value;
  const note = $("#composer-saved");
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body, headers: { "X-CSRFToken": csrf() }, keepalive: true });
    if (!answer.ok) throw new Error(String(answer.status));
    localStorage.removeItem(`draft:${form.dataset.ticket}`);
    if (form.isConnected && text().value === written) note.textContent = written.trim() ? word("saved") : "";
  } catch {
    if (form.isConnected) note.textContent = word("kept");
  }
}

document.addEventListener("desk:draft", () => composer() && saveSoon());

document.addEventListener("input", (event) => {
  if (!event.target.matches("#composer textarea")) return;
  localStorage.setItem(key(), JSON.stringify({ text: event.target.value, mode: composer().dataset.mode }));
  doing(composer().dataset.mode === "note" ? "noting" : "replying");
  saveSoon();
});

function leave() {
  if (saveTimer) save();
}
document.addEventListener("desk:leave", leave);
addEventListener("pagehide", leave);

function restore() {
  const form = composer();
  if (!form) return;
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(key()) || "null"); } catch { localStorage.removeItem(key()); }
  if (kept?.text && kept.text !== text().value) {
    text().value = kept.text;
    mode(kept.mode, false);
    saveSoon();
  }
}

/* --- files ----------------------------------------------------------------------------------------------------- */

const LIMIT = 20 * 1024 * 1024;

function upload(file) {
  const form = composer();
  if (file.size > LIMIT) return toast({ text: word("too-large", file.name), kind: "error" });
  const why = misfit(file.name, file.size, file.type);
  if (why) toast({ text: why, kind: "error" }); // another channel may carry it: it goes up all the same
  const chip = $("#composer-file").content.firstElementChild.cloneNode(true);
  $("span", chip).textContent = file.name;
  $("#composer-files").append(chip);
  const body = new FormData();
  body.append("file", file, file.name || "image.png");
  const request = new XMLHttpRequest();
  request.open("POST", form.dataset.upload);
  request.setRequestHeader("X-CSRFToken", csrf());
  request.setRequestHeader("HX-Request", "true");
  request.upload.addEventListener("progress", (event) => { const bar = $("progress", chip); if (bar) bar.value = (100 * event.loaded) / event.total; });
  request.addEventListener("loadend", () => {
    $("progress", chip)?.remove();
    if (request.status !== 201) {
      chip.dataset.wrong = "";
      return toast({ text: word("upload-failed", file.name), kind: "error" });
    }
    const { id, size, type } = JSON.parse(request.responseText);
    chip.dataset.size = size;
    chip.dataset.type = type;
    emit("desk:filed");
    chip.prepend(Object.assign(document.createElement("input"), { type: "hidden", name: "media", value: id }));
    saveSoon();
  });
  request.send(body);
}

document.addEventListener("change", (event) => {
  if (event.target.id !== "composer-attach") return;
  for (const file of event.target.files) upload(file);
  event.target.value = "";
});
document.addEventListener("paste", (event) => {
  if (!event.target.closest?.("#composer") || !event.clipboardData.files.length) return;
  event.preventDefault();
  for (const file of event.clipboardData.files) upload(file);
});
for (const kind of ["dragover", "drop", "dragleave"]) {
  document.addEventListener(kind, (event) => {
    const form = composer();
    if (!form || !event.target.closest?.("#thread") || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") for (const file of event.dataTransfer.files) upload(file);
  });
}

/* --- who else is here ------------------------------------------------------------------------------------------ */

const others = new Map(); // user id: {name, doing, until}
let now = "viewing";
let toldAt = 0;

function doing(what) {
  const ticket = $("#thread")?.dataset.ticket;
  if (!ticket || (what === now && Date.now() - toldAt < 4000)) return;
  now = what;
  toldAt = Date.now();
  say({ do: "doing", ticket, what });
}

document.addEventListener("desk:presence", ({ detail: { ticket, user, name, what } }) => {
  const row = document.querySelector(`#t${ticket}`);
  const visitor = what === "typing"; // the customer, in the chat
  if (row && !visitor) {
    if (what === "left") delete row.dataset.seen;
    else row.dataset.seen = name;
  }
  if (ticket !== $("#thread")?.dataset.ticket) return;
  if (what === "left") others.delete(user);
  else others.set(user, { name, what, until: Date.now() + (visitor ? 6000 : 40000) });
  if (what === "came") say({ do: "doing", ticket, what: now });
  showOthers();
});

function showOthers() {
  const line = $("#presence");
  if (!line) return;
  for (const [user, other] of others) {
    if (other.until < Date.now()) others.delete(user);
    else if (["replying", "noting"].includes(other.what) && other.until - 32000 < Date.now()) other.what = "viewing";
  }
  const busy = [...others.values()].sort((a, b) => (a.what === "replying" ? -1 : 0) - (b.what === "replying" ? -1 : 0));
  line.hidden = busy.length === 0;
  if (busy.length) $("span", line).textContent = busy.map((one) => word(one.what === "came" ? "viewing" : one.what, one.name)).join(" · ");
}
setInterval(() => {
  showOthers();
  if ($("#thread") && !document.hidden && Date.now() - toldAt > 15000) {
    toldAt = 0;
    doing(now === "replying" && !text()?.matches(":focus") ? "viewing" : now);
  }
}, 2000);

document.addEventListener("desk:opened", () => {
  others.clear();
  now = "viewing";
  toldAt = Date.now();
  restore();
  seen();
  showOthers();
});
if ($("#thread")) {
  restore();
  seen();
}
