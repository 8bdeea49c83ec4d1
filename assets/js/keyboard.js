/**
 * Keys for everything people do often; silent inside fields, with modifier keys, behind dialogs, and once switched off.
 *
 * A page names its own: `data-shortcut="c"` on a link or button presses it, on a field goes into it;
 * `data-shortcut-label` says in the help what it does. `j`, `k`, `x` move along rows (`data-live-row`), `?` helps.
 */
import { fetchFragment } from "./fragments.js";
import { openDialog } from "./overlays.js";

const HELP = "shortcuts-help";
const FIELD = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable], [role=combobox]";
const staff = location.pathname.startsWith("/admin");

const shown = (element) => element.checkVisibility?.() ?? true;
const find = (selector) => [...document.querySelectorAll(selector)].find(shown);
const rows = () => [...document.querySelectorAll("[data-live-row]")].filter(shown);
const linkOf = (row) => row.querySelector("a.cell-link, a.queue-link, a[href]");

function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  if (!next) return false;
  linkOf(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function choose() {
  const row = document.activeElement?.closest?.("[data-live-row]");
  const box = row?.querySelector("input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

function press(element) {
  if (element.matches(FIELD)) {
    element.focus();
    element.select?.();
  } else element.click();
  return true;
}

/** What every page knows without saying so. */
const STANDING = {
  "/": () => find("[data-shortcut='/'], .filters .search input"),
  r: () => find("[data-composer] textarea"),
  c: () => !staff && find(".nav-item[href$='/portal/tickets']") && { go: "/portal/tickets/new" },
};

function run(key) {
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (key === "x") return choose();
  if (key === "?") return help();
  const target = find(`[data-shortcut="${CSS.escape(key)}"]`) ?? STANDING[key]?.();
  if (target?.go) location.assign(target.go);
  return target ? Boolean(target.go) || press(target) : false;
}

/** The page's own keys, below those that hold everywhere. */
function ownKeys(list) {
  document.querySelectorAll("[data-shortcut][data-shortcut-label]").forEach((element) => {
    const row = list.querySelector("[data-key]").cloneNode(true);
    row.querySelector("kbd").textContent = element.dataset.shortcut;
    row.querySelector("[data-key-label]").textContent = element.dataset.shortcutLabel;
    list.append(row);
  });
}

function help() {
  if (openDialog(HELP)) return true;
  fetchFragment(staff ? "/admin/preferences/keyboard" : "/portal/keyboard").then(({ text }) => {
    if (!text || document.getElementById(HELP)) return;
    document.body.insertAdjacentHTML("beforeend", text);
    const list = document.querySelector(`#${HELP} [data-keys]`);
    if (list) ownKeys(list);
    openDialog(HELP);
  });
  return true;
}

function onKey(event) {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || key.length !== 1) return;
  if (target.closest?.(FIELD) || document.querySelector("dialog[open]") || document.querySelector(":popover-open")) return;
  if (run(key)) event.preventDefault();
}

export function startKeyboard() {
  // Switching it off leaves what the browser does by itself: Tab, Enter, Escape.
  if (document.body.hasAttribute("data-no-shortcuts")) return;
  document.addEventListener("keydown", onKey);
}
