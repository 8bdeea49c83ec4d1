/** Selecting rows: all at once, a count, the bar with what can be done; Esc clears. */
import { word } from "./words.js";

const boxes = () => [...document.querySelectorAll(".row-select")];

function show() {
  const bar = document.querySelector("[data-bulk-bar]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  const all = document.querySelector("[data-select-all]");
  bar.classList.toggle("is-open", chosen > 0);
  bar.querySelector("[data-bulk-count]").textContent = chosen ? word("selected", { n: chosen }) : "";
  if (!all) return;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

function clear() {
  boxes().forEach((box) => (box.checked = false));
  show();
}

export function startRows() {
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-select-all]")) boxes().forEach((box) => (box.checked = event.target.checked));
    if (event.target.matches?.("[data-select-all], .row-select")) show();
  });
  document.addEventListener("click", (event) => event.target.closest?.("[data-bulk-clear]") && clear());
  document.addEventListener("keydown", (event) => event.key === "Escape" && boxes().some((box) => box.checked) && clear());
  document.body.addEventListener("portal:refreshed", show);
  show();
}
