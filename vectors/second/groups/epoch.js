// The epochs of a group: what its secret gives, and the heads of chains. [GRP-2] [GRP-5] [GRP-6] [GRP-12]

import { ascii, bigEndian, concat } from "../bytes.js";
import { openName } from "../documents/epoch.js";
import { hkdf, hmac, sha256 } from "../kdf.js";

const CHAIN = ascii("letterlock-v1 chain of a group");
const HEAD = ascii("letterlock-v1 head of a group chain");
const EPOCH = ascii("letterlock-v1 epoch secret of a group");
const NAME = ascii("letterlock-v1 name of a group");

/** What keys are bound to: an epoch {groupId, number, opening}, and a sender {userId, deviceId}. */
const bound = (label, epoch, sender) =>
  concat(label, epoch.groupId, bigEndian(epoch.number, 8), epoch.opening, sender.userId, bigEndian(sender.deviceId, 4));

export const commitment = (secret, number) => hmac(secret, concat(EPOCH, bigEndian(number, 8)));

/** Return the name of a group, or null for one that does not open. */
export const name = (secret, epoch, sealed) => openName(hkdf(new Uint8Array(0), secret, NAME, 32), epoch, sealed);

/** Return the first chain key of a sender in an epoch, and its seed for the next one. */
export function beginChain(seed, secret, epoch, sender) {
  const both = hkdf(secret, seed, bound(CHAIN, epoch, sender), 64);
  return { key: both.slice(0, 32), nextSeed: both.slice(32) };
}

export const firstHead = (epoch, sender) => sha256(bound(HEAD, epoch, sender));

export const nextHead = (head, text) => sha256(concat(head, sha256(text)));
