/**
 * A place to draw a signature: `[data-signature]` holds a hidden input, a canvas and a button that clears.
 * What was drawn goes into the input as a PNG; nothing drawn leaves it empty, and the typed name is the signature.
 * Without this script the place stays hidden.
 */
const INK = "#0f172a";
const WIDTH = 2.2;

/** The canvas has as many pixels as the screen gives it, so that lines are sharp; what was drawn is drawn anew. */
function fit(pad) {
  const scale = Math.max(1, window.devicePixelRatio || 1);
  const box = pad.canvas.getBoundingClientRect();
  if (!box.width) return;
  Object.assign(pad.canvas, { width: Math.round(box.width * scale), height: Math.round(box.height * scale) });
  const pen = pad.canvas.getContext("2d");
  pen.scale(scale, scale);
  Object.assign(pen, { lineWidth: WIDTH, lineCap: "round", lineJoin: "round", strokeStyle: INK, fillStyle: INK });
  pad.pen = pen;
  pad.strokes.forEach((stroke) => draw(pad, stroke));
}

/** A stroke as a smooth line through the middles of its points; a touch alone is a dot. */
function draw({ pen }, stroke) {
  pen.beginPath();
  if (stroke.length === 1) {
    pen.arc(...stroke[0], WIDTH / 2, 0, 2 * Math.PI);
    pen.fill();
    return;
  }
  pen.moveTo(...stroke[0]);
  for (let at = 1; at < stroke.length - 1; at += 1) {
    const [x, y] = stroke[at];
    const [nextX, nextY] = stroke[at + 1];
    pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  pen.lineTo(...stroke.at(-1));
  pen.stroke();
}

function redraw(pad) {
  pad.pen.clearRect(0, 0, pad.canvas.width, pad.canvas.height);
  pad.strokes.forEach((stroke) => draw(pad, stroke));
}

function keep(pad) {
  pad.input.value = pad.strokes.length ? pad.canvas.toDataURL("image/png") : "";
  if (pad.clear) pad.clear.hidden = !pad.strokes.length;
}

function listen(pad) {
  const { canvas } = pad;
  const point = (event) => [event.offsetX, event.offsetY];
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    pad.strokes.push([point(event)]);
    redraw(pad);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    // Fast hands make more points than frames.
    const events = event.getCoalescedEvents?.() ?? [];
    pad.strokes.at(-1).push(...(events.length ? events : [event]).map(point));
    redraw(pad);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => keep(pad));
  pad.clear?.addEventListener("click", () => {
    pad.strokes.length = 0;
    redraw(pad);
    keep(pad);
    canvas.focus?.();
  });
}

function start(root) {
  const pad = {
    canvas: root.querySelector("canvas"),
    input: root.querySelector("input[type=hidden]"),
    clear: root.querySelector("[data-signature-clear]"),
    strokes: [],
  };
  root.hidden = false;
  fit(pad);
  listen(pad);
  new ResizeObserver(() => {
    fit(pad);
    keep(pad);
  }).observe(pad.canvas);
}

document.querySelectorAll("[data-signature]").forEach(start);
