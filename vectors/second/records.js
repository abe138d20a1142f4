// Stored records. A record that cannot be read is damaged. [STO-3]
// Not here: the encryption around them (store.js).

import * as addresses from "./address.js";
import * as braid from "./braid.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { INDICES, codewordCount } from "./erasure.js";
import { refuse, refusingAs } from "./errors.js";
import { SEED_SIZE } from "./kem.js";
import { M_SIZE, VECTOR_SIZE } from "./kem-split.js";
import { CROSSED, HEADER_SIZE, PQXDH, U32, USED, X3DH } from "./limits.js";
import { isKem } from "./prekeys.js";
import * as ratchet from "./ratchet.js";
import * as typed from "./typed.js";

const LIMITS = { nesting: 4, items: 64 };
const TIME = 2n ** 63n - 1n;
const FORMAT = 1;
const SESSION_FORMAT = 2; // [STO-6]

const key = (item) => typed.bytes(item, 32);
const publicKey = curve.fromItem;

function read(data, readItem) {
  return refusingAs("CorruptStore", () => readItem(cbor.decode(data, LIMITS)));
}

function formatted(item, length) {
  typed.array(item, length);
  typed.integer(item[0], FORMAT, FORMAT);
  return item.slice(1);
}

export function account(data) {
  return read(data, (item) => {
    const [address, secret, open, nextId, signedId, lastResortId, rotated] = formatted(item, 8);
    return {
      address: addresses.fromItem(address),
      private: key(secret),
      public: publicKey(open),
      nextId: typed.integer(nextId, 0, U32 + 1),
      signedId: typed.u32(signedId),
      lastResortId: typed.u32(lastResortId),
      rotated: typed.integer(rotated, 0, TIME),
    };
  });
}

function checkUsed(names) {
  const { length } = typed.bytes(names, 32, 32 * USED);
  if (length % 32 !== 0) refuse("MalformedMessage", "names of used prekeys that are cut short");
}

export function peer(data) {
  return read(data, (item) => {
    typed.array(item, 3, 4);
    typed.integer(item[0], item.length - 2, item.length - 2); // format 2 has the used prekeys as well
    const [, address, identity, used] = item;
    if (used !== undefined) checkUsed(used);
    return { address: addresses.fromItem(address), identity: publicKey(identity) };
  });
}

export function prekey(kind, data) {
  return read(data, (item) => {
    const [secret, signature] = typed.array(item, 2);
    return { secret: typed.bytes(secret, isKem(kind) ? SEED_SIZE : 32), signature: typed.bytes(signature, 64) };
  });
}

/** Return the fields of a session after its format. Format 1 ends before the last two. [STO-6] */
function sessionFields(item) {
  typed.array(item, 7, 9);
  if (item.length === 7) return [...formatted(item, 7), 0, 0];
  typed.array(item, 9);
  typed.integer(item[0], SESSION_FORMAT, SESSION_FORMAT);
  return item.slice(1);
}

export function session(data) {
  return read(data, (item) => {
    const [phase, suite, associatedData, handshake, promoteNext, state, born, yields] = sessionFields(item);
    const initiated = typed.integer(phase, 0, 2) === 0;
    const ended = phase === 2;
    typed.integer(suite, X3DH, PQXDH);
    key(associatedData);
    typed.bytes(handshake, 0, initiated ? HEADER_SIZE : 32);
    if (!initiated && handshake.length !== 0) key(handshake);
    typed.integer(promoteNext, 0, initiated || ended ? 0 : 1);
    typed.integer(born, 0, TIME);
    typed.integer(yields, 0, initiated || ended ? 0 : CROSSED);
    const read = { suite, associatedData, handshake, promoteNext: promoteNext === 1 };
    if (ended) {
      typed.array(state, 0);
      return { ...read, state: "Ended", braid: null };
    }
    if (suite === X3DH) return { ...read, state: ratchetState(state, initiated), braid: null };
    const [double, chains, braided] = typed.array(state, 3);
    const name = ratchetState(double, initiated);
    sparseState(chains);
    const braidName = braidState(braided);
    checkEpochs(chains, braided);
    return { ...read, state: name, braid: braidName };
  });
}

