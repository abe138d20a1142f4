// Deterministic CBOR, five kinds of item: unsigned integers, byte strings, text strings, arrays, null.
// Not here: what the items mean. Refuses as MalformedMessage; records.js gives it another name.

import { bigEndian, concat, readBigEndian, utf8 } from "./bytes.js";
import { refuse } from "./errors.js";

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const NULL = 0xf6;
const INDEFINITE = 31;

// A byte order mark is an ordinary character here. By default the decoder would drop it.
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function head(major, value) {
  const top = major << 5;
  if (value < 24) return Uint8Array.of(top | Number(value));
  const size = [1, 2, 4, 8].find((width) => BigInt(value) < 1n << BigInt(8 * width));
  return concat(Uint8Array.of(top | (24 + Math.log2(size))), bigEndian(value, size));
}

/** Encode numbers, bigints, Uint8Arrays, strings, arrays and null. */
export function encode(item) {
  if (item === null) return Uint8Array.of(NULL);
  if (typeof item === "number" || typeof item === "bigint") return head(UNSIGNED, item);
  if (item instanceof Uint8Array) return concat(head(BYTES, item.length), item);
  if (typeof item === "string") {
    const text = utf8(item);
    return concat(head(TEXT, text.length), text);
  }
  if (Array.isArray(item)) return concat(head(ARRAY, item.length), ...item.map(encode));
  throw new TypeError(`no CBOR item: ${typeof item}`);
}

/** Return the header bytes of spec/wire.md: the encoding of an array up to its last element, a byte string that is not given. */
export function encodePrefix(elements) {
  return concat(head(ARRAY, elements.length + 1), ...elements.map(encode));
}

/**
 * Read one head: its major type, its value and where it ends. `shortest` is false only while the version is read,
 * because a later version may allow longer forms in what follows.
 */
export function readHead(data, at, shortest = true) {
  if (at >= data.length) refuse("MalformedMessage", "the encoding ends early");
  const major = data[at] >> 5;
  const low = data[at] & 31;
  if (low < 24) return { major, value: low, end: at + 1 };
  if (low > 27) refuse("MalformedMessage", low === INDEFINITE ? "an indefinite length" : "a reserved head");
  const width = 1 << (low - 24);
  const end = at + 1 + width;
  if (end > data.length) refuse("MalformedMessage", "a head ends early");
  const value = readBigEndian(data.subarray(at + 1, end));
  const least = width === 1 ? 24n : 1n << BigInt(4 * width);
  if (shortest && value < least) refuse("MalformedMessage", "a head in a long form");
  return { major, value: value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value, end };
}

class Reader {
  constructor(data, nesting, items) {
    this.data = data;
    this.nesting = nesting;
    this.items = items;
    this.at = 0;
  }

  item(depth) {
    this.items -= 1;
    if (this.items < 0) refuse("MalformedMessage", "too many items");
    if (this.data[this.at] === NULL) {
      this.at += 1;
      return null;
    }
    const { major, value, end } = readHead(this.data, this.at);
    this.at = end;
    if (major === UNSIGNED) return value;
    if (major === ARRAY) return this.array(value, depth + 1);
    if (major !== BYTES && major !== TEXT) refuse("MalformedMessage", "an item of a kind that does not occur");
    const bytes = this.take(value);
    return major === BYTES ? bytes : text(bytes);
  }

  take(length) {
    // Compare before adding: a length may be too large for a number to hold exactly.
    if (length > this.data.length - this.at) refuse("MalformedMessage", "a string ends early");
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  array(count, depth) {
    if (depth > this.nesting) refuse("MalformedMessage", "arrays nest too deep");
    if (count > this.items) refuse("MalformedMessage", "too many items");
    const elements = [];
    for (let index = 0; index < count; index += 1) {
      if (depth === 1) this.last = this.at;
      elements.push(this.item(depth));
    }
    return elements;
  }
}

function text(bytes) {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return refuse("MalformedMessage", "text that is not UTF-8");
  }
}

/** Decode one item that fills `data`. Also returns where the last element of the outermost array begins. */
export function decodeWithLast(data, { nesting, items }) {
  const reader = new Reader(data, nesting, items);
  const item = reader.item(0);
  if (reader.at !== data.length) refuse("MalformedMessage", "bytes after the end");
  return { item, last: reader.last };
}

export function decode(data, limits) {
  return decodeWithLast(data, limits).item;
}

/**
 * Read the number of elements, the version and the kind, before the rest of the encoding is trusted. `versions` gives
 * the version of each kind that may come.
 */
export function peek(data, versions) {
  const outer = readHead(data, 0, false);
  if (outer.major !== ARRAY) refuse("MalformedMessage", "no array with a version");
  const first = readHead(data, outer.end, false);
  if (first.major !== UNSIGNED) refuse("MalformedMessage", "no version");
  if (!Object.values(versions).includes(first.value)) refuse("UnsupportedVersion", "an unknown version"); // [WIRE-1]
  if (outer.value < 2) refuse("MalformedMessage", "no kind");
  const second = readHead(data, first.end, false);
  if (second.major !== UNSIGNED || versions[second.value] === undefined) refuse("MalformedMessage", "no kind");
  if (versions[second.value] !== first.value) refuse("UnsupportedVersion", "not the version of this kind"); // [WIRE-1]
  return { count: outer.value, kind: second.value };
}
