// Byte strings: joining, comparing, hexadecimal, numbers of fixed width.

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
  return Math.sign(Buffer.compare(left, right));
}

export function equal(left, right) {
  return left.length === right.length && compare(left, right) === 0;
}

export function toHex(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** Return the bytes of lower-case hexadecimal, or null if the text is anything else. */
export function fromHex(text) {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  return new Uint8Array(Buffer.from(text, "hex"));
}

export function ascii(text) {
  return new Uint8Array(Buffer.from(text, "latin1"));
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
