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

/** -1, 0 or 1, as byte strings are ordered. */
export function compare(left, right) {
  return Math.sign(Buffer.compare(left, right));
}

export function equal(left, right) {
  return left.length === right.length && compare(left, right) === 0;
}

export function toHex(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** Bytes of lower-case hexadecimal, or null where the text is something else. */
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

/** An unsigned integer, big-endian, in `width` bytes; negative ones come out in two's complement. */
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

/** A BigInt, little-endian, in 32 bytes, as curve coordinates and scalars are written. */
export function littleEndian(value) {
  return bigEndian(value, 32).reverse();
}

export function readLittleEndian(bytes) {
  return readBigEndian(Uint8Array.from(bytes).reverse());
}
