/* Where it begins: reads the script's own tag, shows the launcher, talks to the desk only when there is a reason. */
const base = settings.base || (script && script.src ? new URL(script.src).origin : location.origin);
const channel = settings.channel || "";
const EMPTY = { user: null, proof: "" };

function given() {
  const user = { id: settings.userId || "", email: settings.userEmail || "", phone: settings.userPhone || "", name: settings.userName || "" };
  if (!Object.values(user).some(Boolean)) return EMPTY;
  return { user, proof: settings.proof || "" };
}

function chatOf(identity) {
  const who = identity.proof ? `u:${identity.user.id}` : "guest";
  return new Chat(base, channel, who, identity);
}

function start() {
  let chat = chatOf(given());
  const panel = new Panel(chat, { color: settings.color, theme: settings.theme });

  /* Somebody who was here before may have answers: looked for when the page has nothing better to do. */
  const lookLater = () => {
    if (!chat.isKnown) return;
    const look = () => { chat.wire.connect(); chat.flush(); };
    if (window.requestIdleCallback) requestIdleCallback(look, { timeout: 3000 }); else setTimeout(look, 1000);
  };

  const identify = (identity) => {
    chat.stop();
    chat = chatOf(identity);
    panel.follow(chat);
    if (panel.isOpen) chat.wire.connect();
    lookLater();
  };

  addEventListener("online", () => { chat.wire.hurry(); chat.flush(); chat.changed(); });
  addEventListener("offline", () => { chat.wire.drop(); chat.changed(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { chat.wire.hurry(); chat.changed(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) chat.wire.hurry(); });
  lookLater();

  window.helpdeskChat = Object.freeze({
    open: () => panel.open(),
    close: () => panel.close(),
    identify: (user, proof = "") => identify({ user, proof }),
    forget: () => identify(EMPTY),
  });
  window.dispatchEvent(new CustomEvent("helpdesk:ready"));
}

if (channel && !window.helpdeskChat) {
  if (document.body) start(); else addEventListener("DOMContentLoaded", start, { once: true });
}
