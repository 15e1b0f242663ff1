/* The launcher and the panel. Drawn from the conversation's state; elements of messages are kept by their id. */
const MAX_FILES = 10;
const GROUP = 5 * 60 * 1000;

class Panel extends Drawing {
  constructor(chat, options) {
    super();
    this.chat = chat;
    this.drawn = new Map();
    this.files = []; // {name, source, state, entry}
    this.mailStep = "";
    this.host = document.createElement("helpdesk-chat");
    const root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
    root.adoptedStyleSheets = [sheet];
    this.root = root;
    this.badge = el("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcher = el("button", { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => this.toggle() }, icon("chat"), this.badge);
    this.frame = el("div", { class: "frame", lang: language }, this.launcher);
    this.paint(options);
    root.append(this.frame);
    (document.body || document.documentElement).append(this.host);
    this.follow(chat);
  }

  follow(chat) {
    this.chat = chat;
    chat.watchers.add(() => this.refresh());
    this.drawn.clear();
    this.log?.replaceChildren();
    this.refresh();
  }

  /* The host's colour, with words on it that can be read, and light or dark. */
  paint({ color, theme }) {
    if (color && CSS.supports("color", color)) {
      const probe = document.createElement("canvas").getContext("2d");
      probe.fillStyle = color;
      const [r, g, b] = (probe.fillStyle.match(/[0-9a-f]{2}/gi) || []).map((part) => (parseInt(part, 16) / 255) ** 2.2);
      const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
      this.frame.style.setProperty("--accent", color);
      this.frame.style.setProperty("--on-accent", light > 0.36 ? "#101514" : "#ffffff");
    }
    const night = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => this.frame.classList.toggle("dark", theme ? theme === "dark" : night.matches);
    night.addEventListener("change", apply);
    apply();
  }

  get isOpen() { return Boolean(this.panel && !this.panel.hidden); }
  toggle() { if (this.isOpen) this.close(); else this.open(); }

  open() {
    if (!this.panel) this.build();
    this.panel.hidden = false;
    this.frame.classList.add("opened");
    this.launcher.replaceChildren(icon("down"), this.badge);
    this.launcher.setAttribute("aria-expanded", "true");
    this.chat.arrive();
    this.refresh();
    this.toEnd();
    this.words.focus({ preventScroll: true });
    this.fit();
  }

  close() {
    if (!this.isOpen) return;
    this.panel.hidden = true;
    this.frame.classList.remove("opened");
    this.launcher.replaceChildren(icon("chat"), this.badge);
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus({ preventScroll: true });
    this.refresh();
  }

  build() {
    this.title = el("h2", { class: "title", id: "title" });
    this.status = el("p", { class: "status" });
    const closing = el("button", { class: "icon", type: "button", "aria-label": t("close"), onclick: () => this.close() }, icon("close"));
    this.notice = el("p", { class: "notice", role: "status", hidden: true });
    this.log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions", tabindex: "0", "aria-labelledby": "title" });
    this.log.addEventListener("scroll", () => this.scrolled());
    this.typing = el("div", { class: "typing", hidden: true }, el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), el("span"));
    this.newest = el("button", { class: "newest", type: "button", hidden: true, "aria-label": t("newest"), onclick: () => this.toEnd() }, icon("down"));
    this.mail = el("div", { class: "mail", hidden: true });
    this.tray = el("div", { class: "tray", hidden: true });
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    this.picker = el("input", { type: "file", multiple: true, hidden: true, onchange: () => { this.take(this.picker.files); this.picker.value = ""; } });
    this.words = el("textarea", { rows: "1", maxlength: "10000", "aria-label": t("write"), placeholder: t("write"), dir: "auto", enterkeyhint: "send" });
    this.words.value = this.chat.store.get("draft", "");
    this.sender = el("button", { class: "icon send", type: "submit", "aria-label": t("send") }, icon("send"));
    const attach = el("button", { class: "icon", type: "button", "aria-label": t("attach"), onclick: () => this.picker.click() }, icon("clip"));
    const form = el("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.submit(); } }, attach, this.picker, this.words, this.sender);
    this.panel = el("section", { class: "panel", role: "dialog", "aria-labelledby": "title", "data-drop": t("drop"), hidden: true },
      el("header", { class: "head" }, el("div", { class: "head-words" }, this.title, this.status), closing),
      this.notice, this.log, this.newest, this.mail, this.error, this.tray, form);
    this.listen();
    this.frame.prepend(this.panel);
  }

  listen() {
    this.words.addEventListener("input", () => {
      this.chat.store.set("draft", this.words.value);
      if (this.words.value.trim()) this.chat.tellTyping();
      this.complain("");
      this.fit();
    });
    this.words.addEventListener("keydown", (event) => {
      const touch = matchMedia("(pointer: coarse)").matches;
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !touch) { event.preventDefault(); this.submit(); }
    });
    this.words.addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) { event.preventDefault(); this.take(event.clipboardData.files); }
    });
    this.panel.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["dragenter", "dragover"]) {
      this.panel.addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files")) { event.preventDefault(); this.panel.classList.add("dropping"); } });
    }
    this.panel.addEventListener("dragleave", (event) => { if (!this.panel.contains(event.relatedTarget)) this.panel.classList.remove("dropping"); });
    this.panel.addEventListener("drop", (event) => { event.preventDefault(); this.panel.classList.remove("dropping"); this.take(event.dataTransfer.files); });
    // A phone's keyboard covers the page: keep the panel within what is left to see.
    visualViewport?.addEventListener("resize", () => { this.frame.style.setProperty("--screen", `${visualViewport.height}px`); this.toEnd(); });
  }

  /* Esc closes; Tab goes round within the panel. What is pressed here is not the page's business. */
  key(event) {
    event.stopPropagation();
    if (event.key === "Escape") { this.close(); return; }
    if (event.key !== "Tab") return;
    const stops = [...this.panel.querySelectorAll("button, input:not([hidden]), textarea, a[href], [tabindex='0']")].filter((stop) => !stop.disabled && stop.getClientRects().length);
    const [first, last, now] = [stops[0], stops.at(-1), this.root.activeElement];
    if (event.shiftKey && now === first) { event.preventDefault(); last.focus(); }
    else if (!event.shiftKey && now === last) { event.preventDefault(); first.focus(); }
  }

  complain(text) {
    this.error.textContent = text;
    this.error.hidden = !text;
  }

  fit() {
    this.words.style.height = "auto";
    this.words.style.height = `${Math.min(132, this.words.scrollHeight)}px`;
    this.sender.disabled = !this.words.value.trim() && !this.files.some((file) => file.entry);
  }

  submit() {
    const text = this.words.value.trim();
    if (this.files.some((file) => file.state === "busy")) return;
    const entries = this.files.filter((file) => file.entry).map((file) => file.entry);
    if (!text && !entries.length) return;
    this.words.value = "";
    this.chat.store.drop("draft");
    this.files = [];
    this.drawTray();
    this.complain("");
    this.chat.send(text, entries);
    this.fit();
    this.toEnd();
    this.words.focus({ preventScroll: true });
  }

  take(list) {
    const most = this.chat.desk.max || 20 * 1024 * 1024;
    for (const file of list) {
      if (this.files.length >= MAX_FILES) { this.complain(t("tooMany", MAX_FILES)); break; }
      if (file.size > most) { this.complain(t("tooLarge", file.name, Math.floor(most / 1048576))); continue; }
      this.carry({ name: file.name || "file", source: file, state: "busy", entry: null });
    }
    this.words.focus({ preventScroll: true });
  }

  carry(file) {
    if (!this.files.includes(file)) this.files.push(file);
    file.state = "busy";
    this.drawTray();
    this.chat.upload(file.source).then(
      (entry) => { file.entry = entry; file.state = ""; },
      (error) => { file.state = "bad"; this.complain(error.status === 413 ? t("tooLarge", file.name, "") : t("uploadFailed", file.name)); },
    ).finally(() => this.drawTray());
  }

  drawTray() {
    this.tray.hidden = !this.files.length;
    this.tray.replaceChildren(...this.files.map((file) => {
      const without = () => { this.files = this.files.filter((other) => other !== file); this.complain(""); this.drawTray(); this.words.focus(); };
      return el("div", { class: `chip ${file.state}`, "aria-busy": String(file.state === "busy") },
        this.thumb(file.entry),
        el("span", {}, file.name),
        file.state === "bad" ? el("button", { class: "link", type: "button", onclick: () => this.carry(file) }, t("retry")) : null,
        el("button", { class: "icon", type: "button", "aria-label": t("remove", file.name), onclick: without }, icon("close")));
    }));
    this.fit();
  }

  /* The desk's own address of the picture: a strict page forbids those made in the browser. */
  thumb(entry) {
    if (!entry?.content_type.startsWith("image/")) return icon("file");
    return el("img", { src: entry.url, alt: "", onerror: (event) => event.target.replaceWith(icon("file")) });
  }

  scrolled() { this.newest.hidden = this.atEnd; }
  get atEnd() { return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60; }
  toEnd() { if (this.log) { this.log.scrollTop = this.log.scrollHeight; this.newest.hidden = true; } }
}