const STATES = [
  { name: ratchet.UNANSWERED, fields: [key, key, publicKey, publicKey, key, typed.u32] },
  { name: ratchet.HEARING, fields: [key, publicKey, key, typed.u32, typed.u32] },
  { name: ratchet.SPEAKING, fields: [key, key, publicKey, key, typed.u32, publicKey, key, typed.u32, typed.u32] },
];

/** Check a whole state and return its name. */
function ratchetState(item, initiated) {
  typed.array(item, 1, 10);
  const form = initiated ? typed.integer(item[0], 0, 0) : typed.integer(item[0], 1, 2);
  const { name, fields } = STATES[form];
  if (item.length !== fields.length + 1) refuse("MalformedMessage", "a state of another length");
  fields.forEach((field, index) => field(item[index + 1]));
  return name;
}

function sparseState(item) {
  const [root, latest, sending, receiving, previous, initiator] = typed.array(item, 6);
  key(root);
  typed.u32(latest);
  for (const chain of [sending, receiving]) {
    const [epoch, chainKey, last, next] = typed.array(chain, 4);
    typed.u32(epoch);
    key(chainKey);
    typed.u32(last);
    typed.optional(next, key);
  }
  typed.u32(previous);
  typed.integer(initiator, 0, 1);
}

// The states that have a seed, m, the index of the next codeword, the indices of received codewords.
const WITH_SEED = [1, 2, 3, 4];
const WITH_M = [7, 9];
const WITH_SENT = [1, 2, 3, 7, 8, 10];
const WITH_COLLECTED = [2, 4, 5, 7, 9];
const WITH_SECRET = [7, 8, 9, 10]; // the epoch's secret is already known

const present = (wanted, item, read) => {
  if ((item !== null) !== wanted) refuse("MalformedMessage", "a field that does not go with the state");
  typed.optional(item, read);
};

/** Check the braid's state and return its name. */
function braidState(item) {
  const [state, epoch, root, authenticator, secret, sent, collected] = typed.array(item, 7);
  typed.integer(state, 0, braid.STATES.length - 1);
  typed.integer(epoch, 1, U32);
  key(root);
  key(authenticator);
  const size = WITH_SEED.includes(state) ? SEED_SIZE : M_SIZE;
  present(size === SEED_SIZE || WITH_M.includes(state), secret, (bytes) => typed.bytes(bytes, size));
  present(WITH_SENT.includes(state), sent, (index) => typed.integer(index, 0, INDICES - 1));
  present(WITH_COLLECTED.includes(state), collected, indicesCame);
  return braid.STATES[state];
}

/** Refuse sparse chains in epochs that the braid's state rules out. [STO-8] */
function checkEpochs([, latest, [sends, , , sendsNext], [hears, , , hearsNext]], [state, epoch]) {
  const begun = epoch - 1;
  const behind = (allowed) => (allowed.includes(state) ? [begun, begun - 1] : [begun]);
  const fits =
    latest === (WITH_SECRET.includes(state) ? epoch : begun) &&
    behind([0, 5, 6]).includes(sends) &&
    behind([5]).includes(hears) &&
    (sendsNext !== null) === (sends !== latest) &&
    (hearsNext !== null) === (hears !== latest);
  if (!fits) refuse("MalformedMessage", "the chains and the braid are in different epochs");
}

/** Check indices of two bytes each, all different, and no more than a vector, the longest text, has. [RAT-12] */
function indicesCame(item) {
  if (typed.bytes(item, 0, 2 * codewordCount(VECTOR_SIZE)).length % 2 !== 0) refuse("MalformedMessage", "half an index");
  const indices = Array.from({ length: item.length / 2 }, (_, at) => (item[2 * at] << 8) | item[2 * at + 1]);
  if (new Set(indices).size !== indices.length) refuse("MalformedMessage", "an index that repeats");
}
