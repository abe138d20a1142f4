// The readers of grants, and how each of them opens the key in one.

import { argon2id } from "@noble/hashes/argon2.js";
import { concat, equal, utf8 } from "../bytes.js";
import * as hpke from "../hpke.js";
import { sha256 } from "../kdf.js";
import { checkLength, info, openByLink, openUnder } from "./grant.js";

const keyHash = (...seeds) => sha256(concat(...seeds.map(hpke.publicOf)));
const OVERHEAD = 1_136; // of HPKE

/** What opens the key of a grant for each kind of reader: null if the grant is for another one. */
const READERS = {
  user(grant, recipient, { userId, generation, seed }) {
    const ours = equal(recipient.userId, userId) && recipient.generation === generation && equal(recipient.keyHash, keyHash(seed));
    if (!ours) return null;
    checkLength(grant, OVERHEAD);
    return hpke.open(seed, info(grant, 0), grant.sealed);
  },
  collection: (grant, recipient, { id: collection, epoch, key }) =>
    (equal(recipient.id, collection) && recipient.epoch === epoch ? openUnder(grant, key) : null),
  link: (grant, _, { secret }) => openByLink(grant, secret),
  password(grant, { salt, passes, memory }, { password }) {
    checkLength(grant, 28);
    return openUnder(grant, fromPassword(password, salt, passes, memory));
  },
  provisional(grant, recipient, { id: person, seeds }) {
    if (!equal(recipient.id, person) || !equal(recipient.keyHash, keyHash(...seeds))) return null;
    checkLength(grant, 2 * OVERHEAD, 2);
    const middle = grant.sealed.length / 2;
    const halves = [grant.sealed.slice(0, middle), grant.sealed.slice(middle)];
    const [first, second] = halves.map((half, at) => hpke.open(seeds[at], info(grant, at + 1), half));
    return first.map((byte, at) => byte ^ second[at]);
  },
};

const derived = new Map();

/** Argon2id takes long, so a secret is kept for the next grant under the same password and salt. */
function fromPassword(password, salt, passes, memory) {
  const text = password.normalize("NFKC");
  const name = JSON.stringify([text, [...salt], passes, memory]);
  if (!derived.has(name)) {
    derived.set(name, argon2id(utf8(text), salt, { t: passes, m: memory / 1024, p: 1, dkLen: 32, maxmem: 2 ** 32 - 1 }));
  }
  return derived.get(name);
}

/** Return the key in a grant, or null if it is not for this reader. */
export function openKey(grant, reader) {
  const { recipient } = grant.terms;
  return recipient.kind === reader.kind ? READERS[reader.kind](grant, recipient, reader) : null;
}
