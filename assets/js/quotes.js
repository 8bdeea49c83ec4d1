/** A quote's page: the drawn signature, sums that follow the choice, and how long the page is looked at. */

const INK = "#17181c";
const EVERY_SECONDS = 15;

/** Draws lines of pointers onto the canvas and keeps them as a PNG in the form's hidden field. */
function startPad(pad) {
  const canvas = pad.querySelector("canvas");
  const field = document.getElementById(pad.dataset.signaturePad);
  const pen = canvas.getContext("2d");
  let last = null;
  let drawn = false;

  function size() {
    const scale = Math.min(window.devicePixelRatio || 1, 3);
    canvas.width = Math.round(canvas.clientWidth * scale);
    canvas.height = Math.round(canvas.clientHeight * scale);
    pen.scale(scale, scale);
    Object.assign(pen, { lineWidth: 2.2, lineCap: "round", lineJoin: "round", strokeStyle: INK });
    clear();
  }

  function clear() {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    drawn = false;
    field.value = "";
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function draw(event) {
    if (!last) return;
    for (const step of event.getCoalescedEvents?.() ?? [event]) {
      const next = place(step);
      pen.beginPath();
      pen.moveTo(last.x, last.y);
      pen.lineTo(next.x, next.y);
      pen.stroke();
      last = next;
    }
    drawn = true;
  }

  function end() {
    if (last && drawn) field.value = canvas.toDataURL("image/png");
    last = null;
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", draw);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  pad.querySelector("[data-signature-clear]").addEventListener("click", clear);
  pad.closest("[hidden]")?.removeAttribute("hidden");
  size();
  // A turned phone has another canvas; what was drawn would be stretched.
  window.addEventListener("orientationchange", size);
}

/** Tells the server now and then how many seconds the page was in view. */
function startTiming(element) {
  const address = element.dataset.lookedAt;
  const token = document.querySelector('meta[name="csrf-token"]').content;
  let since = document.visibilityState === "visible" ? performance.now() : null;

  function tell() {
    if (since === null) return;
    const seconds = Math.round((performance.now() - since) / 1000);
    if (seconds < 1) return;
    since = performance.now();
    const form = new FormData();
    form.set("csrf_token", token);
    form.set("seconds", String(Math.min(seconds, 60)));
    navigator.sendBeacon(address, form);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      since = performance.now();
    } else {
      tell();
      since = null;
    }
  });
  window.addEventListener("pagehide", tell);
  setInterval(tell, EVERY_SECONDS * 1000);
}

document.querySelectorAll("[data-signature-pad]").forEach(startPad);
document.querySelectorAll("[data-looked-at]").forEach(startTiming);
document.querySelectorAll("[data-without-script]").forEach((element) => element.remove());
