/** Pages of staff: everything customers have, and searching fields, palette, a thread that opens at its end. */
import "./app.js";
import { startBulk } from "./bulk.js";
import { startComboboxes } from "./combobox.js";
import { startMacros } from "./macros.js";
import { startMentions } from "./mentions.js";
import { startPalette } from "./palette.js";
import { startPresence } from "./presence.js";
import { startQueueKeys } from "./queue_keys.js";

startComboboxes();
startPalette();
startMacros();
startMentions();
startPresence();
startBulk();
startQueueKeys();
document.querySelectorAll("[data-scroll-end]").forEach((element) => (element.scrollTop = element.scrollHeight));
