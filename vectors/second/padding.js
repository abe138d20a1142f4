// Padding to PADME lengths.

import { refuse } from "./errors.js";
import { PADDED_LEAST, PADDED_MOST, PLAINTEXT_SIZE } from "./limits.js";

const MARK = 0x80;

export function paddedLength(length) {
  if (length > PLAINTEXT_SIZE) refuse("PlaintextTooLong", "a plaintext has at most 16,777,216 bytes");
  const marked = length + 1;
  if (marked <= PADDED_LEAST) return PADDED_LEAST;
  const exponent = 31 - Math.clz32(marked);
  const digits = 32 - Math.clz32(exponent); // floor(log2 E) + 1
  const step = 2 ** (exponent - digits);
  return Math.ceil(marked / step) * step;
}

export function pad(plaintext) {
  const padded = new Uint8Array(paddedLength(plaintext.length));
  padded.set(plaintext);
  padded[plaintext.length] = MARK;
  return padded;
}

/** The plaintext; a padding that `pad` would not have made is refused. [WIRE-9] */
export function unpad(padded) {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  if (end < 0 || padded[end] !== MARK) refuse("MalformedMessage", "a padding without its mark");
  if (padded.length > PADDED_MOST || end > PLAINTEXT_SIZE || paddedLength(end) !== padded.length) {
    refuse("MalformedMessage", "a padding of another length");
  }
  return padded.slice(0, end);
}
