// The calls and answers about provisional identities, after spec/provisional.cddl.

import { answer, request } from "../bodies.js";
import { refuse } from "../errors.js";
import { OVERHEAD } from "../hpke.js";
import * as limits from "../limits.js";
import { blob, list, nullable, record, signature, u32 } from "../relay-types.js";
import { edwardsKey, hash, kind, xwingKey } from "./types.js";

const SEED = 32;
const SMALL = limits.RECOVERY_BODY;

const address = ["address", blob(1, limits.CLAIM_SIZE)];
const seed = record([["id", hash], ["sealed", blob(SEED + OVERHEAD)]]);

function checkMade({ key, user_id: userId }) {
  if ((key === null) === (userId === null)) refuse("MalformedMessage", "a key and a user, or neither");
}

/** The bodies, by the names of their rules. */
export const PROVISIONAL = {
  make: request(44, SMALL, [["kind", kind], address, ["id", hash], ["owner", edwardsKey], ["end", u32]]),
  made: answer(2 * SMALL, [["key", nullable(xwingKey)], ["user_id", nullable(hash)]], checkMade),
  release: request(45, 2 * SMALL, [["key", xwingKey]]),
  released: answer(limits.RELEASED_SIZE, [["seeds", list(seed, 0, limits.PERSON_IDENTITIES, ({ id }) => id)]]),
  claimed: request(46, 2 * SMALL, [["user_id", hash], ["ids", list(hash, 0, limits.PERSON_IDENTITIES, (id) => id)]]),
  withdraw: request(47, SMALL, [["kind", kind], address, ["id", hash], ["signature", signature]]),
};
