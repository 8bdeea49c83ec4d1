/** The line to the server: one WebSocket; while there is none, the page asks every 10 s. */
import { io } from "socket.io-client";
import { onServerEvent, refreshAll } from "./live.js";

const POLL = 10_000;
let timer = null;

const ask = () => document.hidden || !navigator.onLine || refreshAll();

function poll(on) {
  if (on && !timer) timer = setInterval(ask, POLL);
  if (!on) { clearInterval(timer); timer = null; }
  document.documentElement.toggleAttribute("data-polling", on);
}

function offline(gone) {
  document.querySelector(".offline-note")?.remove();
  const template = document.querySelector("[data-offline-template]");
  const main = document.getElementById("content");
  if (gone && template && main) main.before(template.content.cloneNode(true));
}

export function startSocket() {
  window.addEventListener("offline", () => offline(true));
  window.addEventListener("online", () => { offline(false); refreshAll(); });
  if (!navigator.onLine) offline(true);
  const { signedIn, countsUrl, socketPath } = document.body.dataset;
  if (signedIn === undefined || !(document.querySelector("[data-live]") || countsUrl)) return;
  // A page that comes back to the front may have slept through events.
  document.addEventListener("visibilitychange", () => document.hidden || refreshAll());
  let seen = false;
  const door = location.pathname.startsWith("/admin") ? "admin" : "portal";
  const socket = io({ path: socketPath || "/socket.io", transports: ["websocket"], reconnectionDelayMax: 8000, auth: { door } });
  socket.on("connect", () => {
    poll(false);
    if (seen) refreshAll();
    seen = true;
  });
  socket.on("disconnect", (reason) => {
    poll(true);
    // The session's token changed (another page proved who it is), or it ended: the new cookie decides.
    if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", () => poll(true));
  socket.onAny(onServerEvent);
}
