/* How the conversation looks: the panel's drawing, apart from what it does. */
class Drawing {
  refresh() {
    const { unread } = this.chat;
    if (this.isOpen && !document.hidden) this.chat.markSeen();
    this.badge.hidden = unread === 0 || this.isOpen;
    this.badge.textContent = unread > 9 ? "9+" : String(unread);
    this.launcher.setAttribute("aria-label", this.isOpen ? t("close") : unread ? t("openUnread", unread) : t("open"));
    if (!this.isOpen) return;
    this.title.textContent = this.chat.desk.name || t("chat");
    this.status.textContent = this.promise();
    const notice = this.trouble();
    if (this.notice.textContent !== notice) this.notice.textContent = notice;
    this.notice.hidden = !notice;
    this.drawLog();
    this.drawMail();
  }

  /* When somebody will answer, from what it really took lately. */
  promise() {
    const seconds = this.chat.desk.answers_in;
    if (seconds === null || seconds === undefined) return t("unknown");
    if (seconds <= 120) return t("soon");
    if (seconds <= 50 * 60) return t("minutes", seconds <= 300 ? Math.ceil(seconds / 60) : Math.ceil(seconds / 300) * 5);
    if (seconds <= 90 * 60) return t("hour");
    if (seconds <= 20 * 3600) return t("hours", Math.ceil(seconds / 3600));
    return seconds <= 36 * 3600 ? t("day") : t("days");
  }

  trouble() {
    const { problem, wire } = this.chat;
    if (problem?.status === 403) return t("refused");
    if (problem?.status === 404) return t("gone");
    if (!navigator.onLine) return t("offline");
    return wire.failures > 1 && !wire.isOpen ? t("connecting") : "";
  }

  drawLog() {
    const stay = this.atEnd;
    const waiting = this.chat.waiting.map((item) => ({ ...item, direction: "in", created_at: new Date(item.at).toISOString(), pending: true }));
    const greeting = { client_id: "greeting", direction: "out", author: "", text: this.chat.desk.greeting || t("greeting"), files: [] };
    const lines = [greeting, ...this.chat.sorted, ...waiting];
    const wanted = [];
    let before = null;
    lines.forEach((line, index) => {
      const day = line.created_at && new Date(line.created_at).toDateString();
      if (day && day !== before?.day) wanted.push(this.day(day, line.created_at));
      const next = lines[index + 1];
      const first = !before?.line || !this.together(before.line, line) || (day && day !== before.day);
      const last = !next || !this.together(line, next);
      wanted.push(this.item(line, first, last));
      before = { line, day: day || before?.day };
    });
    this.typing.hidden = !this.chat.typist;
    this.typing.lastChild.textContent = this.chat.typist ? t("typing", this.chat.typist) : "";
    wanted.push(this.typing);
    this.place(wanted);
    if (stay) this.toEnd(); else this.scrolled();
  }

  /* Only what is new is inserted, so that a screen reader reads it once and nothing jumps. */
  place(wanted) {
    const keep = new Set(wanted);
    for (const child of [...this.log.children]) if (!keep.has(child)) child.remove();
    wanted.forEach((element, index) => {
      if (this.log.children[index] !== element) this.log.insertBefore(element, this.log.children[index] || null);
    });
  }

  together(one, two) {
    return one.direction === two.direction && one.author === two.author && Boolean(one.created_at) && Math.abs(Date.parse(two.created_at) - Date.parse(one.created_at)) < GROUP;
  }

  day(day, at) {
    const key = `day ${day}`;
    if (!this.drawn.has(key)) this.drawn.set(key, { element: el("div", { class: "day" }) });
    const { element } = this.drawn.get(key);
    const ago = Math.round((new Date(new Date().toDateString()) - new Date(day)) / 864e5);
    const words = ago === 0 ? t("today") : ago === 1 ? t("yesterday") : new Date(at).toLocaleDateString(language, { weekday: "long", day: "numeric", month: "long" });
    if (element.textContent !== words) element.textContent = words;
    return element;
  }

