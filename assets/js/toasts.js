/** Toasts confirm; they leave after 6 s and wait while pointed at or focused. Errors are never toasts. */
const STAY = 6000;
const region = document.querySelector("[data-toasts]");
const template = document.querySelector("[data-toast-template]");

function dismiss(item) {
  item.classList.add("is-leaving");
  setTimeout(() => item.remove(), 130);
}

function run(item) {
  let timer = setTimeout(() => dismiss(item), STAY);
  const hold = () => clearTimeout(timer);
  const go = () => { hold(); timer = setTimeout(() => dismiss(item), STAY / 2); };
  item.addEventListener("pointerenter", hold);
  item.addEventListener("focusin", hold);
  item.addEventListener("pointerleave", go);
  item.addEventListener("focusout", go);
  item.querySelector("[data-toast-close]")?.addEventListener("click", () => dismiss(item));
}

/** Shows `text` as a confirmation. */
export function toast(text) {
  if (!region || !template) return;
  const item = template.content.firstElementChild.cloneNode(true);
  item.querySelector(".toast-text").textContent = text;
  region.append(item);
  run(item);
}

/** Says `text` to screen readers only. */
export function announce(text) {
  const live = document.querySelector("[data-announce]");
  if (live) live.textContent = text;
}

/** Toasts that came with the page, and `data-toast` in what HTMX brought. */
export function startToasts() {
  region?.querySelectorAll("[data-toast-item]").forEach(run);
  document.body.addEventListener("htmx:after:swap", () => {
    document.querySelectorAll("[data-toast]").forEach((element) => {
      toast(element.dataset.toast);
      element.removeAttribute("data-toast");
    });
  });
}
