// Checks of decoded items: type, length, range. [WIRE-4]
// Not here: what the items mean.

import { refuse } from "./errors.js";
import { U32 } from "./limits.js";

export function integer(item, least, most) {
  const whole = typeof item === "number" || typeof item === "bigint";
  if (!whole || item < least || item > most) refuse("MalformedMessage", "not an integer of the right range");
  return item;
}

export function u32(item) {
  return integer(item, 0, U32);
}

export function bytes(item, least, most = least) {
  if (!(item instanceof Uint8Array)) refuse("MalformedMessage", "not a byte string");
  if (item.length < least || item.length > most) refuse("MalformedMessage", "a byte string of another length");
  return item;
}

export function text(item) {
  if (typeof item !== "string") refuse("MalformedMessage", "not a text");
  return item;
}

const UNPRINTABLE = /[^\P{C}]|[^\P{Z} ]/u;

/** Return whether a text has so many characters, and all of them are printable: a purpose of spec/documents.md is such a text. */
export function isPrintable(item, least, most) {
  const length = [...item].length;
  return length >= least && length <= most && !UNPRINTABLE.test(item);
}

export function array(item, least = 0, most = least) {
  if (!Array.isArray(item)) refuse("MalformedMessage", "not an array");
  if (item.length < least || item.length > most) refuse("MalformedMessage", "an array of another length");
  return item;
}

export function optional(item, read) {
  return item === null ? null : read(item);
}
