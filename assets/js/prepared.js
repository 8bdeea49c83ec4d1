/** `[data-insert]` puts its text into the field `data-insert-into`, where the caret stands; it stays to be edited. */
export function startPrepared() {
  document.addEventListener("click", (event) => {
    const item = event.target.closest("[data-insert]");
    const field = item && document.getElementById(item.dataset.insertInto);
    if (!field) return;
    item.closest("[popover]")?.hidePopover();
    const apart = field.value && !/\s$/.test(field.value.slice(0, field.selectionStart)) ? "\n" : "";
    field.setRangeText(apart + item.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
