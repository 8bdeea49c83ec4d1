/** Fetches parts of pages by their own address; a session that ended opens its dialog. */
import { openDialog } from "./overlays.js";

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** The session is over: what was typed stays, the way back in is offered with the way back here. */
export function sessionExpired() {
  const dialog = document.getElementById("session-expired");
  const login = dialog?.querySelector("[data-login]");
  if (!login || dialog.open) return;
  const address = new URL(login.href, location.href);
  address.searchParams.set("next", location.pathname + location.search);
  login.href = address.href;
  openDialog("session-expired");
}

/**
 * @param {string} url
 * @param {string} [etag] what the caller has already
 * @returns {Promise<{status: number, text?: string, etag?: string}>} `text` only when there is something new; status 0 without network
 */
export async function fetchFragment(url, etag) {
  const headers = { "HX-Request": "true", "X-Portal-Live": "1", Accept: "text/html" };
  if (etag) headers["If-None-Match"] = etag;
  let response;
  try {
    // `no-store`: the browser must hand the 304 to us instead of answering from its own cache.
    response = await fetch(url, { headers, credentials: "same-origin", cache: "no-store" });
  } catch {
    return { status: 0 };
  }
  if (response.status === 401) sessionExpired();
  if (response.status !== 200 || response.redirected) return { status: response.redirected ? 401 : response.status };
  return { status: 200, text: await response.text(), etag: response.headers.get("ETag") ?? undefined };
}
