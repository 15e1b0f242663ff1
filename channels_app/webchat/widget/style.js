/* One constructable sheet: a page whose policy forbids inline styles shows it all the same. */
const CSS_TEXT = `
:host { all: initial !important; position: fixed !important; inset: auto 0 0 auto !important; width: 0 !important; height: 0 !important;
  z-index: 2147483000 !important; display: block !important; }
:host, .frame { --accent: #0b6b62; --on-accent: #fff; --surface: #fff; --sunken: #f4f6f5; --text: #16201f; --quiet: #5a6665; --line: #e2e6e5;
  --edge: #859390; --fault: #a11a57; --bubble: #eef1f0; --shadow: 0 12px 40px rgb(16 32 30 / 20%), 0 2px 6px rgb(16 32 30 / 12%); }
.frame { font: 400 15px/1.47 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  color: var(--text); color-scheme: light; -webkit-text-size-adjust: 100%; text-align: start; }
.frame.dark { --accent: #54c2b3; --on-accent: #06201d; --surface: #161a1b; --sunken: #101314; --text: #e7ecea; --quiet: #9ba8a6; --line: #2a3132;
  --edge: #667472; --fault: #f08ab5; --bubble: #242b2c; --shadow: 0 12px 40px rgb(0 0 0 / 55%), 0 0 0 1px #2a3132; color-scheme: dark; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button, input, textarea { font: inherit; color: inherit; margin: 0; }
button { cursor: pointer; border: 0; background: none; padding: 0; touch-action: manipulation; }
button:disabled { cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; display: block; }
.hide { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launcher { position: fixed; inset-inline-end: 20px; bottom: calc(20px + env(safe-area-inset-bottom, 0px)); width: 56px; height: 56px; border-radius: 50%;
  background: var(--accent); color: var(--on-accent); display: grid; place-items: center; box-shadow: 0 4px 16px rgb(16 32 30 / 28%); transition: transform 120ms ease; }
.launcher:hover { transform: scale(1.05); }
.launcher:focus-visible { outline-offset: 3px; }
.launcher svg { width: 28px; height: 28px; }
.badge { position: absolute; inset-block-start: -3px; inset-inline-end: -3px; min-width: 22px; height: 22px; border-radius: 11px; padding: 0 6px;
  background: #b8231a; color: #fff; font-size: 12px; font-weight: 700; line-height: 22px; text-align: center; box-shadow: 0 0 0 2px var(--surface); }

.panel { position: fixed; inset-inline-end: 20px; bottom: calc(88px + env(safe-area-inset-bottom, 0px)); width: 384px; height: min(640px, calc(100vh - 108px));
  display: flex; flex-direction: column; background: var(--surface); border-radius: 14px; box-shadow: var(--shadow); overflow: hidden;
  transform-origin: bottom right; animation: rise 120ms ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(8px) scale(.985); } }
.head { display: flex; align-items: center; gap: 12px; padding: 10px 8px 10px 18px; background: var(--accent); color: var(--on-accent); flex: none; }
.dark .head { background: #1f2526; color: var(--text); border-block-end: 1px solid var(--line); }
.head-words { flex: 1; min-width: 0; }
.title { font-size: 16px; font-weight: 650; margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.status { font-size: 13px; margin: 0; opacity: .9; }
.icon { width: 44px; height: 44px; display: grid; place-items: center; border-radius: 10px; flex: none; }
.head .icon:hover { background: rgb(127 127 127 / 22%); }
.head :focus-visible { outline-color: currentColor; outline-offset: -4px; }
.notice { flex: none; margin: 0; padding: 8px 18px; font-size: 13px; background: var(--sunken); color: var(--quiet); border-block-end: 1px solid var(--line); }

.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px 14px 8px; display: flex; flex-direction: column; gap: 2px; scrollbar-width: thin; }
.day { align-self: center; font-size: 12px; color: var(--quiet); padding: 10px 0 6px; }
.item { display: flex; flex-direction: column; max-width: 84%; align-self: flex-start; align-items: flex-start; }
.item.mine { align-self: flex-end; align-items: flex-end; }
.item.first { margin-block-start: 10px; }
.who { font-size: 12px; color: var(--quiet); padding: 0 4px 3px; }
.bubble { padding: 9px 13px; border-radius: 16px; background: var(--bubble); white-space: pre-wrap; overflow-wrap: anywhere; }
.mine .bubble { background: var(--accent); color: var(--on-accent); }
.item.last .bubble:last-of-type { border-end-start-radius: 5px; }
.item.mine.last .bubble:last-of-type { border-end-start-radius: 16px; border-end-end-radius: 5px; }
.bubble a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
.waiting .bubble, .waiting .picture { opacity: .72; }
.foot { font-size: 12px; color: var(--quiet); padding: 3px 4px 0; display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
.foot svg { width: 14px; height: 14px; stroke-width: 2.4; }
.foot.bad { color: var(--fault); }
.link { color: var(--accent); font-weight: 600; min-height: 44px; min-width: 44px; padding: 0 6px; margin-block: -10px; border-radius: 6px; }
.bad .link { color: inherit; text-decoration: underline; }
.picture { display: block; border-radius: 14px; overflow: hidden; border: 1px solid var(--line); background: var(--sunken); margin-block: 2px; min-height: 44px; }
.picture img { display: block; max-width: 240px; max-height: 240px; width: auto; height: auto; }
.file { display: flex; align-items: center; gap: 8px; min-height: 44px; padding: 6px 12px; border: 1px solid var(--line); border-radius: 12px; margin-block: 2px;
  color: var(--text); background: var(--surface); text-decoration: none; font-size: 14px; max-width: 100%; }
.file span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.file small { color: var(--quiet); flex: none; }
.file svg { width: 18px; height: 18px; flex: none; }
.typing { align-self: flex-start; margin-block-start: 8px; display: flex; gap: 8px; align-items: center; font-size: 12px; color: var(--quiet); min-height: 34px; }
.dots { display: flex; gap: 4px; padding: 12px 13px; background: var(--bubble); border-radius: 16px; }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--quiet); animation: dot 1.2s infinite ease-in-out; }
.dots i:nth-child(2) { animation-delay: .15s; } .dots i:nth-child(3) { animation-delay: .3s; }
@keyframes dot { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
.newest { position: absolute; inset-inline: 0; margin: auto; bottom: 84px; width: 44px; height: 44px; border-radius: 50%; background: var(--surface);
  box-shadow: var(--shadow); display: grid; place-items: center; color: var(--accent); }

.mail { flex: none; border-block-start: 1px solid var(--line); padding: 2px 14px; font-size: 13px; color: var(--quiet); }
.mail form { display: flex; gap: 8px; padding: 4px 0 10px; flex-wrap: wrap; }
.mail label { flex: 1 1 100%; padding-block-start: 6px; color: var(--text); overflow-wrap: anywhere; }
.mail input { flex: 1; min-width: 0; min-height: 44px; padding: 0 12px; border: 1px solid var(--edge); border-radius: 10px; background: var(--surface); font-size: 16px; }
.mail .go { min-height: 44px; padding: 0 14px; border-radius: 10px; background: var(--accent); color: var(--on-accent); font-weight: 600; }
.mail .ask { display: flex; gap: 8px; align-items: center; min-height: 44px; color: var(--accent); font-weight: 600; text-align: start; }
.mail .ask svg { width: 18px; height: 18px; flex: none; }
.mail p { margin: 0; padding: 10px 0; overflow-wrap: anywhere; }
.mail .bad { flex: 1 1 100%; color: var(--fault); padding: 0; }

.tray { flex: none; display: flex; gap: 8px; padding: 8px 14px; overflow-x: auto; border-block-start: 1px solid var(--line); }
.chip { display: flex; align-items: center; gap: 6px; border: 1px solid var(--line); border-radius: 10px; padding-inline-start: 10px; font-size: 13px; max-width: 220px; flex: none; }
.chip span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chip img { width: 36px; height: 36px; object-fit: cover; border-radius: 6px; }
.chip.busy { opacity: .6; }
.chip.bad { color: var(--fault); border-color: currentColor; }
.chip svg { width: 18px; height: 18px; }
.composer { flex: none; display: flex; align-items: flex-end; gap: 2px; padding: 8px; border-block-start: 1px solid var(--line); background: var(--surface); }
.composer textarea { flex: 1; min-width: 0; resize: none; border: 0; background: none; padding: 11px 4px; min-height: 44px; max-height: 132px; font-size: 16px; line-height: 22px; outline: none; }
.composer textarea::placeholder { color: var(--quiet); opacity: 1; }
.composer:focus-within { box-shadow: inset 0 2px 0 var(--accent); }
.composer .icon { color: var(--quiet); }
.composer .icon:hover { background: var(--sunken); }
.composer .send { color: var(--accent); }
.composer .send:disabled { color: var(--quiet); opacity: .6; }
.error { flex: none; margin: 0; padding: 8px 18px; font-size: 13px; color: var(--fault); }
.dropping::after { content: attr(data-drop); position: absolute; inset: 8px; display: grid; place-items: center; border: 2px dashed var(--accent); border-radius: 10px;
  background: var(--surface); opacity: .94; font-weight: 600; }

@media (max-width: 480px) {
  .panel { inset: 0 0 auto 0; width: auto; height: var(--screen, 100dvh); border-radius: 0; padding-block-end: env(safe-area-inset-bottom, 0px); }
  .frame.opened .launcher { display: none; }
}
@media (max-height: 420px) and (min-width: 481px) { .panel { bottom: 8px; inset-inline-end: 88px; height: calc(100vh - 16px); } }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } .dots i { opacity: .7; } }
@media (forced-colors: active) { .launcher, .bubble, .panel { border: 1px solid; } }
@media print { .frame { display: none; } }
`;
