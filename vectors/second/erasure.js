// The erasure code: a text of 32 N bytes becomes codewords of 32 bytes, and any N of them restore it.
// Not here: which text is sent, and when (braid.js).

import { concat } from "./bytes.js";
import { refuse } from "./errors.js";

export const CODEWORD = 32; // bytes
export const INDICES = 2 ** 16;
const ELEMENTS = CODEWORD / 2;
const ORDER = INDICES - 1; // of the multiplicative group
const MODULUS = 0x1100b; // x^16 + x^12 + x^3 + x + 1

// Powers of x, twice in a row, so that the sum of two logarithms needs no reduction. x generates the group.
const POWERS = new Uint16Array(2 * ORDER);
const LOGARITHMS = new Uint16Array(INDICES);
for (let exponent = 0, power = 1; exponent < ORDER; exponent += 1) {
  POWERS[exponent] = power;
  POWERS[exponent + ORDER] = power;
  LOGARITHMS[power] = exponent;
  power <<= 1;
  if (power >= INDICES) power ^= MODULUS;
}

export function multiply(left, right) {
  return left === 0 || right === 0 ? 0 : POWERS[LOGARITHMS[left] + LOGARITHMS[right]];
}

function divide(left, right) {
  return left === 0 ? 0 : POWERS[LOGARITHMS[left] + ORDER - LOGARITHMS[right]];
}

/** Return the Lagrange weight at `at` of each of `points`, which do not contain `at`. */
function weights(points, at) {
  return points.map((point) =>
    points.reduce((weight, other) => (other === point ? weight : divide(multiply(weight, at ^ other), point ^ other)), 1));
}

/** Return the codeword with index `at`, from as many codewords at `points` as the text has. */
function interpolate(points, codewords, at) {
  const codeword = new Uint8Array(CODEWORD);
  weights(points, at).forEach((weight, which) => {
    for (let element = 0; element < ELEMENTS; element += 1) {
      const value = multiply(weight, (codewords[which][2 * element] << 8) | codewords[which][2 * element + 1]);
      codeword[2 * element] ^= value >> 8;
      codeword[2 * element + 1] ^= value & 0xff;
    }
  });
  return codeword;
}

/** Return how many codewords of 32 bytes a text of this length consists of. */
export function codewordCount(length) {
  const count = length / CODEWORD;
  if (!Number.isInteger(count) || count < 1 || count > INDICES) refuse("UsageError", "a text consists of one or more whole codewords");
  return count;
}

export function split(bytes) {
  return Array.from({ length: bytes.length / CODEWORD }, (_, at) => bytes.subarray(CODEWORD * at, CODEWORD * (at + 1)));
}

/** Return `count` codewords of a text, joined, from index `first`. */
export function codewords(text, first, count) {
  codewordCount(text.length);
  if (first < 0 || count < 0 || first + count > INDICES) refuse("UsageError", "an index of two bytes");
  const given = split(text);
  const points = given.map((_, index) => index);
  const wanted = Array.from({ length: count }, (_, index) => first + index);
  return concat(...wanted.map((index) => given[index] ?? interpolate(points, given, index)));
}

/**
 * Add joined codewords, whose indices begin at `first`, to a map from index to codeword. An index keeps its first codeword,
 * and the map never holds more than `most`. [RAT-12]
 */
export function collect(collected, first, joined, most) {
  const more = new Map(collected);
  split(joined).forEach((codeword, at) => {
    if (more.size < most && !more.has(first + at)) more.set(first + at, codeword);
  });
  return more;
}

/** Return the text of this length from the codewords that were collected. */
export function text(length, collected) {
  const count = codewordCount(length);
  if (collected.size < count) refuse("UsageError", "too few codewords");
  const [points, held] = [[...collected.keys()], [...collected.values()]];
  return concat(...Array.from({ length: count }, (_, index) => collected.get(index) ?? interpolate(points, held, index)));
}
