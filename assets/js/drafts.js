/**
 * What is typed into a form with `textarea[data-draft]` is kept at the server, for its writer alone, until it was sent.
 *
 * The device keeps it only as a bridge: while there is no network or no session. Places that the server does not know
 * (see PLACES) stay on the device.
 */
import { csrfToken } from "./fragments.js";
import { word } from "./words.js";

const SENT = "portal-sent";
const QUIET = 900;
const PLACES = [
  [/^new-ticket$/, "new"],
  [/^reply-([\da-f-]{36})$/, "reply:$1"],
  [/^staff:([\da-f-]{36}):(reply|note)$/, "$2:$1"],
];
const FIELDS = ["subject", "description", "category", "priority", "message"];
const timers = new WeakMap();
const arrived = new Set();

const address = () => (location.pathname.startsWith("/admin") ? "/admin/drafts" : "/portal/drafts");
const key = (field) => `portal-draft:${field.dataset.draft}`;
const draftOf = (form) => form?.querySelector("textarea[data-draft]");

function placeOf(name) {
  const [pattern, place] = PLACES.find(([known]) => known.test(name)) ?? [];
  return place && name.replace(pattern, place);
}

/** Storage may be full or forbidden; drafts are a comfort, never a reason to fail. */
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}

const bridge = (name, values) => attempt(() => localStorage.setItem(name, JSON.stringify(values)));
const unbridge = (name) => attempt(() => localStorage.removeItem(name));

/** What an earlier version kept was the text alone. */
function bridged(field) {
  const kept = attempt(() => localStorage.getItem(key(field)));
  if (!kept) return null;
  const values = attempt(() => JSON.parse(kept));
  return values && typeof values === "object" ? values : { [field.name]: kept };
}

function typedIn(form) {
  const entries = FIELDS.filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]);
  return Object.fromEntries(entries);
}

function tell(field, text) {
  const place = field.form?.querySelector("[data-draft-state]");
  if (place) place.textContent = text;
}

/** @returns {Promise<boolean>} whether the server has it now */
async function send(place, values, keepalive = false) {
  const body = new URLSearchParams({ ...values, place });
  const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
  const answer = await fetch(address(), { method: "POST", body, headers, keepalive, credentials: "same-origin" }).catch(() => null);
  return answer?.status === 204;
}

async function keep(form, keepalive = false) {
  const field = draftOf(form);
  const place = field && placeOf(field.dataset.draft);
  clearTimeout(timers.get(form));
  timers.delete(form);
  if (!field || form.hasAttribute("data-busy")) return;
  const values = typedIn(form);
  if (place && (await send(place, values, keepalive))) unbridge(key(field));
  else if (field.value.trim()) bridge(key(field), values);
  else unbridge(key(field));
  tell(field, field.value.trim() ? word("draft") : "");
}

function later(form) {
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => keep(form), QUIET));
}

function fill(field, values) {
  if (field.value) return;
  Object.entries(values).forEach(([name, value]) => {
    const target = field.form?.elements[name];
    if (target && FIELDS.includes(name) && (!target.value || target.matches("select"))) target.value = value;
  });
  if (field.value) tell(field, word("draft"));
}

async function restore(field) {
  const kept = bridged(field);
  const place = placeOf(field.dataset.draft);
  // What was being kept while the form was sent may have come after it.
  if (arrived.has(key(field))) return void (place && send(place, {}));
  if (kept) {
    fill(field, kept);
    if (place && field.form) keep(field.form);
    return;
  }
  if (!place || field.value || !document.body.hasAttribute("data-signed-in")) return;
  const headers = { "HX-Request": "true", Accept: "application/json" };
  const answer = await fetch(`${address()}?place=${encodeURIComponent(place)}`, { headers, credentials: "same-origin" }).catch(() => null);
  if (answer?.ok && !answer.redirected) fill(field, (await answer.json()).fields);
}

/** The last page sent these; being signed in and without errors means they arrived. */
function forgetSent() {
  const sent = attempt(() => JSON.parse(sessionStorage.getItem(SENT) ?? "[]")) ?? [];
  attempt(() => sessionStorage.removeItem(SENT));
  if (!document.body.hasAttribute("data-signed-in") || document.querySelector('[data-error-summary], [data-draft][aria-invalid="true"]')) return;
  sent.forEach((name) => {
    unbridge(name);
    arrived.add(name);
  });
}

function remember(form) {
  const field = draftOf(form);
  if (!field) return;
  clearTimeout(timers.get(form));
  timers.delete(form);
  // The session may be over by the time it arrives: then this is what is left of it.
  bridge(key(field), typedIn(form));
  attempt(() => sessionStorage.setItem(SENT, JSON.stringify([key(field)])));
}

export function startDrafts() {
  forgetSent();
  document.querySelectorAll("textarea[data-draft]").forEach(restore);
  document.addEventListener("input", ({ target }) => {
    if (draftOf(target.form) && FIELDS.includes(target.name)) later(target.form);
  });
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) remember(event.target);
  });
  addEventListener("pagehide", () => {
    document.querySelectorAll("textarea[data-draft]").forEach(({ form }) => form && timers.has(form) && keep(form, true));
  });
  document.body.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status >= 400 || ctx.request.method === "GET") return;
    ctx.sourceElement?.querySelectorAll?.("textarea[data-draft]").forEach((field) => unbridge(key(field)));
  });
}
