// The customers' phones: choose a person, read what their phone shows, write as they would.
"use strict";
(() => {
  const root = document.getElementById("phones");
  if (!root) return;
  const [list, empty, problem] = ["lines", "empty", "problem"].map((id) => document.getElementById(id));
  const form = document.getElementById("say");
  const field = document.getElementById("text");
  const button = form.querySelector("button");
  const words = document.getElementById("words").dataset;
  const language = document.documentElement.lang;
  let door = null;
  let shown = "";

  const address = (query = "") => `/demo/phones/${encodeURIComponent(door.kind)}/${query}`;
  const headers = { Accept: "application/json" };

  async function look() {
    if (!door || document.hidden) return;
    const asked = door;
    let lines = null;
    try {
      const answer = await fetch(address(`?person=${encodeURIComponent(door.person)}`), { headers });
      if (answer.ok) lines = (await answer.json()).lines;
    } catch { lines = null; }
    if (asked !== door) return;
    problem.hidden = lines !== null;
    if (lines === null) return;
    empty.hidden = lines.length > 0;
    const now = JSON.stringify(lines);
    if (now === shown) return;
    shown = now;
    list.replaceChildren(...lines.map(drawn));
    list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  function drawn(line) {
    const item = document.createElement("li");
    item.className = line.direction;
    item.dir = "auto";
    item.append(line.text || "");
    for (const file of line.files || []) {
      const note = document.createElement("small");
      note.textContent = `📎 ${file.name}`;
      item.append(note);
    }
    if ((line.choices || []).length) {
      const row = document.createElement("div");
      row.className = "choices";
      for (const choice of line.choices) {
        const pick = document.createElement("button");
        pick.type = "button";
        pick.textContent = choice;
        pick.addEventListener("click", () => say(choice));
        row.append(pick);
      }
      item.append(row);
    }
    const when = document.createElement("small");
    const state = words[line.state] ? ` · ${words[line.state]}` : "";
    when.textContent = new Date(line.at * 1000).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }) + state;
    item.append(when);
    return item;
  }

  async function say(text) {
    button.disabled = true;
    try {
      const answer = await fetch(address(), {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json", "X-CSRFToken": root.dataset.token },
        body: JSON.stringify({ person: door.person, text }),
      });
      problem.hidden = answer.ok;
      if (answer.ok) field.value = "";
    } catch { problem.hidden = false; }
    button.disabled = false;
    field.focus();
    look();
  }

  root.querySelectorAll(".doors button").forEach((one) => one.addEventListener("click", () => {
    root.querySelector("[aria-current]")?.removeAttribute("aria-current");
    one.setAttribute("aria-current", "true");
    door = { ...one.dataset };
    shown = "";
    list.replaceChildren();
    document.getElementById("who").textContent = `${one.textContent} · ${door.door}`;
    field.disabled = button.disabled = false;
    field.focus();
    look();
  }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (door && field.value.trim()) say(field.value);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 1500);
})();
