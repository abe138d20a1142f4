// Key derivation: HMAC, HKDF, and the three uses the protocol makes of them.

import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { hmac as nobleHmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ascii, concat } from "./bytes.js";
import { refuse } from "./errors.js";
import { PQXDH, X3DH } from "./limits.js";

const ROOT_STEP = ascii("letterlock-v1 root step");
const SUITE_LABELS = new Map([
  [X3DH, ascii("letterlock-v1_X3DH_X25519_SHA-256")],
  [PQXDH, ascii("letterlock-v1_PQXDH_X25519_SHA-256_ML-KEM-1024")],
]);

export { sha256 };

export function hmac(key, data) {
  return nobleHmac(sha256, key, data);
}

export function hkdf(salt, ikm, info, length) {
  if (length < 1 || length > 255 * 32) refuse("UsageError", "HKDF gives 1 to 8,160 bytes");
  return nobleHkdf(sha256, ikm, salt, info, length);
}

/** SK of a handshake, from its agreements in order and the KEM's secret, if there is one. */
export function handshake(suite, agreements, kemSecret) {
  const label = SUITE_LABELS.get(suite);
  if (label === undefined) refuse("UsageError", "no such suite");
  if ((suite === PQXDH) !== (kemSecret !== null)) refuse("UsageError", "a KEM secret belongs to suite 2 alone");
  const material = concat(new Uint8Array(32).fill(0xff), ...agreements, ...(kemSecret === null ? [] : [kemSecret]));
  return hkdf(new Uint8Array(32), material, label, 32);
}

/** KDF_RK: the root key is the salt, the agreement the input. [RAT-1] */
export function root(key, agreement) {
  const both = hkdf(key, agreement, ROOT_STEP, 64);
  return { root: both.slice(0, 32), chain: both.slice(32) };
}

/** KDF_CK. [RAT-2] */
export function chain(key) {
  return { message: hmac(key, Uint8Array.of(1)), chain: hmac(key, Uint8Array.of(2)) };
}
