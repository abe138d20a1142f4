// X25519: checking public keys, and key agreement.

import { x25519 } from "@noble/curves/ed25519.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { equal, readLittleEndian } from "./bytes.js";
import { refuse } from "./errors.js";
import * as typed from "./typed.js";

export const P = 2n ** 255n - 19n;

const LOW_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/** Return the key if it is a valid public key. [PRIM-2] */
export function checkPublic(key) {
  if (key.length !== 32) refuse("InvalidKey", "a public key of another length");
  const u = readLittleEndian(key);
  if (u >= P) refuse("InvalidKey", "a public key that is not canonical");
  if (LOW_ORDER.has(u)) refuse("InvalidKey", "a public key of low order");
  return key;
}

/** Check an element of an encoding that must be a public key: its type and length first. */
export function fromItem(item) {
  return checkPublic(typed.bytes(item, 32));
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
    refuse("InvalidKey", "no agreement"); // the library refuses an all-zero result itself
  }
  if (equal(shared, new Uint8Array(32))) refuse("InvalidKey", "an all-zero agreement"); // [PRIM-3]
  return shared;
}
