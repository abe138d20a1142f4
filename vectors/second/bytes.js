// Byte strings: joining, comparing, hexadecimal, numbers of fixed width. It runs in browsers too.

/** Join byte strings. The result is always a plain Uint8Array, never a Buffer: their `slice` methods differ. */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Compare two byte strings: -1, 0 or 1. */
export function compare(left, right) {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    if (left[at] !== right[at]) return Math.sign(left[at] - right[at]);
  }
  return Math.sign(left.length - right.length);
}

export function equal(left, right) {
  return left.length === right.length && compare(left, right) === 0;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Return the bytes of lower-case hexadecimal, or null if the text is anything else. */
export function fromHex(text) {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

export function ascii(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** An unsigned integer, big-endian, in `width` bytes. Negative numbers are written in two's complement. */
export function bigEndian(value, width) {
  const bytes = new Uint8Array(width);
  let rest = BigInt.asUintN(8 * width, BigInt(value));
  for (let at = width - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function readBigEndian(bytes) {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Write a BigInt in 32 bytes, little-endian, like curve coordinates and scalars. */
export function littleEndian(value) {
  return bigEndian(value, 32).reverse();
}

export function readLittleEndian(bytes) {
  return readBigEndian(Uint8Array.from(bytes).reverse());
}
