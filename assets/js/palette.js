/** Command palette of the back office: Ctrl or Cmd + K; searches, goes, does. */
import { listen } from "./combobox.js";
import { openDialog } from "./overlays.js";

export function startPalette() {
  const palette = document.querySelector("[data-palette]");
  if (!palette) return;
  const input = palette.querySelector("input");
  const list = palette.querySelector("[role=listbox]");
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    openDialog(palette.id);
    input.select();
  });
  listen(palette, input, list, palette.dataset.url, (option) => option.dataset.href && location.assign(option.dataset.href));
}