  item(line, first, last) {
    const failed = line.pending ? this.chat.failed.get(line.client_id) : null;
    const state = JSON.stringify([line.seq, line.pending, Boolean(failed), first, last, line.pending && navigator.onLine, line.files.map((file) => file.url), line.text]);
    const known = this.drawn.get(line.client_id);
    if (known?.state === state) return known.element;
    const mine = line.direction === "in";
    const element = known?.element || el("div", { dir: "auto" });
    element.className = `item ${mine ? "mine" : ""} ${first ? "first" : ""} ${last ? "last" : ""} ${line.pending && !failed ? "waiting" : ""}`;
    const parts = [];
    if (first && !mine && line.author) parts.push(el("div", { class: "who" }, line.author));
    else parts.push(el("span", { class: "hide" }, `${mine ? t("you") : line.author || t("desk")}: `));
    if (line.text) parts.push(el("div", { class: "bubble", dir: "auto" }, ...linked(line.text)));
    parts.push(...line.files.map((file) => this.attached(file)));
    if (last || line.pending) parts.push(this.foot(line, mine, failed));
    element.replaceChildren(...parts.filter(Boolean));
    this.drawn.set(line.client_id, { element, state });
    return element;
  }

  attached(file) {
    const open = { href: file.url, target: "_blank", rel: "noopener noreferrer" };
    const plain = () => el("a", { class: "file", ...open }, icon("file"), el("span", {}, file.filename), el("small", {}, size(file.size)));
    if (!/^image\/(png|jpeg|gif|webp)$/.test(file.content_type)) return plain();
    const link = el("a", { class: "picture", ...open });
    const picture = el("img", { src: file.url, alt: t("image", file.filename), loading: "lazy" });
    picture.addEventListener("error", () => link.replaceWith(plain()));
    picture.addEventListener("load", () => { if (this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 320) this.toEnd(); });
    link.append(picture);
    return link;
  }

  foot(line, mine, failed) {
    if (failed) {
      const why = failed.status === 413 || failed.status === 422 ? t("tooLong") : failed.message;
      return el("div", { class: "foot bad", title: why }, t("failed"),
        el("button", { class: "link", type: "button", onclick: () => this.chat.retry(line.client_id) }, t("retry")),
        el("button", { class: "link", type: "button", onclick: () => this.chat.discard(line.client_id) }, t("discard")));
    }
    if (line.pending) return el("div", { class: "foot" }, icon("clock"), navigator.onLine ? t("sending") : t("kept"));
    if (!line.created_at) return null;
    return el("div", { class: "foot" }, el("time", { datetime: line.created_at }, clock(line.created_at)), mine ? icon("check") : null, mine ? el("span", {}, t("sent")) : null);
  }

  /* Where answers go when the visitor has left. Offered once they have written. */
  drawMail() {
    const wrote = this.chat.sorted.some((line) => line.direction === "in");
    const step = this.chat.email ? "done" : this.mailStep || "ask";
    this.mail.hidden = !wrote;
    const state = `${step} ${this.chat.email} ${this.mailFor || ""}`;
    if (!wrote || this.mailDrawn === state) return;
    this.mailDrawn = state;
    this.mail.replaceChildren({ ask: () => this.mailAsk(), address: () => this.mailAddress(), code: () => this.mailCode(), done: () => this.mailDone() }[step]());
  }

  mailGo(step) {
    this.mailStep = step;
    this.drawMail();
    this.mail.querySelector("input, button")?.focus();
  }

  mailAsk() { return el("button", { class: "ask", type: "button", onclick: () => this.mailGo("address") }, icon("mail"), t("mailAsk")); }
  mailDone() { return el("p", {}, t("mailDone", this.chat.email)); }

  mailForm(label, input, go, act) {
    const bad = el("p", { class: "bad", role: "alert", hidden: true });
    const button = el("button", { class: "go", type: "submit" }, go);
    const back = el("button", { class: "link", type: "button", onclick: () => this.mailGo(this.mailStep === "code" ? "address" : "ask") }, t(this.mailStep === "code" ? "again" : "cancel"));
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try { await act(input.value.trim()); } catch (error) {
        bad.textContent = error.status === 429 ? error.message || t("busy") : error.status === 422 ? t(this.mailStep === "code" ? "codeBad" : "mailBad") : t("netBad");
        bad.hidden = false;
        button.disabled = false;
        input.focus();
      }
    };
    return el("form", { onsubmit: submit, novalidate: true }, el("label", { for: "mail-input" }, label), input, button, bad, back);
  }

  mailAddress() {
    const input = el("input", { id: "mail-input", type: "email", autocomplete: "email", inputmode: "email", maxlength: "254", required: true });
    return this.mailForm(t("mailLabel"), input, t("mailGo"), async (email) => {
      await this.chat.leaveMail(email);
      this.mailFor = email;
      this.mailGo("code");
    });
  }

  mailCode() {
    const input = el("input", { id: "mail-input", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", "aria-description": t("codeLabel"), required: true });
    return this.mailForm(t("mailSent", this.mailFor), input, t("codeGo"), async (code) => {
      await this.chat.confirmMail(this.mailFor, code);
      this.words.focus();
    });
  }
}
