// ML-KEM-1024, private keys as seeds.

import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { equal } from "./bytes.js";
import { refuse } from "./errors.js";
import { Q } from "./lattice.js";
import * as typed from "./typed.js";

export const KEY_SIZE = 1568;
export const CIPHERTEXT_SIZE = 1568;
export const SEED_SIZE = 64;
const COEFFICIENTS = 1536; // bytes of packed coefficients; the matrix seed follows

/** Return packed 12-bit coefficients if each of them is below q. [PRIM-7] */
export function checkCoefficients(packed) {
  for (let at = 0; at < packed.length; at += 3) {
    const low = packed[at] | ((packed[at + 1] & 0x0f) << 8);
    const high = (packed[at + 1] >> 4) | (packed[at + 2] << 4);
    if (low >= Q || high >= Q) refuse("InvalidKey", "a coefficient of q or more");
  }
  return packed;
}

/** Return the key if each of its 1,024 coefficients is below q. */
export function checkPublic(key) {
  if (key.length !== KEY_SIZE) refuse("InvalidKey", "an encapsulation key of another length");
  checkCoefficients(key.subarray(0, COEFFICIENTS));
  return key;
}

/** Check an element of an encoding that must be an encapsulation key. */
export function fromItem(item) {
  return checkPublic(typed.bytes(item, KEY_SIZE));
}

function expand(seed) {
  if (seed.length !== SEED_SIZE) refuse("UsageError", "a seed of another length");
  return ml_kem1024.keygen(seed);
}

export function publicOf(seed) {
  return expand(seed).publicKey;
}

export function pair(seed = randomBytes(SEED_SIZE)) {
  return { private: seed, public: publicOf(seed) };
}

export function encapsulate(key) {
  const { cipherText, sharedSecret } = ml_kem1024.encapsulate(checkPublic(key));
  return { ciphertext: cipherText, secret: sharedSecret };
}

/** Encapsulate with the recorded m. The result must equal the recorded one, or the two implementations differ. */
export function encapsulateRecorded(key, { m, ciphertext, secret }) {
  checkPublic(key);
  if (m === null) return { ciphertext, secret };
  const made = ml_kem1024.encapsulate(key, m);
  if (!equal(made.cipherText, ciphertext)) throw new Error("m gives another ciphertext than the recorded one");
  if (!equal(made.sharedSecret, secret)) throw new Error("m gives another secret than the recorded one");
  return { ciphertext, secret };
}

/** A wrong ciphertext of the right length gives a wrong secret, not an error. */
export function decapsulate(seed, ciphertext) {
  const { secretKey } = expand(seed);
  if (ciphertext.length !== CIPHERTEXT_SIZE) refuse("MalformedMessage", "a ciphertext of another length");
  return ml_kem1024.decapsulate(ciphertext, secretKey);
}
