// X25519: which public keys are keys, and agreement.

import { x25519 } from "@noble/curves/ed25519.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { equal, readLittleEndian } from "./bytes.js";
import { refuse } from "./errors.js";
import * as shape from "./shape.js";

export const P = 2n ** 255n - 19n;

const LOW_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/** The key, if it is one. [PRIM-2] */
export function checkPublic(key) {
  if (key.length !== 32) refuse("InvalidKey", "a public key of another length");
  const u = readLittleEndian(key);
  if (u >= P) refuse("InvalidKey", "a public key that is not canonical");
  if (LOW_ORDER.has(u)) refuse("InvalidKey", "a public key of low order");
  return key;
}

/** An element of an encoding that is a public key: first its type and length, then the rest. */
export function fromItem(item) {
  return checkPublic(shape.bytes(item, 32));
}

export function checkPrivate(key) {
  if (key.length !== 32) refuse("UsageError", "a private key of another length");
  return key;
}

export function clamp(key) {
  const clamped = Uint8Array.from(checkPrivate(key));
  clamped[0] &= 0xf8;
  clamped[31] = (clamped[31] & 0x7f) | 0x40;
  return clamped;
}

export function publicOf(key) {
  return x25519.getPublicKey(checkPrivate(key));
}

export function pair(key = randomBytes(32)) {
  return { private: key, public: publicOf(key) };
}

export function agree(key, theirs) {
  checkPrivate(key);
  checkPublic(theirs);
  let shared;
  try {
    shared = x25519.getSharedSecret(key, theirs);
  } catch {
    refuse("InvalidKey", "no agreement"); // the library refuses all zeroes by itself
  }
  if (equal(shared, new Uint8Array(32))) refuse("InvalidKey", "an all-zero agreement"); // [PRIM-3]
  return shared;
}
