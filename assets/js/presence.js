/** Says that this page looks at a ticket, or answers it, and shows who else does. */
import { csrfToken } from "./fragments.js";

// The server forgets after 60 s.
const BEAT = 25_000;

export function startPresence() {
  const place = document.querySelector("[data-presence]");
  if (!place) return;
  let said = "";
  const writing = () => document.getElementById("answer-message")?.value.trim();
  async function say(activity, keepalive = false) {
    said = activity;
    const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true", "X-Portal-Live": "1" };
    const options = { method: "POST", headers, body: new URLSearchParams({ activity }), credentials: "same-origin", keepalive };
    const answer = await fetch(place.dataset.liveUrl, options).catch(() => null);
    if (answer?.status === 200 && !answer.redirected) place.innerHTML = await answer.text();
  }
  const now = () => say(writing() ? "replying" : "viewing");
  document.addEventListener("input", (event) => {
    if (event.target.id === "answer-message" && (writing() ? "replying" : "viewing") !== said) now();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? say("gone", true) : now()));
  addEventListener("pagehide", () => said !== "gone" && say("gone", true));
  setInterval(() => document.hidden || now(), BEAT);
  if (!document.hidden) now();
}
