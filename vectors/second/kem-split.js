// ML-KEM-768 with encapsulation in two steps. The first step needs only the key's header.

import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { sha3_256, sha3_512 } from "@noble/hashes/sha3.js";
import { concat, equal } from "./bytes.js";
import { refuse } from "./errors.js";
import { SEED_SIZE, checkCoefficients } from "./kem.js";
import * as lattice from "./lattice.js";

export const HEADER_SIZE = 64;
export const VECTOR_SIZE = 1152;
export const CT1_SIZE = 960;
export const CT2_SIZE = 128;
export const M_SIZE = 32;
const KEY_SIZE = VECTOR_SIZE + 32;
const RANK = [0, 1, 2];
const POLYNOMIAL = VECTOR_SIZE / RANK.length; // bytes
const HALF = 1665; // half of q, rounded up: a set bit, decompressed

/** Split an encapsulation key into header and vector. */
export function split(key) {
  if (key.length !== KEY_SIZE) refuse("InvalidKey", "an encapsulation key of another length");
  const vector = checkCoefficients(key.slice(0, VECTOR_SIZE));
  return { header: concat(key.subarray(VECTOR_SIZE), sha3_256(key)), vector }; // [PRIM-10]
}

function expand(seed) {
  if (seed.length !== SEED_SIZE) refuse("UsageError", "a seed of another length");
  return ml_kem768.keygen(seed);
}

/** Return the header and the vector of a seed's key. */
export function fromSeed(seed) {
  return split(expand(seed).publicKey);
}

/** Compute K || r = G(m || h), and rho. */
function begin(header, m) {
  if (header.length !== HEADER_SIZE) refuse("InvalidKey", "a header of another length"); // [PRIM-11]
  if (m.length !== M_SIZE) refuse("UsageError", "m of another length");
  const both = sha3_512(concat(m, header.subarray(32)));
  const r = both.slice(32);
  return { rho: header.slice(0, 32), secret: both.slice(0, 32), r, y: RANK.map((at) => lattice.transform(lattice.noise(r, at))) };
}

/** Return K and the first 960 bytes of the ciphertext. */
export function encapsulateHeader(header, m) {
  const { rho, secret, r, y } = begin(header, m);
  const u = RANK.map((row) => {
    const transposed = RANK.map((column) => lattice.uniform(rho, row, column));
    return lattice.add(lattice.restore(lattice.inner(transposed, y)), lattice.noise(r, RANK.length + row));
  });
  return { secret, ct1: concat(...u.map((polynomial) => lattice.pack(lattice.compress(polynomial, 10), 10))) };
}

/** Return the other 128 bytes of the ciphertext. First refuses a vector that does not match the header. [PRIM-11] */
export function encapsulateVector(header, vector, m) {
  const { rho, r, y } = begin(header, m);
  if (vector.length !== VECTOR_SIZE) refuse("InvalidKey", "a vector of another length");
  checkCoefficients(vector);
  if (!equal(sha3_256(concat(vector, rho)), header.subarray(32))) refuse("InvalidKey", "a vector of another header");
  const t = RANK.map((at) => lattice.unpack(vector.subarray(POLYNOMIAL * at, POLYNOMIAL * (at + 1)), 12));
  const message = lattice.unpack(m, 1).map((bit) => bit * HALF);
  const v = lattice.add(lattice.restore(lattice.inner(t, y)), lattice.noise(r, 2 * RANK.length), message);
  return lattice.pack(lattice.compress(v, 4), 4);
}

/** Wrong ct1 and ct2 of the right lengths give a wrong secret, not an error. */
export function decapsulate(seed, ct1, ct2) {
  const { secretKey } = expand(seed);
  if (ct1.length !== CT1_SIZE || ct2.length !== CT2_SIZE) refuse("MalformedMessage", "ct1 or ct2 of another length");
  return ml_kem768.decapsulate(concat(ct1, ct2), secretKey);
}
