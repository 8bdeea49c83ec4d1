/** Words for the scripts come with the page, in its language. */
const words = document.getElementById("words")?.dataset ?? {};

/** @returns {string} the word `name` with `{t}`, `{n}` … filled in; empty when the page brought none */
export function word(name, values = {}) {
  return (words[name] ?? "").replace(/\{(\w)\}/g, (_all, key) => values[key] ?? "");
}
