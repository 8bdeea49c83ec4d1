/** Builds the icon sprite: the lucide icons named in icons.json plus our own status and priority shapes. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

const LUCIDE = "../node_modules/lucide-static/icons";

const inner = (svg) =>
  svg
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/^[\s\S]*?<svg[\s\S]*?>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/\s*\n\s*/g, "")
    .trim();

/**
 * @param {string} here the assets folder
 * @returns {Promise<string>} one SVG; each icon is a `<symbol>` whose id is its name, ours begin with `s-`
 */
export async function buildSprite(here) {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const symbols = [];
  for (const name of [...new Set(names)].sort()) {
    const body = inner(await readFile(join(here, LUCIDE, `${name}.svg`), "utf8"));
    symbols.push(
      `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`,
    );
  }
  for (const file of (await readdir(join(here, "icons"))).sort()) {
    const svg = await readFile(join(here, "icons", file), "utf8");
    symbols.push(`<symbol id="s-${file.replace(".svg", "")}" viewBox="0 0 14 14" fill="none">${inner(svg)}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}
