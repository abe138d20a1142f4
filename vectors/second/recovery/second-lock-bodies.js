// The calls and answers of a second lock, after spec/recovery.cddl.

import { answer, request } from "../bodies.js";
import { OVERHEAD } from "../hpke.js";
import * as limits from "../limits.js";
import { blob, flag, id, integer, list, nullable, record, u32 } from "../relay-types.js";
import { hash, kind, signed, xwingKey } from "./types.js";

const HELD = 2;
const HALF = 32;
const SMALL = limits.RECOVERY_BODY;
const SIGNED = limits.SIGNED_RECOVERY_BODY;

const deposit = record([
  ["delay", integer(limits.SHORTEST_DELAY, limits.LONGEST_DELAY)], ["commitment_1", hash], ["commitment_2", hash],
]);
const wait = record([["wait_id", id], ["asked", u32], ["told", flag], ["left", integer(0, limits.LONGEST_DELAY)]]);
const given = record([["deposit", deposit], ["sealed", blob(HALF + OVERHEAD)]]);
const place = record([["kind", kind], ["address", blob(1, limits.CLAIM_SIZE)]]);
const named = [["user_id", hash], ["number", u32]];

/** The bodies, by the names of their rules. */
export const SECOND_LOCK = {
  lay: request(41, SIGNED, [...named, ["deposit", deposit], ["half", blob(HALF)], ...signed]),
  keep: request(51, SIGNED, [...named, ["deposit", deposit], ...signed]),
  ask: request(42, 2 * SMALL, [["user_id", hash], ["key", xwingKey]]),
  asked: answer(SMALL, [["wait", wait]]),
  take: request(43, SMALL, [["user_id", hash], ["wait_id", id]]),
  given: answer(SIGNED, [["wait", nullable(wait)], ["halves", list(given, 0, HELD)]]),
  stop: request(49, SIGNED, [...named, ["wait_id", nullable(id)], ...signed]),
  notify: request(52, SIGNED, [...named, ["place", nullable(place)], ...signed]),
  watch: request(50, SIGNED, [["user_id", hash], ...signed]),
  watched: answer(SMALL, [
    ["number", u32], ["deposits", list(deposit, 0, HELD)], ["wait", nullable(wait)], ["quiet", integer(0, limits.QUIET_SECONDS)],
  ]),
};

/** A deposit as it stands inside an encoding. */
export const writeDeposit = deposit.write;
