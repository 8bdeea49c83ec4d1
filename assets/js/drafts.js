/** What is typed into `textarea[data-draft]` stays on the device until its form was sent. */
import { word } from "./words.js";

const SENT = "portal-sent";
const key = (field) => `portal-draft:${field.dataset.draft}`;

/** Storage may be full or forbidden; drafts are a comfort, never a reason to fail. */
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}

const keep = (field) => attempt(() => (field.value.trim() ? localStorage.setItem(key(field), field.value) : localStorage.removeItem(key(field))));

function tell(field, text) {
  const place = field.form?.querySelector("[data-draft-state]");
  if (place) place.textContent = text;
}

function restore(field) {
  const kept = attempt(() => localStorage.getItem(key(field)));
  if (!kept || field.value) return;
  field.value = kept;
  tell(field, word("draft"));
}

/** The last page sent these; being signed in and without errors means they arrived. */
function forgetSent() {
  const sent = attempt(() => JSON.parse(sessionStorage.getItem(SENT) ?? "[]")) ?? [];
  attempt(() => sessionStorage.removeItem(SENT));
  if (!document.body.hasAttribute("data-signed-in") || document.querySelector('[data-error-summary], [data-draft][aria-invalid="true"]')) return;
  sent.forEach((name) => attempt(() => localStorage.removeItem(name)));
}

export function startDrafts() {
  forgetSent();
  document.querySelectorAll("textarea[data-draft]").forEach(restore);
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("textarea[data-draft]")) return;
    keep(event.target);
    tell(event.target, event.target.value ? word("draft") : "");
  });
  document.addEventListener("submit", (event) => {
    const names = [...event.target.querySelectorAll("textarea[data-draft]")].map(key);
    if (names.length && !event.defaultPrevented) attempt(() => sessionStorage.setItem(SENT, JSON.stringify(names)));
  });
  document.body.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status >= 400 || ctx.request.method === "GET") return;
    ctx.sourceElement?.querySelectorAll?.("textarea[data-draft]").forEach((field) => attempt(() => localStorage.removeItem(key(field))));
  });
}
