/** Passkeys: the server's question goes to the browser, the browser's answer into the form, and the form is sent. */

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** For browsers without PublicKeyCredential.parse…OptionsFromJSON: the same, for the fields that we send. */
function decodeByHand(question) {
  const keys = (list) => list?.map((one) => ({ ...one, id: decode(one.id) }));
  const options = { ...question, challenge: decode(question.challenge) };
  if (question.user) options.user = { ...question.user, id: decode(question.user.id) };
  if (question.excludeCredentials) options.excludeCredentials = keys(question.excludeCredentials);
  if (question.allowCredentials) options.allowCredentials = keys(question.allowCredentials);
  return options;
}

function readQuestion(kind, question) {
  const name = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  return PublicKeyCredential[name]?.(question) ?? decodeByHand(question);
}

/** For browsers without PublicKeyCredential.prototype.toJSON. */
function writeByHand({ id, rawId, type, response, authenticatorAttachment }) {
  const told = { clientDataJSON: encode(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) told[name] = encode(response[name]);
  }
  if (response.getTransports) told.transports = response.getTransports();
  return { id, rawId: encode(rawId), type, response: told, authenticatorAttachment, clientExtensionResults: {} };
}

function writeAnswer(credential) {
  try {
    return JSON.stringify(credential.toJSON());
  } catch {
    // Some password managers stand in for the browser and lack it, too.
    return JSON.stringify(writeByHand(credential));
  }
}

async function ask(form) {
  const headers = { "X-CSRF-Token": form.elements.csrf_token.value, Accept: "application/json" };
  const answer = await fetch(form.dataset.passkeyQuestion, { method: "POST", headers, credentials: "same-origin" });
  if (answer.redirected) {
    // The last proof is too old: the page that asks for one leads back here.
    location.assign(answer.url);
    return null;
  }
  if (!answer.ok) throw new Error(`the question was refused: ${answer.status}`);
  const { passkey: kind } = form.dataset;
  const publicKey = readQuestion(kind, await answer.json());
  return kind === "create" ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
}

function release(form) {
  // After the guard of all forms has marked it busy, which it does when the event is over.
  setTimeout(() => {
    form.removeAttribute("data-busy");
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  });
}

async function onSubmit(event) {
  const form = event.target.closest("form[data-passkey]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  const error = form.querySelector("[data-passkey-error]");
  error.hidden = true;
  try {
    const credential = await ask(form);
    if (!credential) return;
    form.elements.credential.value = writeAnswer(credential);
    form.submit();
  } catch {
    // Cancelled, timed out, or none fits: browsers do not say which, on purpose.
    error.hidden = false;
    release(form);
  }
}

export function startPasskeys() {
  if (!window.PublicKeyCredential) return;
  document.querySelectorAll("form[data-passkey]").forEach((form) => (form.hidden = false));
  document.querySelectorAll("[data-passkey-missing]").forEach((note) => (note.hidden = true));
  document.addEventListener("submit", onSubmit);
}
