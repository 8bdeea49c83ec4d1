/**
 * What the queue knows beyond the keys of every list (keyboard.js): o opens, a takes, x begins to select, n and p go on.
 *
 * Silent inside fields and dialogs, once another key's meaning was found, and where the person switched keys off.
 */
import { csrfToken } from "./fragments.js";

const rows = () => [...document.querySelectorAll("tr[data-live-row]")];
const link = (row) => row?.querySelector("a.cell-link");
const here = () => rows().findIndex((row) => row.contains(document.activeElement));

function writing(element) {
  return element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open], :popover-open");
}

/** The id of a row's ticket, from the address that it leads to. */
const idOf = (row) => link(row)?.pathname.match(/\/admin\/tickets\/([0-9a-f-]{36})/)?.[1];

/** Where rows have no boxes yet: the list with boxes, this row's chosen. */
function select() {
  const row = rows()[here()];
  const opener = document.querySelector("[data-select-mode]");
  if (!row || !opener) return;
  const address = new URL(opener.href);
  address.searchParams.set("chosen", idOf(row));
  location.assign(address);
}

async function take() {
  const own = document.querySelector("form[action] [name=assignee_id][value=me]");
  if (own) { own.form.requestSubmit(own); return; }
  const row = rows()[here()];
  const id = idOf(row);
  if (!id || !document.querySelector("[data-select-mode]")) return;
  const body = new URLSearchParams({ csrf_token: csrfToken(), assignee_id: "me" });
  const answer = await fetch(`/admin/tickets/${id}/assign`, { method: "POST", body, credentials: "same-origin", redirect: "manual" });
  if (answer.type === "opaqueredirect") row.dispatchEvent(new CustomEvent("portal:due", { bubbles: true }));
}

const follow = (name) => document.querySelector(`[data-key="${name}"]`)?.click();

const KEYS = {
  x: select,
  o: () => link(rows()[here()])?.click(),
  a: take,
  n: () => follow("next"),
  p: () => follow("previous"),
  u: () => follow("list"),
};

/** Takes the keys of staff lists and tickets. */
export function startQueueKeys() {
  if (!document.querySelector("[data-queue-keys]") || document.body.hasAttribute("data-no-shortcuts")) return;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  const chosen = new URLSearchParams(location.search).get("chosen");
  if (chosen) document.querySelector(`.row-select[value="${CSS.escape(chosen)}"]`)?.click();
}
