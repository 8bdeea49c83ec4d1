/** Every page of customers: small parts, each of which a page can do without. */
import { startClock } from "./clock.js";
import { startDrafts } from "./drafts.js";
import { startFiles } from "./files.js";
import { startForms } from "./forms.js";
import { startLive } from "./live.js";
import { startOverlays } from "./overlays.js";
import { startPartials } from "./partials.js";
import { startPasskeys } from "./passkeys.js";
import { startPreferences } from "./preferences.js";
import { startRows } from "./rows.js";
import { startShortcuts } from "./shortcuts.js";
import { startSocket } from "./socket.js";
import { startToasts } from "./toasts.js";

startPartials();
startOverlays();
startFiles();
startForms();
startDrafts();
startClock();
startToasts();
startPasskeys();
startPreferences();
startRows();
startShortcuts();
startLive();
startSocket();
document.documentElement.setAttribute("data-ready", "");
