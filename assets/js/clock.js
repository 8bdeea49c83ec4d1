/**
 * Keeps times fresh: `<time data-countdown>`, `<time data-relative>` and promise rings.
 *
 * Only what is nearer than 24 h is rewritten; the server's text stays for the rest. The device's
 * clock is corrected by the time of the answer, so a wrong clock does not make a wrong promise.
 */
import { word } from "./words.js";

const DAY = 86400;
const NEAR = 0.75;

const serverNow = Date.parse(document.querySelector('meta[name="portal-now"]')?.content ?? "");
const answered = performance.timeOrigin + (performance.getEntriesByType("navigation")[0]?.responseStart ?? 0);
const drift = Number.isNaN(serverNow) ? 0 : serverNow - answered;

/** @returns {number} milliseconds since the epoch by the server's clock */
export const now = () => Date.now() + drift;

/** @returns {string} "20 s", "4 min 05 s", "2 h 10 min"; seconds only below five minutes and where asked for */
export function span(seconds, withSeconds = false) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, "0");
  if (whole < 60) return withSeconds ? word("s", { n: whole }) : word("min", { n: 1 });
  const minutes = Math.floor(whole / 60);
  if (whole < 3600) {
    const rest = withSeconds && minutes < 5 ? ` ${word("s", { n: pad(whole % 60) })}` : "";
    return word("min", { n: minutes }) + rest;
  }
  const rest = minutes % 60;
  return word("h", { n: Math.floor(minutes / 60) }) + (rest ? ` ${word("min", { n: pad(rest) })}` : "");
}

function put(element, text) {
  if (text && element.textContent !== text) element.textContent = text;
}

function countDown(time) {
  const left = (Date.parse(time.dateTime) - now()) / 1000;
  if (left > DAY) return;
  if (left > 0) {
    put(time, word("in", { t: span(left, true) }));
  } else if (!time.hasAttribute("data-passed")) {
    time.setAttribute("data-passed", "");
    put(time, word("now"));
    // What was announced is happening: whoever shows it looks again soon.
    time.dispatchEvent(new CustomEvent("portal:due", { bubbles: true }));
  }
}

function relate(time) {
  const ago = (now() - Date.parse(time.dateTime)) / 1000;
  if (ago < 0 || ago > DAY) return;
  if (ago < 45) put(time, word("now"));
  else put(time, word("ago", { t: ago < 3600 ? span(ago) : word("h", { n: Math.floor(ago / 3600) }) }));
}

function keepPromise(promise) {
  const { due, start, prefix, format } = promise.dataset;
  const left = (Date.parse(due) - now()) / 1000;
  const over = left < 0;
  const passed = start ? (now() - Date.parse(start)) / (Date.parse(due) - Date.parse(start)) : 0;
  const text = over ? word("over", { t: span(-left, true) }) : (format ?? "{t}").replace("{t}", span(left, true));
  put(promise.querySelector(".promise-text"), prefix ? `${prefix} ${text}` : text);
  promise.querySelector(".ring circle + circle")?.setAttribute("stroke-dasharray", `${over ? 100 : Math.round(Math.min(1, passed) * 100)} 100`);
  promise.classList.toggle("promise-breached", over);
  promise.classList.toggle("promise-near", !over && passed > NEAR);
}

/** Brings every time on the page up to date. */
export function tick(root = document) {
  root.querySelectorAll("time[data-countdown]").forEach(countDown);
  root.querySelectorAll("time[data-relative]").forEach(relate);
  root.querySelectorAll("[data-promise]").forEach(keepPromise);
}

export function startClock() {
  tick();
  setInterval(() => document.hidden || tick(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}
