/**
 * Fonts for documents: the typesetter reads OpenType, the packages bring WOFF (W3C WOFF 1.0), which is the same, packed.
 *
 * Each file gets a family name of its own: the packages cut one family by script into files that share a name, and
 * of those a typesetter sees one only.
 */
import { inflateSync } from "node:zlib";

const WOFF_HEADER = 44;
const WOFF_ENTRY = 20;
const SFNT_HEADER = 12;
const SFNT_ENTRY = 16;
const NAME_HEADER = 6;
const NAME_ENTRY = 12;
// Family and typographic family; records of other platforms than Windows are left out (OpenType 1.9, name).
const FAMILY_NAMES = [1, 16];
const WINDOWS = 3;
const padded = (length) => Math.ceil(length / 4) * 4;

function tablesOf(woff) {
  return Array.from({ length: woff.readUInt16BE(12) }, (_, index) => {
    const at = WOFF_HEADER + index * WOFF_ENTRY;
    const [offset, packed, length] = [4, 8, 12].map((field) => woff.readUInt32BE(at + field));
    const stored = woff.subarray(offset, offset + packed);
    return { tag: woff.toString("latin1", at, at + 4), data: packed < length ? inflateSync(stored) : stored };
  });
}

function namesOf(table) {
  const strings = table.readUInt16BE(4);
  return Array.from({ length: table.readUInt16BE(2) }, (_, index) => {
    const at = NAME_HEADER + index * NAME_ENTRY;
    const [platform, encoding, language, name, length, offset] = [0, 2, 4, 6, 8, 10].map((field) => table.readUInt16BE(at + field));
    return { platform, encoding, language, name, text: table.subarray(strings + offset, strings + offset + length) };
  }).filter(({ platform }) => platform === WINDOWS);
}

function renamed(table, family) {
  const names = namesOf(table).map((entry) => (FAMILY_NAMES.includes(entry.name) ? { ...entry, text: Buffer.from(family, "utf16le").swap16() } : entry));
  const head = Buffer.alloc(NAME_HEADER + names.length * NAME_ENTRY);
  head.writeUInt16BE(names.length, 2);
  head.writeUInt16BE(head.length, 4);
  let offset = 0;
  names.forEach(({ platform, encoding, language, name, text }, index) => {
    const fields = [platform, encoding, language, name, text.length, offset];
    fields.forEach((value, field) => head.writeUInt16BE(value, NAME_HEADER + index * NAME_ENTRY + 2 * field));
    offset += text.length;
  });
  return Buffer.concat([head, ...names.map(({ text }) => text)]);
}

function checksum(data) {
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum = (sum + data.readUInt32BE(at)) >>> 0;
  return sum;
}

function header(flavour, count) {
  const power = Math.floor(Math.log2(count));
  const bytes = Buffer.alloc(SFNT_HEADER);
  bytes.writeUInt32BE(flavour, 0);
  [count, 16 * 2 ** power, power, 16 * (count - 2 ** power)].forEach((value, index) => bytes.writeUInt16BE(value, 4 + 2 * index));
  return bytes;
}

/** The OpenType font within a WOFF 1.0 file, called `family`. */
export function unpackFont(woff, family) {
  if (woff.toString("latin1", 0, 4) !== "wOFF") throw new Error("not a WOFF 1.0 font");
  const tables = tablesOf(woff);
  const places = [];
  const contents = [];
  let offset = SFNT_HEADER + SFNT_ENTRY * tables.length;
  for (const { tag, data: original } of tables) {
    const data = tag === "name" ? renamed(original, family) : original;
    const content = Buffer.concat([data, Buffer.alloc(padded(data.length) - data.length)]);
    const place = Buffer.alloc(SFNT_ENTRY);
    place.write(tag, "latin1");
    [checksum(content), offset, data.length].forEach((value, index) => place.writeUInt32BE(value, 4 + 4 * index));
    places.push(place);
    contents.push(content);
    offset += content.length;
  }
  return Buffer.concat([header(woff.readUInt32BE(4), tables.length), ...places, ...contents]);
}
