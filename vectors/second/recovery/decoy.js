// What both servers show of a user without a lock. [REC-12]

import { ascii, concat } from "../bytes.js";
import { hkdf } from "../kdf.js";
import { LEAST_MEMORY, LEAST_PASSES } from "../limits.js";
import { encode } from "./bodies.js";
import { publicOf } from "./voprf.js";

const LABEL = ascii("letterlock-v1 decoy of a lock");

export function decoy(key, userId) {
  const material = hkdf(new Uint8Array(0), key, concat(LABEL, userId), 192);
  return encode("lock", {
    user_id: userId, lock_id: material.slice(0, 16), passes: LEAST_PASSES, memory: LEAST_MEMORY,
    public_1: publicOf(material.slice(16, 48)), public_2: publicOf(material.slice(48, 80)), sealed: material.slice(112),
  });
}
