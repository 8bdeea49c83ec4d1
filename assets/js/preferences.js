/** The theme changes at once; the choice is stored by the same form that works without scripts. */
export function startPreferences() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const theme = event.submitter?.name === "theme" && event.submitter.value;
    if (!form.matches("[data-theme-form]") || !theme) return;
    event.preventDefault();
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button === event.submitter)));
    form.removeAttribute("data-busy");
    const body = new FormData(form, event.submitter);
    await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" }).catch(() => {});
  });
}
