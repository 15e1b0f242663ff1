/* What outlives the page: token, last lines, unsent words. Each signed-in person of the host has a shelf of their own. */
const memory = new Map(); // where the browser keeps nothing for us
const disk = {
  get(key) { try { return localStorage.getItem(key) ?? memory.get(key) ?? null; } catch { return memory.get(key) ?? null; } },
  set(key, value) {
    try { localStorage.setItem(key, value); memory.delete(key); } catch { memory.set(key, value); } // full or forbidden: this page still has it
  },
  drop(key) { memory.delete(key); try { localStorage.removeItem(key); } catch { /* was never there */ } },
  keys() { try { return [...new Set([...Object.keys(localStorage), ...memory.keys()])]; } catch { return [...memory.keys()]; } },
};
const KEPT_LINES = 100;

class Store {
  constructor(channel, who) {
    this.prefix = `helpdesk.${channel}.${who}.`;
    this.heard = () => {};
    try {
      this.air = new BroadcastChannel(this.prefix);
      this.air.onmessage = (event) => this.heard(event.data);
    } catch { this.air = null; }
  }

  get(name, otherwise = null) {
    try { return JSON.parse(disk.get(this.prefix + name)) ?? otherwise; } catch { return otherwise; }
  }

  set(name, value) { disk.set(this.prefix + name, JSON.stringify(value)); }
  drop(name) { disk.drop(this.prefix + name); }
  tell(what) { this.air?.postMessage(what); }
  close() { this.air?.close(); }

  /* One entry for each unsent message: two tabs cannot overwrite each other's. */
  unsent() {
    const found = disk.keys().filter((key) => key.startsWith(`${this.prefix}q.`)).map((key) => this.get(key.slice(this.prefix.length)));
    return found.filter(Boolean).sort((a, b) => a.at - b.at);
  }
  keep(item) { this.set(`q.${item.client_id}`, item); this.tell({ queue: true }); }
  sent(clientId) { this.drop(`q.${clientId}`); this.tell({ queue: true }); }

  forgetThread() {
    for (const name of ["token", "lines", "seen", "email"]) this.drop(name);
  }
  keepLines(lines) { this.set("lines", lines.slice(-KEPT_LINES)); }
}
