/** Forms: sent once, errors found at once, small comforts that need a script. */
import { word } from "./words.js";

function setBusy(form, submitter, busy) {
  if (busy) form.setAttribute("data-busy", "");
  else form.removeAttribute("data-busy");
  const buttons = busy ? [submitter ?? form.querySelector("button:not([type=button])")] : form.querySelectorAll('[aria-busy="true"]');
  buttons.forEach((button) => button && (busy ? button.setAttribute("aria-busy", "true") : button.removeAttribute("aria-busy")));
}

/** A second press while the first is under way does nothing. */
function guard(event) {
  const form = event.target;
  if (form.method === "dialog") return;
  if (form.hasAttribute("data-busy") || event.submitter?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.method === "post" || form.matches("[hx-post], [hx-get]")) setTimeout(() => setBusy(form, event.submitter, true));
}

const release = () => document.querySelectorAll("form[data-busy]").forEach((form) => setBusy(form, null, false));

function reveal(button) {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.setAttribute("aria-label", word(shown ? "hide" : "show"));
  button.title = word(shown ? "hide" : "show");
}

const MARKS = { bold: ["**", "**"], list: ["- ", ""], link: ["[", "](https://)"] };

/** Puts Markdown around the selection; the server renders it. */
function mark(button) {
  const field = button.closest("form").querySelector("textarea");
  const [before, after] = MARKS[button.dataset.md];
  const { selectionStart: start, selectionEnd: end, value } = field;
  field.setRangeText(before + value.slice(start, end) + after, start, end, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function onClick(event) {
  const button = event.target.closest("[data-reveal], [data-md], [data-copy]");
  if (button?.dataset.reveal) reveal(button);
  else if (button?.dataset.md) mark(button);
  else if (button?.dataset.copy) navigator.clipboard.writeText(button.dataset.copy).then(() => import("./toasts.js").then((m) => m.toast(word("copied"))));
}

function onChange(event) {
  const input = event.target;
  if (input.matches("[data-autosubmit]")) input.form.requestSubmit();
}

/** Ctrl or Cmd + Enter sends what is being written. */
function onKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.("textarea")) event.target.form?.requestSubmit();
}

/** What needs a script shows once there is one; errors take the focus. */
export function freshen(root = document) {
  root.querySelectorAll("[data-reveal][hidden], [data-md][hidden]").forEach((button) => (button.hidden = false));
  (root.querySelector("[data-error-summary]") ?? root.querySelector("[data-focus]"))?.focus();
}

export function startForms() {
  document.addEventListener("submit", guard, true);
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  document.addEventListener("keydown", onKey);
  document.body.addEventListener("htmx:finally:request", release);
  document.body.addEventListener("htmx:after:swap", (event) => freshen(event.target));
  // Back to a page the browser kept: its buttons must work again.
  window.addEventListener("pageshow", (event) => event.persisted && release());
  freshen();
}
