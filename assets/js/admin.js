/** Pages of staff: everything customers have, and searching fields, palette, a thread that opens at its end. */
import "./app.js";
import { startBulk } from "./bulk.js";
import { startComboboxes } from "./combobox.js";
import { startPalette } from "./palette.js";
import { startQueueKeys } from "./queue_keys.js";

startComboboxes();
startPalette();
startBulk();
startQueueKeys();
document.querySelectorAll("[data-scroll-end]").forEach((element) => (element.scrollTop = element.scrollHeight));
