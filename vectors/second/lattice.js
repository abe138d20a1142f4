// Polynomials of ML-KEM (FIPS 203): 256 coefficients modulo q. Sampling, transforming, multiplying, compressing.
// Not here: the encryption built from them (kem-split.js). Nothing here is constant time.

import { shake128, shake256 } from "@noble/hashes/sha3.js";
import { bigEndian, concat } from "./bytes.js";

export const Q = 3329;
const SIZE = 256;
const ROOT = 17;
const SHAKE128_RATE = 168;

function power(exponent) {
  let value = 1;
  for (let step = 0; step < exponent; step += 1) value = (value * ROOT) % Q;
  return value;
}

function reversed(value) {
  let bits = 0;
  for (let bit = 0; bit < 7; bit += 1) bits |= ((value >> bit) & 1) << (6 - bit);
  return bits;
}

const indices = Array.from({ length: 128 }, (_, index) => index);
const ZETAS = indices.map((index) => power(reversed(index)));
const GAMMAS = indices.map((index) => power(2 * reversed(index) + 1));
const HALVINGS = 3303; // 128^-1 modulo q

/** Algorithm 9. */
export function transform(polynomial) {
  const f = [...polynomial];
  let index = 1;
  for (let length = 128; length >= 2; length /= 2) {
    for (let start = 0; start < SIZE; start += 2 * length, index += 1) {
      for (let at = start; at < start + length; at += 1) {
        const product = (ZETAS[index] * f[at + length]) % Q;
        f[at + length] = (f[at] + Q - product) % Q;
        f[at] = (f[at] + product) % Q;
      }
    }
  }
  return f;
}

/** Algorithm 10. */
export function restore(transformed) {
  const f = [...transformed];
  let index = 127;
  for (let length = 2; length <= 128; length *= 2) {
    for (let start = 0; start < SIZE; start += 2 * length, index -= 1) {
      for (let at = start; at < start + length; at += 1) {
        const earlier = f[at];
        f[at] = (earlier + f[at + length]) % Q;
        f[at + length] = (ZETAS[index] * (f[at + length] + Q - earlier)) % Q;
      }
    }
  }
  return f.map((coefficient) => (coefficient * HALVINGS) % Q);
}

/** Algorithm 11, of two transformed polynomials. */
function product(left, right) {
  const f = new Array(SIZE);
  GAMMAS.forEach((gamma, index) => {
    const [a, b, c, d] = [left[2 * index], left[2 * index + 1], right[2 * index], right[2 * index + 1]];
    f[2 * index] = (a * c + ((b * d) % Q) * gamma) % Q;
    f[2 * index + 1] = (a * d + b * c) % Q;
  });
  return f;
}

export function add(...polynomials) {
  return polynomials.reduce((sum, one) => sum.map((coefficient, at) => (coefficient + one[at]) % Q));
}

/** The inner product of two vectors of transformed polynomials. */
export function inner(lefts, rights) {
  return add(...lefts.map((left, index) => product(left, rights[index])));
}

/** Algorithm 7: an element of the matrix, already transformed. */
export function uniform(seed, column, row) {
  const stream = shake128.create().update(concat(seed, Uint8Array.of(column, row)));
  const f = [];
  while (f.length < SIZE) {
    const block = stream.xof(SHAKE128_RATE);
    for (let at = 0; at < block.length; at += 3) {
      const low = block[at] | ((block[at + 1] & 0x0f) << 8);
      const high = (block[at + 1] >> 4) | (block[at + 2] << 4);
      for (const coefficient of [low, high]) if (coefficient < Q && f.length < SIZE) f.push(coefficient);
    }
  }
  return f;
}

/** Algorithm 8 with eta = 2, over PRF(seed, number). */
export function noise(seed, number) {
  const bits = shake256(concat(seed, bigEndian(number, 1)), { dkLen: SIZE / 2 });
  return Array.from({ length: SIZE }, (_, at) => {
    const nibble = (bits[at >> 1] >> (4 * (at & 1))) & 0x0f;
    const [a, b, c, d] = [0, 1, 2, 3].map((bit) => (nibble >> bit) & 1);
    return (a + b - c - d + Q) % Q;
  });
}

export function compress(polynomial, width) {
  const scale = 2 ** width;
  return polynomial.map((coefficient) => Math.floor((2 * scale * coefficient + Q) / (2 * Q)) % scale);
}

/** Algorithm 5: `width` bits of each coefficient, the lowest first. */
export function pack(polynomial, width) {
  const bytes = new Uint8Array((SIZE * width) / 8);
  polynomial.forEach((coefficient, at) => {
    for (let bit = 0; bit < width; bit += 1) {
      const place = at * width + bit;
      bytes[place >> 3] |= ((coefficient >> bit) & 1) << (place & 7);
    }
  });
  return bytes;
}

/** Algorithm 6. */
export function unpack(bytes, width) {
  return Array.from({ length: SIZE }, (_, at) => {
    let coefficient = 0;
    for (let bit = 0; bit < width; bit += 1) {
      const place = at * width + bit;
      coefficient |= ((bytes[place >> 3] >> (place & 7)) & 1) << bit;
    }
    return coefficient;
  });
}
