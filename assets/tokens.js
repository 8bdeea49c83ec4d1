/** Turns tokens.json into custom properties: by attribute, and by the system's preference where none is chosen. */

const declarations = (colours, index) =>
  Object.entries(colours)
    .map(([name, values]) => `--${name}:${values[index]};`)
    .join("");

/**
 * @param {{themes: string[], colours: Record<string, string[]>}} tokens
 * @returns {string} CSS; `[data-theme]` also works on a part of a page.
 */
export function tokensCss({ themes, colours }) {
  const [light, dark, contrast, contrastDark] = themes.map((_theme, index) => declarations(colours, index));
  const unchosen = ":root:not([data-theme])";
  const asDark = "color-scheme:dark;";
  return [
    `:root,[data-theme="light"]{color-scheme:light;${light}}`,
    `@media (prefers-color-scheme: dark){${unchosen}{${asDark}${dark}}}`,
    `@media (prefers-contrast: more){${unchosen}{${contrast}}}`,
    `@media (prefers-contrast: more) and (prefers-color-scheme: dark){${unchosen}{${asDark}${contrastDark}}}`,
    `[data-theme="dark"]{${asDark}${dark}}`,
    `[data-theme="contrast"]{color-scheme:light;${contrast}}`,
    // "High contrast" as a choice says nothing about brightness: that stays with the system.
    `@media (prefers-color-scheme: dark){:root[data-theme="contrast"]{${asDark}${contrastDark}}}`,
    `[data-theme="contrast-dark"]{${asDark}${contrastDark}}`,
  ].join("\n");
}
