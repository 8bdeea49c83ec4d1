/** Changing selected tickets in steps of a hundred, with the progress on view; the form alone does it at once. */
import { fetchFragment } from "./fragments.js";
import { refreshAll } from "./live.js";

const STEP = 100;
const JSON_ONLY = { headers: { Accept: "application/json" }, credentials: "same-origin" };

async function chosenIds(form) {
  if (!form.elements.whole?.checked) return new FormData(form).getAll("ids");
  const answer = await fetch(form.dataset.bulkIds, JSON_ONLY);
  return answer.ok ? (await answer.json()).ids : [];
}

/** One step; undefined where it did not work, which the form's own way then tells. */
async function send(form, ids, change) {
  const body = new FormData(form);
  body.delete("ids");
  body.delete("whole");
  ids.forEach((id) => body.append("ids", id));
  if (change) body.set("change", change);
  const answer = await fetch(form.action, { ...JSON_ONLY, method: "POST", body }).catch(() => undefined);
  return answer?.ok ? answer.json() : undefined;
}

async function run(form) {
  const ids = await chosenIds(form);
  const progress = form.querySelector("progress");
  let done;
  if (progress) Object.assign(progress, { hidden: ids.length <= STEP, max: ids.length, value: 0 });
  for (let at = 0; at < ids.length; at += STEP) {
    const next = await send(form, ids.slice(at, at + STEP), done?.id);
    if (!next) break;
    done = next;
    if (progress) progress.value = at + STEP;
  }
  return done;
}

async function tell(form, done) {
  const answer = await fetchFragment(done.address);
  if (answer.text === undefined) { location.assign(done.address); return; }
  const place = document.createElement("div");
  place.setAttribute("data-bulk-told", "");
  place.innerHTML = answer.text;
  form.after(place);
  form.querySelector("[data-bulk-clear]")?.click();
  if (form.elements.whole) form.elements.whole.checked = false;
  place.querySelector("button, a")?.focus();
  refreshAll();
}

const chosen = new Set();
const boxes = () => [...document.querySelectorAll(".row-select")];
const remember = () => boxes().forEach((box) => (box.checked ? chosen.add(box.value) : chosen.delete(box.value)));

/** A list that refreshed itself has forgotten what was selected in it. */
function selectAgain() {
  const all = boxes();
  all.forEach((box) => (box.checked = chosen.has(box.value)));
  all[0]?.dispatchEvent(new Event("change", { bubbles: true }));
}

function keepSelection() {
  document.addEventListener("change", (event) => event.target.matches?.(".row-select, [data-select-all]") && remember());
  document.addEventListener("click", (event) => event.target.closest?.("[data-bulk-clear]") && chosen.clear());
  document.addEventListener("keydown", (event) => event.key === "Escape" && chosen.clear());
  document.body.addEventListener("portal:refreshed", selectAgain);
}

export function startBulk() {
  if (!document.querySelector("[data-bulk-form]")) return;
  keepSelection();
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches?.("[data-bulk-form]") || form.hasAttribute("data-plain")) return;
    event.preventDefault();
    document.querySelectorAll("[data-bulk-told]").forEach((old) => old.remove());
    const done = await run(form);
    form.removeAttribute("data-busy");
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    if (done) { await tell(form, done); return; }
    // The page of the plain form says what is wrong.
    form.setAttribute("data-plain", "");
    form.submit();
  });
}
