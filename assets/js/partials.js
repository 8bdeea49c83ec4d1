/** HTMX under our rules: CSRF header on every request, no eval, the session dialog on 401. */
import htmx from "htmx.org";
import { csrfToken, sessionExpired } from "./fragments.js";
import { tick } from "./clock.js";

// Live updates never touch what someone is writing or has open.
htmx.config.morphSkip = "[hx-morph-skip], [data-composer], dialog[open], :popover-open";

export function startPartials() {
  document.body.addEventListener("htmx:config:request", (event) => {
    event.detail.ctx.request.headers["X-CSRFToken"] = csrfToken();
  });
  document.body.addEventListener("htmx:before:response", (event) => {
    if (event.detail.ctx.response.status !== 401) return;
    event.preventDefault();
    sessionExpired();
  });
  document.body.addEventListener("htmx:after:swap", () => tick());
}

/** Puts `html` into `element`, keeping focus, typed text and nodes that did not change. */
export function morph(element, html) {
  return htmx.swap({ target: element, text: html, swap: "innerMorph", sourceElement: element });
}
