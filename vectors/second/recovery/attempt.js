// An attempt to open a lock: which lock, what both servers are asked, and who is at fault.

import { ed25519 } from "@noble/curves/ed25519.js";
import { ascii, concat, equal, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import { checkEdwards } from "../composite.js";
import { Refusal, refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import { verifyEdwards } from "../xeddsa.js";
import { decode, encode } from "./bodies.js";
import * as locks from "./lock.js";
import { SERVERS, serverInput } from "./password.js";
import { Blinding } from "./voprf.js";

const SUCCESS = ascii("letterlock-v1 success of a recovery");

/** The newest lock that both servers show, with the same bytes. `first` and `second` are their answers. [REC-6] */
export function choose(userId, first, second) {
  const ids = [first, second].map(({ locks: shown }) => new Set(shown.map((each) => toHex(each.lock_id))));
  const common = [first, second].map(({ locks: shown }) => shown.filter((each) => ids.every((known) => known.has(toHex(each.lock_id)))));
  const [mine, theirs] = common;
  const same = mine.length === theirs.length && mine.every((each, at) => equal(each.encoded, theirs[at].encoded));
  if (!same) refuse("ServerAtFault", "locks that differ, or stand in another order");
  if (mine.some((each) => !equal(each.user_id, userId))) refuse("ServerAtFault", "a lock of another user");
  return mine.at(-1) ?? refuse("ServerAtFault", "no lock in common");
}

export class Attempt {
  #blindings;

  /** `stretched` is what Argon2id gave for the password and this lock. */
  constructor(lock, stretched) {
    this.lock = lock;
    const name = { userId: lock.user_id, lockId: lock.lock_id };
    this.#blindings = SERVERS.map((server) => new Blinding(serverInput(server, name, stretched)));
  }

  get blindings() {
    return this.#blindings;
  }

  get name() {
    return { user_id: this.lock.user_id, lock_id: this.lock.lock_id };
  }

  /** The call for server 2, which is asked first. */
  second() {
    const [mine, theirs] = this.#blindings.map((each) => each.blinded);
    return encode("evaluate", { ...this.name, blinded: theirs, companion: sha256(mine), ticket: null });
  }

  /** The call for server 1, once server 2 has answered. [REC-15] */
  first({ evaluation, ticket }) {
    if (evaluation === null) refuse("LockWaits", "server 2 gives no evaluation yet");
    return encode("evaluate", { ...this.name, blinded: this.#blindings[0].blinded, companion: null, ticket });
  }

  /** Open the lock with both answers. Returns the recovery key, and the calls that tell both servers. */
  finish(first, second) {
    const answers = [first, second];
    const outputs = answers.map((answer, at) => this.#output(at, answer));
    const { recoveryKey, logins } = locks.open(this.lock, outputs);
    const successes = SERVERS.map((server, at) => signSuccess(server, this.name, answers[at].nonce, logins[at]));
    return { recoveryKey, successes };
  }

  /** [REC-7] */
  #output(at, { evaluation }) {
    if (evaluation === null) refuse("LockWaits", `server ${SERVERS[at]} gives no evaluation yet`);
    try {
      return this.#blindings[at].finish(evaluation, [this.lock.public_1, this.lock.public_2][at]);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refuse("ServerAtFault", `server ${SERVERS[at]}: ${error.message}`);
    }
  }
}

const successInput = (server, { user_id: userId, lock_id: lockId }, nonce) => concat(SUCCESS, cbor.encode([server, userId, lockId, nonce]));

/** [REC-8] */
function signSuccess(server, name, nonce, seed) {
  return encode("succeed", { ...name, nonce, signature: ed25519.sign(successInput(server, name, nonce), seed) });
}

/** Verify a success as the server does. [REC-8] */
export function verifySuccess(key, server, data) {
  const { nonce, signature, ...name } = decode("succeed", data);
  checkEdwards(key);
  verifyEdwards(key, successInput(server, name, nonce), signature);
}
