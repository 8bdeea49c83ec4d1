/** Pages of staff: everything customers have, and searching fields, palette, a thread that opens at its end. */
import "./app.js";
import { startComboboxes } from "./combobox.js";
import { startPalette } from "./palette.js";

startComboboxes();
startPalette();
document.querySelectorAll("[data-scroll-end]").forEach((element) => (element.scrollTop = element.scrollHeight));
