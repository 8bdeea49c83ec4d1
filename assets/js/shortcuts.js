/** `/` goes to the search of the page; what is cut says itself in full. */
const writing = (element) => element?.closest?.("input, textarea, select, [contenteditable]");

const CUT = ".cell-link, .cell-line, .list-row-title, .queue-title, .truncate, .next-text, .cell-sub";

/** A title only where text is really cut: rows stay short on the wire. */
function nameInFull({ target }) {
  const element = target.closest?.(CUT);
  if (element && !element.title && element.scrollWidth > element.clientWidth) element.title = element.textContent.trim();
}

export function startShortcuts() {
  document.addEventListener("pointerover", nameInFull);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
    const search = [...document.querySelectorAll("[data-shortcut='/'], .filters .search input")].find((input) => input.checkVisibility());
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
}
