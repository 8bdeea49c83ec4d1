/** `@` in an internal note offers the team; arrows choose, Enter or Tab takes, Esc closes. */
import { fetchFragment } from "./fragments.js";

const TYPED = /(?:^|[\s(])@([\p{L}\p{M}'’-]*(?: [\p{L}\p{M}'’-]*)?)$/u;

export function startMentions() {
  const list = document.querySelector("[data-mentions]");
  const field = document.getElementById("answer-note");
  if (!list || !field) return;
  let people;
  const typed = () => TYPED.exec(field.value.slice(0, field.selectionStart))?.[1];
  const shown = () => [...list.children].filter((option) => !option.hidden);
  const chosen = () => shown().find((option) => option.getAttribute("aria-selected") === "true");
  const choose = (option) => shown().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
  const close = () => list.matches(":popover-open") && list.hidePopover();
  async function offer() {
    if (typed() === undefined) return close();
    people ??= fetchFragment(list.dataset.mentions).then(({ text }) => { list.innerHTML = text ?? ""; });
    await people;
    const begun = typed()?.toLocaleLowerCase();
    if (begun === undefined) return close();
    [...list.children].forEach((option) => (option.hidden = !option.dataset.value.toLocaleLowerCase().startsWith(begun)));
    if (!shown().length) return close();
    choose(shown()[0]);
    if (!list.matches(":popover-open")) list.showPopover({ source: field });
  }
  function take(option) {
    const at = field.selectionStart;
    field.setRangeText(`${option.dataset.value} `, at - typed().length, at, "end");
    close();
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  field.addEventListener("input", offer);
  field.addEventListener("blur", () => setTimeout(() => list.contains(document.activeElement) || close(), 150));
  field.addEventListener("keydown", (event) => {
    if (!list.matches(":popover-open") || event.ctrlKey || event.metaKey) return;
    const all = shown();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
    else if ((event.key === "Enter" || event.key === "Tab") && all[at]) take(all[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest('[role="option"]');
    if (option) take(option);
  });
}
