// The keys of a lock, which take both outputs, and the recovery key that it seals.

import { ed25519 } from "@noble/curves/ed25519.js";
import * as aead from "../aead.js";
import { ascii, concat, equal } from "../bytes.js";
import { refuse } from "../errors.js";
import { hkdf, sha256 } from "../kdf.js";
import { decodeLock, encode, SEALED } from "./bodies.js";

const HEADER = ascii("letterlock-v1 header of a lock");
const KEYS = ascii("letterlock-v1 keys of a lock");
const NONCE = new Uint8Array(12);
const COMMITMENT = 32;
const SEALED_ITEM = 2 + SEALED; // with the head of the byte string

/** What is authenticated with the sealed key: the encoding before it. */
const headerOf = ({ encoded }) => concat(HEADER, encoded.slice(0, -SEALED_ITEM));

/** [REC-2] */
function keysOf(header, outputs) {
  const material = hkdf(sha256(header), concat(...outputs), KEYS, 4 * 32);
  const [login1, login2, key, commitment] = [0, 32, 64, 96].map((at) => material.slice(at, at + 32));
  return { logins: [login1, login2], key, commitment };
}

export const loginKeys = (logins) => logins.map((seed) => ed25519.getPublicKey(seed));

/** Make a lock of both outputs. Returns it with the seeds of both login keys. */
export function seal(fields, outputs, recoveryKey) {
  const empty = decodeLock(encode("lock", { ...fields, sealed: new Uint8Array(SEALED) }));
  const header = headerOf(empty);
  const { logins, key, commitment } = keysOf(header, outputs);
  const sealed = concat(commitment, aead.seal(key, NONCE, recoveryKey, header));
  return { lock: decodeLock(encode("lock", { ...fields, sealed })), logins };
}

/** Open a lock. Returns the recovery key, and the seeds of both login keys. [REC-5] */
export function open(lock, outputs) {
  const header = headerOf(lock);
  const { logins, key, commitment } = keysOf(header, outputs);
  const [found, sealed] = [lock.sealed.slice(0, COMMITMENT), lock.sealed.slice(COMMITMENT)];
  if (!equal(found, commitment)) refuse("WrongPassword", "a lock with another commitment");
  return { recoveryKey: openSealed(key, sealed, header), logins };
}

function openSealed(key, sealed, header) {
  try {
    return aead.open(key, NONCE, sealed, header);
  } catch (error) {
    if (error.name !== "AuthenticationFailed") throw error;
    return refuse("WrongPassword", "a lock that does not open");
  }
}
