/* The conversation itself: lines by number, what is on its way, what was read. Knows no screen. */
const TYPING_SHOWN = 7000;
const TYPING_TOLD = 2500;
const RETRY_AFTER = 4000;

class Chat {
  constructor(base, channel, who, identity) {
    this.store = new Store(channel, who);
    this.wire = new Wire(base, channel, this.store, identity);
    this.lines = new Map();
    this.failed = new Map(); // client id -> why
    this.carried = new Map(); // unsent messages, until their line is here: another tab may clear the shelf before
    this.problem = null;
    this.typist = "";
    this.toldAt = 0;
    this.watchers = new Set();
    for (const line of this.store.get("lines", [])) this.lines.set(line.seq, line);
    this.wire.on = {
      after: () => this.last,
      lines: (lines) => this.receive(lines),
      typing: (name) => this.types(name),
      session: () => { this.problem = null; this.changed(); },
      renewed: () => { this.lines.clear(); this.changed(); },
      state: (error) => { this.problem = error?.status ? error : this.wire.isOpen ? null : this.problem; this.changed(); if (this.wire.isOpen) this.flush(); },
    };
    this.store.heard = (what) => this.hear(what);
  }

  /* The last line of an unbroken row: from there on the socket is asked. */
  get last() { return this.sorted.at(-1)?.seq ?? 0; }
  get sorted() { return [...this.lines.values()].sort((a, b) => a.seq - b.seq); }
  get seen() { return this.store.get("seen", 0); }
  get unread() { return this.sorted.filter((line) => line.direction === "out" && line.seq > this.seen).length; }
  get waiting() {
    for (const item of this.store.unsent()) this.carried.set(item.client_id, item);
    for (const line of this.lines.values()) this.carried.delete(line.client_id);
    return [...this.carried.values()].sort((a, b) => a.at - b.at);
  }
  get desk() { return this.store.get("desk", {}); }
  get email() { return this.store.get("email", ""); }
  get isKnown() { return Boolean(this.store.get("token")) || this.store.unsent().length > 0; }

  changed() { for (const watcher of this.watchers) watcher(); }

  hear(what) {
    if (what.dropped) this.carried.delete(what.dropped);
    if (what.queue || what.session) this.changed();
    if (what.seen) this.changed();
    if (what.session && !this.wire.isOpen) this.wire.hurry();
  }

  receive(lines) {
    let fresh = false;
    for (const line of lines) {
      fresh ||= !this.lines.has(line.seq);
      this.lines.set(line.seq, line);
      if (line.direction === "out") this.typist = "";
      else if (this.store.get(`q.${line.client_id}`)) this.store.sent(line.client_id);
    }
    if (lines.length) this.store.keepLines(this.sorted);
    if (fresh || lines.length) this.changed();
  }

  types(name) {
    this.typist = name || t("desk");
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => { this.typist = ""; this.changed(); }, TYPING_SHOWN);
    this.changed();
  }

  tellTyping() {
    if (Date.now() - this.toldAt < TYPING_TOLD) return;
    this.toldAt = Date.now();
    this.wire.say({ type: "typing" });
  }

  /* Everything up to here stood before the reader's eyes. */
  markSeen() {
    const last = this.sorted.filter((line) => line.direction === "out").at(-1)?.seq ?? 0;
    if (last <= this.seen && this.confirmed === last) return;
    if (last > this.seen) { this.store.set("seen", last); this.store.tell({ seen: last }); this.changed(); }
    if (last && this.wire.isOpen) { this.wire.say({ type: "seen", seq: last }); this.confirmed = last; }
  }

  /* Keeps the words, then sends them: a closed tab or a dead network loses nothing. */
  send(text, files = []) {
    this.store.keep({ client_id: uuid(), text, files, at: Date.now() });
    this.toldAt = 0;
    this.changed();
    this.flush();
  }

  retry(clientId) {
    this.failed.delete(clientId);
    this.changed();
    this.flush();
  }

  discard(clientId) {
    this.failed.delete(clientId);
    this.carried.delete(clientId);
    this.store.tell({ dropped: clientId });
    this.store.sent(clientId);
    this.changed();
  }

  async flush() {
    if (this.flushing || !navigator.onLine) return;
    this.flushing = true;
    clearTimeout(this.again);
    try {
      for (const item of this.waiting) {
        if (!this.failed.has(item.client_id)) await this.deliver(item);
      }
      this.wire.connect();
    } catch {
      this.again = setTimeout(() => this.flush(), RETRY_AFTER); // no network, or the desk is busy: the words wait
    } finally {
      this.flushing = false;
      this.changed();
    }
    if (this.waiting.some((item) => !this.failed.has(item.client_id)) && !this.again) this.flush();
  }

  async deliver(item) {
    this.again = 0;
    const body = { client_id: item.client_id, text: item.text, attachments: item.files.map((file) => file.id) };
    try {
      const line = await this.wire.ask("messages", { body });
      this.settle(line);
    } catch (error) {
      if (!error.status || error.status >= 500 || error.status === 429) throw error;
      this.failed.set(item.client_id, error);
    }
  }

  /* An own line is shown when the desk has it, but never past a gap: the socket brings what lies between. */
  settle(line) {
    if (this.lines.has(line.seq) || line.seq === this.last + 1) this.receive([line]);
    else {
      this.again = setTimeout(() => this.flush(), RETRY_AFTER); // asks once more, should the socket not bring it
      if (!this.wire.isOpen) this.wire.refresh(this.last).catch(() => {});
    }
  }

  /* The reader opens the chat: a fresh token, and what the desk says of itself, once in a while. */
  arrive() {
    if (this.store.get("token") && Date.now() - (this.arrived || 0) > 300000) this.wire.begin().catch((error) => this.wire.lost(error));
    this.arrived = Date.now();
    this.wire.connect();
    this.freshen();
  }

  upload(file) {
    const form = new FormData();
    form.append("file", file, file.name || "file");
    return this.wire.ask("files", { form });
  }

  leaveMail(email) { return this.wire.ask("email", { body: { email, language } }); }

  async confirmMail(email, code) {
    const answer = await this.wire.ask("email/confirm", { body: { email, code } });
    this.store.set("email", answer.email);
    this.store.tell({ session: true });
    this.changed();
  }

  /* Files' addresses open for some hours only: lines kept from an earlier visit get new ones. */
  freshen() {
    const kept = this.sorted.slice(-KEPT_LINES);
    if (kept.some((line) => line.files.length)) this.wire.refresh(Math.max(0, kept[0].seq - 1)).catch(() => {});
  }

  stop() {
    clearTimeout(this.again);
    this.wire.stop();
    this.store.close();
    this.watchers.clear();
  }
}
