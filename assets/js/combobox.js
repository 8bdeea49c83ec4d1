/** A field that asks the server after two letters; arrows choose, Enter takes, Esc closes. */
import { fetchFragment } from "./fragments.js";
import { word } from "./words.js";

const ENOUGH = 2;
const PAUSE = 200;

/**
 * The server answers `<button role="option" data-value="…">Text</button>` lines.
 * @param {HTMLElement} root holds the input and the list
 * @param {(option: HTMLElement) => void} take what to do with the chosen one
 */
export function listen(root, input, list, url, take) {
  let timer;
  const options = () => [...list.querySelectorAll('[role="option"]')];
  const close = () => { input.setAttribute("aria-expanded", "false"); if (list.matches(":popover-open")) list.hidePopover(); };
  const choose = (option) => { options().forEach((one) => one.setAttribute("aria-selected", String(one === option))); option?.scrollIntoView({ block: "nearest" }); if (option?.id) input.setAttribute("aria-activedescendant", option.id); };
  async function ask() {
    const text = input.value.trim();
    if (text.length < ENOUGH) return close();
    const address = new URL(url, location.href);
    address.searchParams.set("q", text);
    const answer = await fetchFragment(address.href);
    if (answer.text === undefined || input.value.trim() !== text) return;
    list.innerHTML = answer.text;
    if (!options().length) list.textContent = word("none");
    options().forEach((option, index) => (option.id = `${list.id}-${index}`));
    input.setAttribute("aria-expanded", "true");
    if (list.popover && !list.matches(":popover-open")) list.showPopover({ source: input });
    choose(options()[0]);
  }
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("blur", () => setTimeout(() => root.contains(document.activeElement) || close(), 150));
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
    else if (event.key === "Enter" && all[at]) take(all[at]);
    else if (event.key === "Escape" && list.matches(":popover-open")) close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => { const option = event.target.closest('[role="option"]'); if (option) { take(option); close(); } });
}

export function startComboboxes() {
  document.querySelectorAll("[data-combobox]").forEach((root) => {
    const input = root.querySelector("[role=combobox]");
    const value = root.querySelector("[data-combobox-value]");
    const list = document.getElementById(input.getAttribute("aria-controls"));
    listen(root, input, list, root.dataset.url, (option) => {
      input.value = option.dataset.text ?? option.textContent.trim();
      value.value = option.dataset.value;
      value.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
}
