// A second lock: the recovery key in two halves, what is signed about them, and whoever asks for them.
// Not here: what a server holds and counts.

import { ascii, concat, equal } from "../bytes.js";
import * as cbor from "../cbor.js";
import { Refusal, refuse } from "../errors.js";
import * as hpke from "../hpke.js";
import { sha256 } from "../kdf.js";
import { U32 } from "../limits.js";
import { decode, encode } from "./bodies.js";
import * as devices from "./device.js";
import { SERVERS } from "./password.js";
import { writeDeposit } from "./second-lock-bodies.js";

const HALF = ascii("letterlock-v1 half of a recovery key");
const RELEASE = ascii("letterlock-v1 released half of a key");

const xor = (one, other) => one.map((byte, at) => byte ^ other[at]);
const commitment = (server, userId, half) => sha256(concat(HALF, Uint8Array.of(server), userId, half));
const commitmentOf = (deposit, server) => deposit[`commitment_${server}`];
const same = (one, other) => equal(cbor.encode(writeDeposit(one)), cbor.encode(writeDeposit(other)));

/** The newest deposit that both servers hold. [REC-43] */
function common(...held) {
  const within = (list, each) => list.some((other) => same(each, other));
  const [mine, theirs] = [held[0].filter((each) => within(held[1], each)), held[1].filter((each) => within(held[0], each))];
  const alike = mine.length === theirs.length && mine.every((each, at) => same(each, theirs[at]));
  if (!alike) refuse("ServerAtFault", "deposits in another order");
  return mine.at(-1) ?? refuse("ServerAtFault", "no deposit in common");
}

/** Cut a recovery key into halves. `shown` are the answers to `watch`. Returns what `lay` brings to each server. [REC-35] */
export function cut(recoveryKey, userId, delay, shown, half1) {
  const halves = [half1, xor(recoveryKey, half1)];
  const [commitment_1, commitment_2] = SERVERS.map((server, at) => commitment(server, userId, halves[at]));
  const deposit = { delay, commitment_1, commitment_2 };
  return SERVERS.map((_, at) => {
    if (shown[at].number >= U32) refuse("ServerAtFault", "the last number that there is");
    return { user_id: userId, number: shown[at].number + 1, deposit, half: halves[at] };
  });
}

/** What `keep` says to each server after an interruption. */
export function keep(userId, shown) {
  const deposit = common(...shown.map(({ deposits }) => deposits));
  return shown.map(({ number }) => ({ user_id: userId, number, deposit }));
}

/** Verify a signed call as the server does. [REC-36] [REC-41] [REC-45] */
export function verifyChange(server, kind, data, snapshots) {
  if (["lay", "keep", "notify"].includes(kind)) devices.verifyChange(server, kind, data, snapshots);
  else devices.verifyByAny(server, kind, data, snapshots);
}

/** Somebody who asks for both halves. `seed` is the key to which they will be sealed, 32 bytes. [REC-40] */
export class Asking {
  #seed;

  constructor(userId, seed) {
    this.userId = userId;
    this.#seed = seed;
  }

  request() {
    return encode("ask", { user_id: this.userId, key: hpke.publicOf(this.#seed) });
  }

  take({ wait_id }) {
    return encode("take", { user_id: this.userId, wait_id });
  }

  /** The recovery key, from what both servers give. */
  finish(first, second) {
    const answers = [first, second].map((each) => decode("given", each));
    requireOver(answers);
    const deposit = common(...answers.map(({ halves }) => halves.map((each) => each.deposit)));
    return xor(...SERVERS.map((server, at) => this.#half(server, answers[at], deposit)));
  }

  #half(server, { wait, halves }, deposit) {
    const { sealed } = halves.find((each) => same(each.deposit, deposit));
    const info = concat(RELEASE, cbor.encode([server, this.userId, wait.wait_id, writeDeposit(deposit)]));
    let half;
    try {
      half = hpke.open(this.#seed, info, sealed);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse("ServerAtFault", `server ${server}: a half that is not sealed to this key`);
    }
    if (!equal(commitment(server, this.userId, half), commitmentOf(deposit, server))) { // [REC-43]
      refuse("ServerAtFault", `server ${server}: another half than that of the deposit`);
    }
    return half;
  }
}

/** Both delays are over, and both servers give a half. [REC-38] */
function requireOver(answers) {
  let waits = false;
  for (const [at, { wait, halves }] of answers.entries()) {
    if (wait === null) refuse("RecoveryRefused", `the wait at server ${SERVERS[at]} was stopped or replaced`);
    if (wait.left > 0 || !wait.told) waits = true;
    else if (halves.length === 0) refuse("ServerAtFault", `server ${SERVERS[at]} gives no half after the delay`);
  }
  if (waits) refuse("HalfWaits", "a server gives its half later");
}
