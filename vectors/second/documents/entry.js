// Entries of the logs of collections and groups: their encoding. [DOC-60] [DOC-71] [GRP-9]
// Not here: the rules of a log (log.js).

import { ascii, concat } from "../bytes.js";
import * as cbor from "../cbor.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as limits from "../limits.js";
import { elements } from "../envelope.js";
import * as typed from "../typed.js";
import { readPlace } from "./place.js";
import { encodeSigner, readSignedBy } from "./signer.js";

export const OF_COLLECTION = 20;
export const OF_GROUP = 30;
const KINDS = { [OF_COLLECTION]: limits.VERSION, [OF_GROUP]: limits.VERSION };
const NAME_SIZE = 284;

export const [CREATE, ADD, REMOVE, LEAVE, ROLE, RENAME, RENEW, CLOSE] = [1, 2, 3, 4, 5, 6, 7, 8];
export const USER = 1;
export const COLLECTION = 2;
const ID_SIZES = { [USER]: 32, [COLLECTION]: 16 };

const positive = (item) => typed.integer(item, 1, limits.U32);
const hash = (item) => typed.bytes(item, 32);
const role = (item) => typed.integer(item, 1, 3);

function name(kind, id) {
  typed.integer(kind, USER, COLLECTION);
  return { kind, id: typed.bytes(id, ID_SIZES[kind]) };
}

function member(item) {
  const [kind, id, its, since, generation] = typed.array(item, 5);
  return { ...name(kind, id), role: role(its), since: typed.u32(since), generation: positive(generation) };
}

function roleChange(item) {
  const [kind, id, its] = typed.array(item, 3);
  return { ...name(kind, id), role: role(its) };
}

function renewed(item) {
  const [kind, id, generation] = typed.array(item, 3);
  return { ...name(kind, id), generation: positive(generation) };
}

const sealedName = (item) => typed.bytes(item, NAME_SIZE);
const nobody = () => refuse("MalformedMessage", "an action without changes");

/** What reads a change of each action, and how many there may be. */
const CHANGES = {
  [CREATE]: [member, limits.MEMBERS],
  [ADD]: [member, limits.MEMBERS],
  [REMOVE]: [(item) => name(...typed.array(item, 2)), limits.MEMBERS],
  [LEAVE]: [nobody, 0],
  [ROLE]: [roleChange, limits.MEMBERS],
  [RENAME]: [sealedName, 1],
  [RENEW]: [nobody, 0],
  [CLOSE]: [nobody, 0],
};

function readLink(item) {
  const [epoch, sealed] = typed.array(item, 2);
  return { epoch: positive(epoch), sealed: typed.bytes(sealed, 80) };
}

function readOpening(item) {
  const [commitment, history, link, itsName, again] = typed.array(item, 5);
  return {
    commitment: hash(commitment),
    history: hash(history),
    link: typed.optional(link, readLink),
    name: sealedName(itsName),
    renewed: typed.array(again, 0, limits.MEMBERS).map(renewed),
  };
}

function readGroupOpening(item) {
  const [commitment, itsName, again, history] = typed.array(item, 4);
  return {
    commitment: hash(commitment),
    name: sealedName(itsName),
    renewed: typed.array(again, 0, limits.MEMBERS).map(renewed),
    history: typed.integer(history, 0, 1),
  };
}

/** The kind of a log and what reads its openings, by the label of its terms. */
const LABELS = {
  "letterlock-v1 collection entry": [OF_COLLECTION, readOpening],
  "letterlock-v1 group entry": [OF_GROUP, readGroupOpening],
};

/** Return an entry of these terms, which this signer names. `place` and `signedBy` are for log.read. */
export function entryOf(encoded, signer, place = null, signedBy = null) {
  const item = cbor.decode(encoded, { nesting: limits.NESTING, items: limits.ENTRY_TERMS_SIZE });
  const [label, number, collection, before, issued, action, changes, epoch, opening] = typed.array(item, 9);
  if (!Object.hasOwn(LABELS, typed.text(label))) refuse("MalformedMessage", "another label");
  const [kind, readsOpening] = LABELS[label];
  positive(number);
  typed.optional(collection, (value) => typed.bytes(value, 16));
  typed.optional(before, hash);
  typed.u32(issued);
  typed.integer(action, CREATE, CLOSE);
  const [read, most] = CHANGES[action];
  return {
    kind, number, collection, before, action,
    changes: typed.array(changes, 0, most).map(read),
    epoch: positive(epoch),
    opening: typed.optional(opening, readsOpening),
    signer, place, signedBy,
    leaf: concat(ascii(label), sha256(encoded)),
    hash: sha256(concat(encodeSigner(signer), encoded)),
  };
}

export function decodeEntry(data) {
  const size = { count: 5, size: limits.ENTRY_SIZE, nesting: limits.NESTING, items: limits.ENTRY_ITEMS };
  const { kind } = cbor.peek(data, KINDS);
  const [encoded, place, signed] = elements(data, kind, size).elements;
  typed.bytes(encoded, 1, limits.ENTRY_TERMS_SIZE);
  const [found, signedBy] = [readPlace(place), readSignedBy(signed)];
  const entry = entryOf(encoded, signedBy.signer, found, signedBy);
  return entry.kind === kind ? entry : refuse("MalformedMessage", "terms of another kind of log"); // [GRP-9]
}
