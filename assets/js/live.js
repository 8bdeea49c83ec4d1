/**
 * Live pages: the server says which record changed, the parts that show it fetch themselves again.
 *
 * `data-live="ticket:<uuid> tickets"` names what a part shows, `data-live-url` where it is had. Without
 * a WebSocket the same addresses are asked every 10 s; an ETag keeps what did not change untouched.
 */
import { announce } from "./toasts.js";
import { fetchFragment } from "./fragments.js";
import { morph } from "./partials.js";
import { tick } from "./clock.js";
import { word } from "./words.js";

const GATHER = 120;
const known = new WeakMap();

const parts = () => [...document.querySelectorAll("[data-live][data-live-url]")];
const shows = (element, topics) => element.dataset.live.split(/\s+/).some((topic) => topics.includes(topic));

/** Row id -> its text, to see what changed. */
const snapshot = (root) => new Map([...root.querySelectorAll("[data-live-row][id]")].map((row) => [row.id, row.textContent.replace(/\s+/g, " ")]));

function tint(element, before) {
  snapshot(element).forEach((text, id) => {
    if (before.get(id) === text) return;
    const row = document.getElementById(id);
    row.classList.add("is-changed");
    row.addEventListener("animationend", () => row.classList.remove("is-changed"), { once: true });
  });
}

async function apply(element, html) {
  const before = snapshot(element);
  const thread = element.closest("[data-scroll-end]");
  const atEnd = thread && thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  await morph(element, html);
  if (before.size) tint(element, before);
  if (atEnd) thread.scrollTop = thread.scrollHeight;
  tick(element);
  if (element.dataset.live.includes("ticket:")) announce(word("updated"));
  document.body.dispatchEvent(new CustomEvent("portal:refreshed", { detail: { element } }));
}

/** Rows do not move under the pointer: newcomers wait behind a button. */
function hold(element, html) {
  const incoming = new Set(html.match(/id="[^"]+" data-live-row/g) ?? []);
  const present = new Set([...element.querySelectorAll("[data-live-row][id]")].map((row) => `id="${row.id}" data-live-row`));
  const fresh = [...incoming].filter((mark) => !present.has(mark)).length;
  if (!element.matches(":hover") || !present.size || !fresh || !element.dataset.live.includes("tickets")) return false;
  element.querySelector("[data-live-held]")?.remove();
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-small held", textContent: word("fresh", { n: fresh }) });
  button.setAttribute("data-live-held", "");
  const release = () => { button.remove(); apply(element, html); };
  button.addEventListener("click", release);
  element.addEventListener("pointerleave", () => button.isConnected && release(), { once: true });
  element.prepend(button);
  return true;
}

/** Fetches one part again; a request that is under way is followed by exactly one more. */
export async function refresh(element) {
  const state = known.get(element) ?? {};
  known.set(element, state);
  if (state.busy) { state.again = true; return; }
  state.busy = true;
  const answer = await fetchFragment(element.dataset.liveUrl, state.etag);
  state.busy = false;
  if (answer.status === 200) {
    state.etag = answer.etag;
    if (!hold(element, answer.text)) await apply(element, answer.text);
  }
  if (answer.status === 403 || answer.status === 404 || answer.status === 410) element.removeAttribute("data-live");
  if (state.again) { state.again = false; refresh(element); }
}

async function refreshCounts() {
  const url = document.body.dataset.countsUrl;
  if (!url) return;
  const answer = await fetch(url, { headers: { Accept: "application/json", "X-Portal-Live": "1" }, credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  Object.entries(await answer.json()).forEach(([key, count]) => {
    document.querySelectorAll(`[data-count="${CSS.escape(key)}"]`).forEach((place) => {
      place.textContent = count || "";
      place.hidden = !count;
    });
  });
}

/** Everything at once: after a lost connection, or when polling. */
export function refreshAll() {
  parts().forEach(refresh);
  refreshCounts();
}

let waiting = new Set();

/** @param {string} name such as `ticket.changed` @param {{id?: string}} detail */
export function onServerEvent(name, detail = {}) {
  document.body.dispatchEvent(new CustomEvent(`portal:${name}`, { detail }));
  const noun = name.split(".")[0];
  const topics = noun === "counts" ? ["counts"] : [`${noun}s`, `${noun}:${detail.id ?? ""}`];
  if (!waiting.size) setTimeout(flush, GATHER);
  topics.forEach((topic) => waiting.add(topic));
}

function flush() {
  const topics = [...waiting];
  waiting = new Set();
  parts().filter((element) => shows(element, topics)).forEach(refresh);
  if (topics.includes("counts") || topics.includes("notifications")) refreshCounts();
}

/** A countdown that reached its time: look again even if no event comes. */
export function startLive() {
  document.body.addEventListener("portal:due", (event) => {
    const element = event.target.closest("[data-live][data-live-url]");
    if (element) setTimeout(() => refresh(element), 1500);
  });
}
