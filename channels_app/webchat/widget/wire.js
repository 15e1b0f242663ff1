/* The way to the desk: calls over HTTP, one socket that goes on where it stopped. Sends no cookie. */
class Refused extends Error {
  constructor(status, body) {
    super(body?.error?.message || String(status));
    this.status = status;
    this.code = body?.error?.code || "";
  }
}

class Wire {
  constructor(base, channel, store, identity) {
    this.base = base;
    this.channel = channel;
    this.store = store;
    this.identity = identity;
    this.beginning = null;
    this.socket = null;
    this.failures = 0;
    this.timer = 0;
    this.wanted = false;
    this.on = {}; // line, typing, state, renewed
  }

  async call(path, { method = "POST", body = null, form = null, token = this.store.get("token") } = {}) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(`${this.base}/widget/v1/${this.channel}/${path}`, {
      method, headers, body: form || (body && JSON.stringify(body)), credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
    });
    if (answer.status === 204) return null;
    let data = null;
    try { data = await answer.json(); } catch { /* a proxy's page */ }
    if (!answer.ok) throw new Refused(answer.status, data);
    return data;
  }

  /* A call that needs a visitor: begins a session first, and a new one when the old has ended. */
  async ask(path, options) {
    if (!this.store.get("token")) await this.begin();
    try {
      return await this.call(path, options);
    } catch (error) {
      if (error.status !== 401) throw error;
      this.ended();
      await this.begin();
      return this.call(path, options);
    }
  }

  ended() {
    this.store.forgetThread();
    this.on.renewed?.();
  }

  begin() {
    this.beginning ??= this.open().finally(() => { this.beginning = null; });
    return this.beginning;
  }

  async open() {
    const { user, proof } = this.identity;
    const body = { language, ...(user ? { user } : {}), ...(user && proof ? { proof } : {}) };
    let session = null;
    try {
      session = await this.call("session", { body });
    } catch (error) {
      if (error.status !== 401) throw error;
      this.ended();
      session = await this.call("session", { body, token: null });
    }
    const before = this.store.get("thread");
    if (before && before !== session.thread) this.ended();
    for (const name of ["token", "thread", "email"]) this.store.set(name, session[name]);
    this.store.set("desk", { name: session.name, greeting: session.greeting, answers_in: session.answers_in, max: session.max_file_bytes });
    this.on.session?.(session);
    this.store.tell({ session: true });
    return session;
  }

  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  /* Keeps a socket open from now on. */
  connect() {
    this.wanted = true;
    if (this.socket || !navigator.onLine) { this.on.state?.(); return; }
    clearTimeout(this.timer);
    const token = this.store.get("token");
    if (!token) {
      this.begin().then(() => this.connect(), (error) => this.lost(error));
      return;
    }
    const address = `${this.base.replace(/^http/, "ws")}/ws/widget/${this.channel}/?token=${encodeURIComponent(token)}&after=${this.on.after()}`;
    let opened = false;
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.onopen = () => { opened = true; this.failures = 0; this.on.state?.(); };
    socket.onmessage = (event) => {
      const said = JSON.parse(event.data);
      if (said.type === "line") this.on.lines?.([said.line]);
      if (said.type === "typing") this.on.typing?.(said.name);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (opened) this.lost(); else this.fetchInstead();
    };
  }

  /* The handshake was refused or never answered: the same question over HTTP tells why, and brings the lines. */
  async fetchInstead() {
    try {
      await this.refresh(this.on.after());
      this.lost();
    } catch (error) { this.lost(error); }
  }

  async refresh(after) {
    for (;;) {
      const page = await this.ask(`messages?after=${after}`, { method: "GET" });
      this.on.lines?.(page.results);
      if (!page.more) return;
      after = page.results.at(-1).seq;
    }
  }

  lost(error = null) {
    this.on.state?.(error);
    if (!this.wanted || error?.status === 403 || error?.status === 404) return;
    clearTimeout(this.timer);
    const wait = Math.min(30000, 500 * 2 ** this.failures) * (0.7 + Math.random() * 0.6);
    this.failures += 1;
    this.timer = setTimeout(() => this.connect(), wait);
  }

  /* The network or the reader is back: do not wait for the timer. */
  hurry() {
    this.failures = 0;
    if (this.wanted && !this.socket) this.connect();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.drop();
  }

  say(frame) { if (this.isOpen) this.socket.send(JSON.stringify(frame)); }
}
