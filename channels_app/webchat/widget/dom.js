/* Making elements. Words of people only ever become text nodes. */
function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const PATHS = {
  chat: "M4 5.5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-8.5L7 21v-3.500H4a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1Z M8 10h8 M8 13.500h5",
  down: "m6 9 6 6 6-6",
  close: "M6 6l12 12 M18 6 6 18",
  clip: "m20 11.500-8.300 8.300a5 5 0 0 1-7.100-7.100l8.600-8.600a3.400 3.400 0 0 1 4.800 4.800l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400l7.700-7.700",
  send: "M4.500 12 3.500 4.500 21 12 3.500 19.500 4.500 12Zm0 0H12",
  check: "m5 12.500 4.500 4.500L19 7.500",
  clock: "M12 7v5l3 2 M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  file: "M13 3H6.500A1.500 1.500 0 0 0 5 4.500v15A1.500 1.500 0 0 0 6.500 21h11a1.500 1.500 0 0 0 1.500-1.500V9l-6-6Zm0 0v6h6",
  mail: "M3.500 6h17v12h-17V6Zm0 .5 8.500 7 8.500-7",
};
const SVG = "http://www.w3.org/2000/svg";

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/* Addresses become links; nothing but http and https, and never with what a sentence ends with. */
const LINK = /https?:\/\/[^\s<>"'“”]{3,2000}/gi;
function linked(text) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(LINK)) {
    let address = found[0].replace(/[.,;:!?…]+$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
    let safe = null;
    try { safe = new URL(address); } catch { continue; }
    if (safe.protocol !== "https:" && safe.protocol !== "http:") continue;
    nodes.push(text.slice(at, found.index), el("a", { href: safe.href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, address));
    at = found.index + address.length;
  }
  nodes.push(text.slice(at));
  return nodes.filter((node) => node !== "");
}

const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1e6).toFixed(1)} MB`);
const clock = (at) => new Date(at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
const uuid = () =>
  crypto.randomUUID
    ? crypto.randomUUID()
    : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
