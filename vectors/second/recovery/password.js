// From a password to the inputs of both servers. Nothing that is computed here leaves the client. [REC-1]

import { argon2id } from "@noble/hashes/argon2.js";
import { ascii, concat, utf8 } from "../bytes.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as limits from "../limits.js";

const SALT = ascii("letterlock-v1 salt of a recovery");
const INPUT = ascii("letterlock-v1 input of a recovery");
const SALT_SIZE = 16;

export const SERVERS = [1, 2];

/** [REC-4] */
export const isAcceptable = ({ passes, memory }) =>
  passes >= limits.LEAST_PASSES && passes <= limits.MOST_PASSES && memory >= limits.LEAST_MEMORY && memory <= limits.MOST_MEMORY;

/** Return h. It takes as long as the lock says. */
export function stretch(password, { userId, lockId }, { passes, memory }) {
  if (!isAcceptable({ passes, memory })) refuse("UsageError", "a hardness that no client accepts");
  const text = utf8(password.normalize("NFKC"));
  if (text.length === 0 || text.length > limits.PASSWORD_SIZE) refuse("UsageError", "a password that is empty or too long");
  const salt = sha256(concat(SALT, userId, lockId)).slice(0, SALT_SIZE);
  return argon2id(text, salt, { t: passes, m: Math.floor(memory / 1024), p: 1, dkLen: 32, maxmem: 2 ** 32 - 1 });
}

/** [REC-3] */
export const serverInput = (server, { userId, lockId }, stretched) =>
  concat(INPUT, Uint8Array.of(server), userId, lockId, stretched);
