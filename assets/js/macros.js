/** A macro chosen from the menu: its text goes into the answer, where it can be changed; sending makes its changes. */
function insert(place) {
  const field = document.getElementById(place.dataset.insert);
  const text = place.value;
  place.remove();
  if (!field || !text) return;
  const { selectionStart: start, selectionEnd: end, value } = field;
  field.setRangeText((start && !value.slice(0, start).endsWith("\n") ? "\n\n" : "") + text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

export function startMacros() {
  document.body.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-insert]").forEach(insert));
  document.addEventListener("click", (event) => event.target.closest("[data-macro-drop]")?.closest("#answer-macro").replaceChildren());
}
