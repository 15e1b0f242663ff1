/** Keeps open screens true: one socket of pokes, a keyed swap for HTMX, running clocks and toasts. */

export const word = (name, value = "") =>
  (document.getElementById("words")?.content.querySelector(`[data-word="${name}"]`)?.textContent ?? name).replace("{}", value);
export const emit = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
export const csrf = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";

/* --- keyed swap: every element of an answer replaces the one with its id, unless nothing changed --------------- */

const original = new WeakMap(); // the HTML as the server sent it, before scripts touched it
const waiting = new Map(); // parts that somebody is using right now, by id

function remember(root) {
  for (const element of root.querySelectorAll("[data-keyed] > [id], #thread-head")) original.set(element, element.outerHTML);
}

function inUse(element) {
  const focused = document.activeElement;
  const typing = focused && element.contains(focused) && focused.matches("input:not([type=checkbox]), textarea, select");
  return typing || element.querySelector(":popover-open") !== null;
}

function swapOne(old, fresh) {
  const html = fresh.outerHTML;
  if (original.get(old) === html) return old;
  if (inUse(old)) {
    waiting.set(old.id, fresh);
    return old;
  }
  if (old.hasAttribute("data-touched") && old.dataset.revision === fresh.dataset.revision) {
    // Somebody has unfolded this message, or plays what it holds: only what is below it may change under their eyes.
    const [before, after] = [old.querySelector(".msg-foot"), fresh.querySelector(".msg-foot")];
    if (before && after) before.replaceWith(after);
    else if (after) old.append(after);
    original.set(old, html);
    window.htmx.process(old);
    return old;
  }
  original.set(fresh, html);
  old.replaceWith(fresh);
  window.htmx.process(fresh);
  return fresh;
}

/** Brings the element with this id to the state of a fresh one. Children of `data-keyed` are matched by id. */
export function reconcile(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old) return;
  if (!fresh.hasAttribute("data-keyed")) {
    swapOne(old, fresh);
    return;
  }
  const known = new Map([...old.children].map((child) => [child.id, child]));
  let place = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const same = known.get(child.id);
    known.delete(child.id);
    if (same) {
      const kept = swapOne(same, child);
      if (place === same) place = kept;
      if (kept !== place) old.insertBefore(kept, place);
      else place = place.nextElementSibling;
    } else {
      original.set(child, child.outerHTML);
      old.insertBefore(child, place);
      window.htmx.process(child);
      child.classList.add("fresh");
    }
  }
  for (const left of known.values()) left.remove();
}

export function applyFragments(fragment) {
  const parts = [...fragment.children].filter((part) => part.id);
  const thread = document.getElementById("thread");
  const mark = parts.find((part) => part.id === "thread-version");
  if (mark && thread && Number(mark.dataset.version) < Number(thread.dataset.version)) return; // an older answer, come late
  emit("desk:before-swap", parts);
  for (const part of parts) if (part !== mark) reconcile(part);
  if (mark && thread) thread.dataset.version = mark.dataset.version;
  tick();
  emit("desk:swapped", parts);
}

document.addEventListener("focusout", () =>
  setTimeout(() => {
    for (const [id, fresh] of waiting) {
      const old = document.getElementById(id);
      if (old && inUse(old)) continue;
      waiting.delete(id);
      if (old) swapOne(old, fresh);
    }
  }, 200),
);

window.htmx?.defineExtension("keyed", {
  isInlineSwap: (style) => style === "keyed",
  handleSwap(style, target, fragment) {
    if (style !== "keyed") return false;
    applyFragments(fragment);
    return true;
  },
});

/** Fetches a fragment and returns its document, or null when it could not be had. */
export async function fetchParts(url) {
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.status === 401) location.assign(answer.headers.get("HX-Redirect") || "/accounts/login/");
    if (answer.status === 404 && url === document.getElementById("thread")?.dataset.src) location.assign("/inbox/"); // no longer ours
    if (!answer.ok) return null;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    return holder.content;
  } catch {
    return null;
  }
}

/* --- clocks ---------------------------------------------------------------------------------------------------- */

export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return word("seconds", s);
  if (s < 3600) return word("minutes", Math.floor(s / 60));
  if (s < 86400) return word("hours", Math.floor(s / 3600)) + (s % 3600 >= 60 && s < 36000 ? " " + word("minutes", Math.floor((s % 3600) / 60)) : "");
  return word("days", Math.floor(s / 86400));
}

export function tick() {
  const at = Date.now() / 1000;
  const warn = Number(document.getElementById("shell")?.dataset.warn || 120);
  for (const element of document.querySelectorAll("[data-due]")) {
    const left = Number(element.dataset.due) - at;
    element.dataset.wait = left < 0 ? "breached" : left <= warn ? "warned" : element.dataset.wait === "breached" ? "ok" : element.dataset.wait;
    const words = element.querySelector(".left");
    const text = word(left < 0 ? "late" : "left", span(Math.abs(left)));
    if (words && words.textContent !== text) words.textContent = text;
    const bar = element.querySelector("progress.bar");
    if (bar) bar.value = left < 0 ? bar.max : Math.max(0, left);
  }
  for (const element of document.querySelectorAll("[data-held]")) {
    const left = Math.ceil(Number(element.dataset.held) - at);
    element.querySelector(".msg-state-words").textContent = left > 0 ? word("leaves", left) : word("sending");
    const form = element.parentElement.querySelector("form");
    if (left <= 0 && form) form.hidden = true;
  }
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const past = at - Date.parse(element.dateTime) / 1000;
    if (past < 3600) element.textContent = span(past);
  }
}

