// Provisional identities: what a granter asks for and withdraws, and the seeds that a person is given.
// Not here: the grants (documents/).

import { ed25519 } from "@noble/curves/ed25519.js";
import { ascii, concat, equal, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import { checkEdwards } from "../composite.js";
import { refuse, refusingOneAs } from "../errors.js";
import * as hpke from "../hpke.js";
import { hkdf } from "../kdf.js";
import { verifyEdwards } from "../xeddsa.js";
import { decode, encode } from "./bodies.js";
import { SERVERS } from "./password.js";

const OWNER = ascii("letterlock-v1 owner of a provisional identity");
const WITHDRAWAL = ascii("letterlock-v1 withdrawal of a provisional identity");
const RELEASE = ascii("letterlock-v1 released provisional seed");

const ownerSeed = (secret, id) => hkdf(new Uint8Array(0), secret, concat(OWNER, id), 32);
const withdrawalInput = (server, id) => concat(WITHDRAWAL, cbor.encode([server, id]));

/** The owner key of one identity. [PRV-1] */
export const ownerKey = (secret, id) => ed25519.getPublicKey(ownerSeed(secret, id));

/** The call that ends an identity at one server. [PRV-6] */
export function withdraw(server, secret, { kind, address, id }) {
  return encode("withdraw", { kind, address, id, signature: ed25519.sign(withdrawalInput(server, id), ownerSeed(secret, id)) });
}

/** Verify a withdrawal as the server does. [PRV-6] */
export function verifyWithdrawal(key, server, data) {
  const { id, signature } = decode("withdraw", data);
  checkEdwards(key);
  verifyEdwards(key, withdrawalInput(server, id), signature);
}

/** What both servers answer to `make`: both keys, or the user who has claimed the identity. [PRV-4] [PRV-8] */
export function judge(first, second) {
  const [one, other] = [decode("made", first), decode("made", second)];
  if (one.key !== null && other.key !== null) {
    return equal(one.key, other.key) ? refuse("ServerAtFault", "the same key twice") : { keys: [one.key, other.key], userId: null };
  }
  if (one.user_id === null || other.user_id === null) refuse("RecoveryRefused", "a claim that only one server knows");
  if (!equal(one.user_id, other.user_id)) refuse("ServerAtFault", "claims of two users");
  return { keys: null, userId: one.user_id };
}

/** Both seeds of each identity that both servers released to this key. [PRV-5] */
export function seeds(asking, first, second) {
  const [mine, theirs] = [decode("released", first).seeds, decode("released", second).seeds];
  const others = new Map(theirs.map(({ id, sealed }) => [toHex(id), sealed]));
  const open = (server, id, sealed) => refusingOneAs("AuthenticationFailed", "ServerAtFault", () =>
    hpke.open(asking, concat(RELEASE, cbor.encode([server, id])), sealed));
  return mine
    .filter(({ id }) => others.has(toHex(id)))
    .map(({ id, sealed }) => ({ id, seeds: [open(SERVERS[0], id, sealed), open(SERVERS[1], id, others.get(toHex(id)))] }));
}
