/** Files ahead of a message: chosen, dropped or pasted into a form with `data-files`, sent at once, shown as they go. */
import { csrfToken, sessionExpired } from "./fragments.js";
import { toast } from "./toasts.js";

const MOST = 10;
const listOf = (form) => form.querySelector("[data-files-list]");
const wordsOf = (form) => JSON.parse(form.dataset.filesWords ?? document.querySelector("[data-files-words]").dataset.filesWords);
const going = (form) => form.querySelectorAll("[data-files-list] progress").length;
const formOf = (target) => target.closest?.("form[data-files]");

function icon(name) {
  const sheet = document.querySelector("svg.icon use")?.getAttribute("href")?.split("#")[0];
  const drawn = document.createElement("span");
  drawn.innerHTML = `<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><use href="${sheet}#${name}"/></svg>`;
  return drawn.firstChild;
}

function part(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function quiet(label, iconName, action) {
  const button = part("button", "button button-quiet button-icon button-small");
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(icon(iconName));
  button.addEventListener("click", action);
  return button;
}

const say = (text) => (document.querySelector("[data-announce]").textContent = text);

/** Takes the file off the form, and off the server where it is there already. */
function takeOff(form, row) {
  row.request?.abort();
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (row.dataset.file) fetch(`${form.dataset.files.replace(/\/$/, "")}/${row.dataset.file}/drop`, { method: "POST", headers: { "X-CSRFToken": csrfToken() } }).catch(() => {});
  (next?.querySelector("button") ?? form.querySelector("input[type=file]"))?.focus();
  goOn(form);
}

function rowFor(form, file) {
  const row = part("li", "file-chip");
  const label = part("span", "file-open");
  label.append(icon(file.type.startsWith("image/") ? "file-image" : "file-text"), Object.assign(part("bdi", "truncate", file.name), { title: file.name }));
  const state = part("span", "meta");
  row.append(label, state, quiet(`${wordsOf(form).remove}: ${file.name}`, "x", () => takeOff(form, row)));
  return row;
}

function failed(form, row, file, text, again) {
  row.querySelector("progress")?.remove();
  row.querySelector(".meta").replaceChildren(part("span", "text-err", text));
  // The reason mostly names the file itself.
  row.querySelector(".truncate").hidden = text.includes(file.name);
  if (again) row.querySelector("button").before(quiet(`${wordsOf(form).retry}: ${file.name}`, "rotate-ccw", (event) => { event.currentTarget.remove(); send(form, row, file); }));
  say(`${file.name}: ${text}`);
}

function arrived(form, row, file, answer) {
  const id = Object.assign(document.createElement("input"), { type: "hidden", name: "attachment_ids", value: answer.id });
  row.dataset.file = answer.id;
  row.querySelector("progress")?.remove();
  row.querySelector(".truncate").textContent = answer.name;
  row.querySelector(".meta").textContent = answer.size + (answer.state === "scanning" ? ` · ${wordsOf(form).checking}` : "");
  row.append(id);
  say(`${wordsOf(form).done}: ${answer.name}`);
}

/** XMLHttpRequest, since fetch does not tell how much has gone out. */
function send(form, row, file) {
  const words = wordsOf(form);
  const bar = Object.assign(part("progress", "progress"), { max: 100, value: 0, ariaLabel: file.name });
  row.querySelector(".meta").replaceChildren(bar);
  row.querySelector(".truncate").hidden = false;
  const body = new FormData();
  body.append("file", file, file.name || "image.png");
  const request = (row.request = new XMLHttpRequest());
  request.open("POST", form.dataset.files);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = (100 * event.loaded) / event.total));
  request.addEventListener("loadend", () => {
    const { status, response } = request;
    row.request = null;
    if (!row.isConnected) return;
    if (status === 201) arrived(form, row, file, response);
    else if (status === 422) failed(form, row, file, response?.message ?? words.failed, false);
    else if (status === 413) failed(form, row, file, words.large, false);
    else failed(form, row, file, words.failed, true);
    // A session that ended answers by leading to the sign-in.
    if (status === 401 || (status === 200 && !response)) sessionExpired();
    goOn(form);
  });
  request.send(body);
}

function take(form, files) {
  const list = listOf(form);
  for (const file of files) {
    const row = rowFor(form, file);
    const full = list.querySelectorAll("progress, [name=attachment_ids]").length >= MOST;
    list.append(row);
    if (full) return failed(form, row, file, wordsOf(form).many, false);
    send(form, row, file);
  }
}

/** The message follows the last file. */
function goOn(form) {
  if (!form.waiting || going(form)) return;
  const submitter = form.waiting;
  form.waiting = null;
  if (!listOf(form).querySelector(".text-err")) form.requestSubmit(submitter.isConnected && submitter.form === form ? submitter : undefined);
}

function onSubmit(event) {
  const form = formOf(event.target);
  if (!form || !going(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  form.waiting = event.submitter ?? form;
  toast(wordsOf(form).wait);
}

function onChange(event) {
  const form = event.target.matches?.("input[type=file][name=attachments]") && formOf(event.target);
  if (!form) return;
  take(form, [...event.target.files]);
  event.target.value = "";
}

function onPaste(event) {
  const form = formOf(event.target);
  const files = [...(event.clipboardData?.files ?? [])];
  if (!form || !files.length) return;
  event.preventDefault();
  take(form, files);
}

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const zoneOf = (form) => form.querySelector("[data-dropzone], [data-composer]") ?? form.closest("[data-composer]") ?? form;

/** Dropped beside a form the browser would leave the page for the file. */
function onDrag(event) {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  const form = formOf(event.target);
  document.querySelectorAll(".is-dropping").forEach((zone) => zone !== (form && zoneOf(form)) && zone.classList.remove("is-dropping"));
  if (form && event.type === "dragover") zoneOf(form).classList.add("is-dropping");
  if (event.type !== "drop") return;
  document.querySelectorAll(".is-dropping").forEach((zone) => zone.classList.remove("is-dropping"));
  if (form) take(form, [...event.dataTransfer.files]);
}

/** What a form that came back has attached gets a button where there was a tick. */
function dress(form) {
  listOf(form)?.querySelectorAll("input[type=checkbox]").forEach((tick) => {
    const row = tick.closest("li");
    tick.type = "hidden";
    row.append(quiet(`${wordsOf(form).remove}: ${row.querySelector(".truncate").textContent}`, "x", () => takeOff(form, row)));
  });
}

function onClick(event) {
  const link = event.target.closest("a[data-preview]");
  const dialog = document.getElementById("file-preview");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const paper = link.dataset.preview === "pdf";
  const shown = paper ? document.createElement("iframe") : new Image();
  const name = link.querySelector("bdi").textContent;
  shown[paper ? "title" : "alt"] = name;
  dialog.querySelector("[data-preview-note]").hidden = !paper;
  shown.src = link.href;
  dialog.querySelector("h2").textContent = name;
  dialog.querySelector("[data-preview-download]").href = link.dataset.download;
  dialog.querySelector("[data-preview-body]").replaceChildren(shown);
  dialog.addEventListener("close", () => dialog.querySelector("[data-preview-body]").replaceChildren(), { once: true });
  dialog.showModal();
}

export function startFiles() {
  document.addEventListener("click", onClick);
  const forms = document.querySelectorAll("form[data-files]");
  if (!forms.length) return;
  forms.forEach(dress);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("change", onChange);
  document.addEventListener("paste", onPaste);
  ["dragover", "drop"].forEach((name) => document.addEventListener(name, onDrag));
}