/* --- toasts ---------------------------------------------------------------------------------------------------- */

let lastUndo = null;

export function toast({ text, kind = "info", undo = "" }) {
  const box = document.createElement("div");
  box.className = "toast";
  box.dataset.kind = kind;
  const words = document.createElement("span");
  words.className = "grow";
  words.textContent = text;
  box.append(words);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.innerHTML = "<span></span><kbd>z</kbd>";
    button.firstChild.textContent = word("undo");
    button.addEventListener("click", () => takeBack());
    box.append(button);
    lastUndo = { url: undo, until: Date.now() + 10000, box };
  }
  const stack = document.getElementById("toasts");
  stack.replaceChildren(box);
  const end = () => box.remove();
  let timer = setTimeout(end, undo ? 10000 : kind === "error" ? 8000 : 4000);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => (timer = setTimeout(end, 2000)));
}

export function takeBack() {
  if (!lastUndo || Date.now() > lastUndo.until) {
    toast({ text: word("nothing-to-undo") });
    return;
  }
  const { url, box } = lastUndo;
  lastUndo = null;
  box.remove();
  const thread = document.getElementById("thread");
  const isHere = thread && url.startsWith(`/inbox/${thread.dataset.ticket}/`);
  window.htmx.ajax("POST", url, { source: thread || document.body, target: thread || document.body, swap: isHere ? "keyed" : "none" });
}

document.addEventListener("toast", (event) => toast(event.detail));
document.addEventListener("htmx:sendError", () => toast({ text: word("no-connection"), kind: "error" }));
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const isShown = [409, 422].includes(xhr.status) && xhr.responseText;
  if (!isShown && !xhr.getResponseHeader("HX-Trigger")) toast({ text: word("failed", xhr.getResponseHeader("X-Request-ID") || xhr.status), kind: "error" });
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if ([409, 422].includes(detail.xhr.status) && detail.xhr.getResponseHeader("HX-Reswap") !== "none" && detail.serverResponse) detail.shouldSwap = true;
});

/* --- the socket: pokes say what has a newer version, presence who is there ------------------------------------- */

let socket = null;
let attempts = 0;
let downSince = Date.now();
const watched = new Set();

export function say(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

export function watch(ticket) {
  for (const other of watched) if (other !== ticket) say({ do: "unwatch", ticket: other });
  watched.clear();
  if (ticket) {
    watched.add(ticket);
    say({ do: "watch", ticket });
  }
}

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/agent/`);
  socket.onopen = () => {
    attempts = 0;
    downSince = null;
    for (const ticket of watched) say({ do: "watch", ticket });
    showConnection();
    emit("desk:catch-up");
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    emit(`desk:${message.type}`, message);
  };
  socket.onclose = ({ code }) => {
    downSince ??= Date.now();
    showConnection();
    if (code === 4003) return; // signed out: the next request leads to the sign-in page
    const wait = code === 4001 ? 0 : Math.min(15000, 400 * 2 ** attempts++) * (0.7 + Math.random() * 0.6);
    setTimeout(connect, wait);
  };
}

function showConnection() {
  const shell = document.getElementById("shell");
  const banner = document.getElementById("offline");
  if (!shell || !banner) return;
  const offline = !navigator.onLine;
  const behind = downSince !== null && Date.now() - downSince > 4000;
  shell.dataset.connection = offline ? "off" : downSince === null ? "on" : "behind";
  banner.hidden = !offline && !behind;
  banner.querySelector('[data-when="offline"]').hidden = !offline;
  banner.querySelector('[data-when="behind"]').hidden = offline;
}

/** Gathers pokes and hands them on at most once a second, the first one at once. */
const pending = new Map();
let flushAt = 0;
let flushTimer = null;

function flush() {
  flushTimer = null;
  flushAt = Date.now();
  const changed = new Map(pending);
  pending.clear();
  emit("desk:changed", changed);
}

document.addEventListener("desk:poke", ({ detail: { topic, id, version } }) => {
  if (topic !== "ticket") return;
  pending.set(id, Math.max(version, pending.get(id) || 0));
  flushTimer ??= setTimeout(flush, Math.max(20, 1000 - (Date.now() - flushAt)));
});

let fetching = false;
async function refreshThread(force, version = 0) {
  const thread = document.getElementById("thread");
  if (!thread || fetching || (!force && Number(thread.dataset.version) >= version)) return;
  fetching = true;
  const parts = await fetchParts(thread.dataset.src);
  fetching = false;
  if (!parts || document.getElementById("thread") !== thread) return;
  applyFragments(parts);
  if (!force && Number(thread.dataset.version) < version) setTimeout(() => refreshThread(false, version), 300);
}
document.addEventListener("desk:changed", ({ detail: changed }) => {
  const id = document.getElementById("thread")?.dataset.ticket;
  if (changed.has(id)) refreshThread(false, changed.get(id));
});
document.addEventListener("desk:catch-up", () => refreshThread(true));

function start() {
  if (!document.getElementById("shell")) return;
  remember(document);
  connect();
  tick();
  setInterval(tick, 1000);
  setInterval(showConnection, 1000);
  // While the socket is down, screens ask by themselves.
  setInterval(() => downSince !== null && Date.now() - downSince > 4000 && navigator.onLine && emit("desk:catch-up"), 8000);
  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > 2000) emit("desk:catch-up");
  });
  addEventListener("online", () => { showConnection(); if (socket.readyState === WebSocket.CLOSED) connect(); });
  addEventListener("offline", showConnection);
  document.addEventListener("htmx:afterSwap", () => { remember(document); tick(); });
}

export { remember };
start();
