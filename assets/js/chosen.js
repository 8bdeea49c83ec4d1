/**
 * Rows of a customer's list get a box and a menu when there is a script: the page itself stays small.
 *
 * `data-bulk-url` on the list is where the bar with what can be done comes from; a row's menu is had below its link.
 */
import { fetchFragment } from "./fragments.js";
import { word } from "./words.js";

const MENU = "row-menu";
const chosen = new Set();
const list = () => document.querySelector("[data-bulk-url]");

function dress(row, sprite) {
  const link = row.querySelector(".cell-link");
  const place = row.querySelector(".td-number");
  if (!link || !place || place.querySelector(".row-select")) return;
  const name = place.textContent.trim();
  const value = row.id;
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "ids", value, className: "check row-select", checked: chosen.has(value) });
  box.setAttribute("form", "bulk");
  box.setAttribute("aria-label", word("choose", { t: name }));
  place.prepend(box);
  const menu = document.createElement("span");
  menu.className = "row-actions";
  menu.innerHTML = `<button type="button" class="button button-quiet button-icon" popovertarget="${MENU}"><svg class="icon" aria-hidden="true"><use href="${sprite}#ellipsis"/></svg></button>`;
  menu.firstChild.setAttribute("aria-label", word("actions", { t: name }));
  menu.firstChild.dataset.menuUrl = `${link.getAttribute("href")}/menu`;
  row.lastElementChild.append(menu);
}

function dressAll() {
  const sprite = document.querySelector("svg use")?.getAttribute("href").split("#")[0];
  if (list() && sprite) list().querySelectorAll("tr[data-live-row]").forEach((row) => dress(row, sprite));
}

async function bringBar() {
  const answer = await fetchFragment(list().dataset.bulkUrl);
  if (!answer.text || document.getElementById("bulk")) return;
  document.body.insertAdjacentHTML("beforeend", answer.text);
  document.body.dispatchEvent(new CustomEvent("portal:refreshed"));
}

function remember(box) {
  if (box.checked) chosen.add(box.value);
  else chosen.delete(box.value);
  if (chosen.size && !document.getElementById("bulk")) bringBar();
}

/** One menu for all rows: its items are those of the ticket whose button was pressed. */
async function fillMenu(button) {
  const answer = await fetchFragment(button.dataset.menuUrl);
  const menu = document.getElementById(MENU);
  if (!answer.text || !menu) return;
  menu.innerHTML = answer.text;
  menu.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
}

export function startChosen() {
  if (!list()) return;
  document.body.insertAdjacentHTML("beforeend", `<div class="menu menu-end" popover id="${MENU}" role="menu" data-menu></div>`);
  dressAll();
  document.addEventListener("change", ({ target }) => target.matches?.(".row-select") && remember(target));
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-menu-url]");
    if (!button) return;
    const menu = document.getElementById(MENU);
    menu.setAttribute("aria-label", button.getAttribute("aria-label"));
    menu.replaceChildren();
    fillMenu(button);
  }, true);
  document.addEventListener("click", ({ target }) => target.closest?.("[data-bulk-clear]") && chosen.clear());
  document.addEventListener("keydown", ({ key }) => key === "Escape" && chosen.clear());
  document.body.addEventListener("portal:refreshed", dressAll);
}
