/**
 * Builds the front end into portal/static/dist: one run, no configuration.
 *
 *   node assets/build.js            bundle, hash, write manifest.json
 *   node assets/build.js --watch    again whenever something under assets/ changes
 *   node assets/build.js --sizes    bundle, then print gzipped sizes
 *
 * The manifest maps a stable name ("app.css") to the hashed file ("app-K3J2.css").
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile, readdir, watch } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { unpackFont } from "./fonts.js";
import { buildSprite } from "./sprite.js";
import { tokensCss } from "./tokens.js";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "portal", "static", "dist");

const ENTRIES = [
  ...["app", "admin", "quotes", "signature", "verify"].map((name) => `js/${name}.js`),
  ...["app", "admin", "gallery", "print", "quotes", "signature"].map((name) => `css/${name}.css`),
];
// Named in the manifest so that a page can preload it.
const PRELOADED_FONT = /^inter-latin-opsz-normal-/;
// What documents are set in, in regular and semibold, by script; templates/pdf/base.typ names the families.
const PACKAGED_FONTS = join(here, "..", "node_modules", "@fontsource");
// Documents carry whatever people write: names in any of these scripts, and signs of mood.
const PRINTED_FONTS = [
  ...["latin", "latin-ext", "arabic"].flatMap((script) => ["400", "600"].map((weight) => ["ibm-plex-sans-arabic", script, weight])),
  ...["devanagari", "bengali", "tamil", "thai"].map((script) => [`noto-sans-${script}`, script, "400"]),
  ["noto-sans-sc", "chinese-simplified", "400"],
  ["noto-sans-kr", "korean", "400"],
  ["noto-emoji", "emoji", "400"],
];

/** Serves `virtual:tokens`, the custom properties made from tokens.json. */
const tokensPlugin = {
  name: "tokens",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^virtual:tokens$/ }, () => ({ path: "tokens", namespace: "tokens" }));
    esbuild.onLoad({ filter: /.*/, namespace: "tokens" }, async () => ({
      contents: tokensCss(JSON.parse(await readFile(join(here, "tokens.json"), "utf8"))),
      loader: "css",
    }));
  },
};

async function buildOnce() {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const result = await build({
    absWorkingDir: here,
    entryPoints: ENTRIES,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome119", "edge119", "firefox121", "safari17.4"],
    charset: "utf8",
    legalComments: "none",
    metafile: true,
    outdir: out,
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" },
    plugins: [tokensPlugin],
    logLevel: "warning",
  });
  const manifest = {};
  for (const [path, info] of Object.entries(result.metafile.outputs)) {
    const file = basename(path);
    if (info.entryPoint) manifest[basename(info.entryPoint)] = file;
    else if (PRELOADED_FONT.test(file)) manifest["inter-latin.woff2"] = file;
  }
  manifest["icons.svg"] = await writeHashed("i.svg", await buildSprite(here));
  manifest["favicon.svg"] = await writeHashed("favicon.svg", await readFile(join(here, "favicon.svg")));
  await writePrintedFonts();
  await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

async function writeHashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const extension = extname(name);
  const file = `${basename(name, extension)}-${hash}${extension}`;
  await writeFile(join(out, file), content);
  return file;
}

async function writePrintedFonts() {
  await mkdir(join(out, "print-fonts"));
  for (const [family, script, weight] of PRINTED_FONTS) {
    const packed = await readFile(join(PACKAGED_FONTS, family, "files", `${family}-${script}-${weight}-normal.woff`));
    await writeFile(join(out, "print-fonts", `${script}-${weight}.ttf`), unpackFont(packed, `print-${script}`));
  }
}

async function printSizes() {
  for (const file of (await readdir(out)).filter((name) => extname(name)).sort()) {
    const bytes = await readFile(join(out, file));
    const packed = [".woff2"].includes(extname(file)) ? bytes.length : gzipSync(bytes, { level: 9 }).length;
    console.log(`${(packed / 1024).toFixed(1).padStart(7)} KB  ${file}`);
  }
}

async function rebuildOnChange() {
  for await (const _change of watch(here, { recursive: true })) {
    try {
      await buildOnce();
      console.log("assets rebuilt");
    } catch (error) {
      console.error(error.message);
    }
  }
}

await buildOnce();
if (process.argv.includes("--sizes")) await printSizes();
if (process.argv.includes("--watch")) await rebuildOnChange();
