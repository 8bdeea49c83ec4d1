/** What is cut says itself in full. */
const CUT = ".cell-link, .cell-line, .list-row-title, .queue-title, .truncate, .next-text, .cell-sub";

/** A title only where text is really cut: rows stay short on the wire. */
function nameInFull({ target }) {
  const element = target.closest?.(CUT);
  if (element && !element.title && element.scrollWidth > element.clientWidth) element.title = element.textContent.trim();
}

export function startShortcuts() {
  document.addEventListener("pointerover", nameInFull);
}
