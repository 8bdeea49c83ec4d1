/** Dialogs, drawers and menus: native elements, with what they lack (arrow keys, a place beside the button). */
const ITEMS = '[role="menuitem"], [role="menuitemradio"], .menu-item';

/** Opens the dialog with this id; focus returns by itself when it closes. */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  return dialog;
}

async function openDrawer(opener) {
  const drawer = openDialog(opener.dataset.drawerOpen);
  const url = opener.dataset.drawerUrl ?? opener.getAttribute("href");
  if (!drawer || !url) return;
  const { fetchFragment } = await import("./fragments.js");
  const answer = await fetchFragment(url);
  if (answer.text !== undefined) drawer.querySelector("[data-drawer-body]").innerHTML = answer.text;
}

function onClick(event) {
  const opener = event.target.closest("[data-dialog-open], [data-drawer-open], [data-dialog-close]");
  if (opener?.hasAttribute("data-dialog-close")) opener.closest("dialog")?.close();
  else if (opener?.dataset.drawerOpen) { event.preventDefault(); openDrawer(opener); }
  else if (opener?.dataset.dialogOpen && openDialog(opener.dataset.dialogOpen)) event.preventDefault();
  // A press on the backdrop has the dialog itself as its target.
  if (event.target instanceof HTMLDialogElement && outside(event.target, event)) event.target.close();
}

function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

/** Where the browser cannot anchor a popover to its button, we do. */
function place(menu, opener) {
  if (CSS.supports("position-area", "block-end") || matchMedia("(width < 768px)").matches || !opener) return;
  const box = opener.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const end = menu.classList.contains("menu-end") !== (document.dir === "rtl");
  const left = end ? box.right - size.width : box.left;
  const below = box.bottom + size.height + 8 < innerHeight;
  menu.style.setProperty("left", `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`);
  menu.style.setProperty("top", `${below ? box.bottom + 4 : Math.max(8, box.top - size.height - 4)}px`);
}

function onToggle(event) {
  const menu = event.target;
  if (!menu.matches?.(".menu[popover]")) return;
  const opener = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
  opener?.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState !== "open") return;
  place(menu, opener);
  if (menu.hasAttribute("data-menu")) menu.querySelector(ITEMS)?.focus({ preventScroll: true });
}

function onKey(event) {
  const menu = event.target.closest?.(".menu[popover]");
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  if (event.target.matches("input, select, textarea")) return;
  const items = [...menu.querySelectorAll(ITEMS)];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 };
  items[next[event.key]]?.focus();
  event.preventDefault();
}

export function startOverlays() {
  document.addEventListener("click", onClick);
  document.addEventListener("toggle", onToggle, true);
  document.addEventListener("keydown", onKey);
}
