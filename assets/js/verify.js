/**
 * Compares a file with a sealed document: its SHA-256 is computed here, and the file never leaves the page.
 * Without this script a hash can be pasted, which the server compares.
 */
const zone = document.querySelector("[data-verify]");

async function digest(file) {
  const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tell(outcome, name, hash) {
  zone.querySelectorAll("[data-outcome]").forEach((one) => (one.hidden = one.dataset.outcome !== outcome));
  zone.querySelector("[data-verify-file]").textContent = name;
  zone.querySelector("[data-verify-hash]").textContent = hash;
  zone.querySelector("[data-verify-told]").hidden = false;
}

async function check(file) {
  if (!file) return;
  const hash = await digest(file);
  const sealed = zone.dataset.sealed.split(" ");
  tell(sealed.includes(hash) ? "sealed" : hash === zone.dataset.content ? "content" : "other", file.name, hash);
}

// Web Crypto is there on https and on this machine only; elsewhere the form stays as it is.
if (zone && crypto.subtle) {
  const input = zone.querySelector("input[type=file]");
  zone.hidden = false;
  input.addEventListener("change", () => check(input.files[0]));
  // Anywhere on the page, since browsers would open a file that misses the frame.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    check(event.dataTransfer.files[0]);
  });
}
