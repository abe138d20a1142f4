// The erasure code: a text of 32 N bytes in codewords of 32, any N of which bring it back.
// Not here: which text is sent, and when (braid.js).

import { concat } from "./bytes.js";
import { refuse } from "./errors.js";

export const CODEWORD = 32; // bytes
export const INDICES = 2 ** 16;
const ELEMENTS = CODEWORD / 2;
const ORDER = INDICES - 1; // of the multiplicative group
const MODULUS = 0x1100b; // x^16 + x^12 + x^3 + x + 1

// Powers of x, twice over so that a sum of two logarithms needs no reduction. x generates the group.
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

/** What each value counts at `at`, for the polynomial through values at `points`. `at` is none of them. */
function weights(points, at) {
  return points.map((point) =>
    points.reduce((weight, other) => (other === point ? weight : divide(multiply(weight, at ^ other), point ^ other)), 1));
}

/** The codeword at index `at`, from as many codewords at `points` as the text has. */
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

/** How many codewords a text of this length has, before any is made up. */
export function pieces(length) {
  const count = length / CODEWORD;
  if (!Number.isInteger(count) || count < 1 || count > INDICES) refuse("UsageError", "a text has whole codewords, and at least one");
  return count;
}

export function split(bytes) {
  return Array.from({ length: bytes.length / CODEWORD }, (_, at) => bytes.subarray(CODEWORD * at, CODEWORD * (at + 1)));
}

/** The codewords of a text from index `first` on, joined. */
export function codewords(text, first, count) {
  pieces(text.length);
  if (first < 0 || count < 0 || first + count > INDICES) refuse("UsageError", "an index of two bytes");
  const given = split(text);
  const points = given.map((_, index) => index);
  const wanted = Array.from({ length: count }, (_, index) => first + index);
  return concat(...wanted.map((index) => given[index] ?? interpolate(points, given, index)));
}

/**
 * Take codewords, joined, of the indices from `first` on, into a map from index to codeword: the first that comes with an
 * index, and no more than the text has. [RAT-12]
 */
export function collect(got, first, joined, most) {
  const more = new Map(got);
  split(joined).forEach((codeword, at) => {
    if (more.size < most && !more.has(first + at)) more.set(first + at, codeword);
  });
  return more;
}

/** The text of this length, from what was collected of it. */
export function text(length, got) {
  const count = pieces(length);
  if (got.size < count) refuse("UsageError", "too few codewords");
  const [points, held] = [[...got.keys()], [...got.values()]];
  return concat(...Array.from({ length: count }, (_, index) => got.get(index) ?? interpolate(points, held, index)));
}
