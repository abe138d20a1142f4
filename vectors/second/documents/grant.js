// Grants and notes: their encodings, and keys that were sealed under a secret.
// Not here: signatures (place.js), other readers (readers.js), access records (access-record.js).

import * as aead from "../aead.js";
import { ascii, bigEndian, concat, equal } from "../bytes.js";
import * as cbor from "../cbor.js";
import { refuse } from "../errors.js";
import { hkdf, hmac, sha256 } from "../kdf.js";
import * as limits from "../limits.js";
import { elements } from "../envelope.js";
import * as typed from "../typed.js";
import { commitmentOf as sectionCommitment } from "./json-document.js";
import { readPlace } from "./place.js";
import { readSignedBy, readSigner, sameSigner } from "./signer.js";

export const GRANT = 16;
const NOTE = 17;
export const LABEL = "letterlock-v1 terms of a grant";
const NOTE_LABEL = "letterlock-v1 note about grants";
const LEAF = ascii("letterlock-v1 leaf of a grant");
const NOTE_LEAF = ascii("letterlock-v1 leaf of a note");
const GRANTED_KEY = ascii("letterlock-v1 granted key");
const LINK_ID = ascii("letterlock-v1 id of a link");
const SESSION_COMMITMENT = ascii("letterlock-v1 session key commitment");
const EPOCH_COMMITMENT = ascii("letterlock-v1 epoch key commitment");
const NOTHING = new Uint8Array(0);

export const DOCUMENT = 1;
export const COLLECTION = 2;
export const SESSION = 3;
export const SECTION = 4;
export const WITHDRAW = 1;
export const ERASE = 2;

const positive = (item) => typed.integer(item, 1, limits.U32);
const time = (item) => typed.integer(item, 0, limits.TIME);
const hash = (item) => typed.bytes(item, 32);
const id = (item) => typed.bytes(item, 16);
const inner = (data) => cbor.decode(data, { nesting: limits.NESTING, items: limits.ITEMS });

// --- encodings --------------------------------------------------------------------------------------

function readPurpose(item) {
  return typed.isPrintable(typed.text(item), 0, limits.PURPOSE) ? item : refuse("MalformedMessage", "a purpose that is too long or not printable");
}

function readSubject(item) {
  const [kind, subjectId, number, commitment] = typed.array(item, 4);
  return { kind: typed.integer(kind, 1, 255), id: id(subjectId), number: typed.u32(number), commitment: hash(commitment) };
}

/** What reads the data of each kind of recipient. Another kind is kept as it came. [DOC-34] */
const RECIPIENTS = {
  1: (data) => {
    const [userId, generation, keyHash] = typed.array(data, 3);
    return { kind: "user", userId: hash(userId), generation: positive(generation), keyHash: hash(keyHash) };
  },
  2: (data) => {
    const [collection, epoch] = typed.array(data, 2);
    return { kind: "collection", id: id(collection), epoch: positive(epoch) };
  },
  3: (data) => ({ kind: "link", id: id(typed.array(data, 1)[0]) }),
  4: (data) => {
    const [salt, passes, memory] = typed.array(data, 3);
    id(salt);
    return { kind: "password", salt, passes: typed.integer(passes, ...limits.PASSES), memory: typed.integer(memory, ...limits.PASSWORD_MEMORY) };
  },
  5: (data) => {
    const [person, keyHash] = typed.array(data, 2);
    return { kind: "provisional", id: hash(person), keyHash: hash(keyHash) };
  },
};

function readRecipient(item) {
  const [kind, data] = typed.array(item, 2);
  typed.integer(kind, 1, 255);
  typed.bytes(data, 1, limits.RECIPIENT_SIZE);
  const read = RECIPIENTS[kind];
  return { number: kind, data, ...(read === undefined ? { kind: "unknown" } : read(inner(data))) };
}

export function readTerms(data) {
  const [label, subject, recipient, signer, issued, purpose, validUntil, before] = typed.array(inner(data), 8);
  if (typed.text(label) !== LABEL) refuse("MalformedMessage", "another label");
  return {
    subject: readSubject(subject),
    recipient: readRecipient(recipient),
    signer: readSigner(signer),
    issued: time(issued),
    purpose: readPurpose(purpose),
    validUntil: typed.optional(validUntil, time),
    before: typed.optional(before, hash),
  };
}

export function readNoteTerms(data) {
  const [label, action, subjectKind, subjectId, hashes, count, signer, issued, reason] = typed.array(inner(data), 9);
  if (typed.text(label) !== NOTE_LABEL) refuse("MalformedMessage", "another label");
  return {
    action: typed.integer(action, WITHDRAW, ERASE),
    subjectKind: typed.integer(subjectKind, 1, 255),
    subjectId: id(subjectId),
    hashes: typed.array(hashes, 1, limits.NOTE_HASHES).map(hash),
    count: typed.u32(count),
    signer: readSigner(signer),
    issued: time(issued),
    reason: readPurpose(reason),
  };
}

/** Return the leaf of a grant, from its terms and the SHA-256 of its sealed key. [DOC-33] */
export const grantLeaf = (terms, sealedHash) => concat(LEAF, sha256(terms), sealedHash);

export const noteLeaf = (terms) => concat(NOTE_LEAF, sha256(terms));

function signedBySameDevice(terms, signedBy) {
  if (!sameSigner(terms.signer, signedBy.signer)) refuse("MalformedMessage", "another signer beside the signature"); // [DOC-33]
}

export function decodeGrant(data) {
  const size = { count: 6, size: limits.GRANT_SIZE, nesting: limits.NESTING, items: limits.GRANT_ITEMS };
  const [encoded, sealed, place, signed] = elements(data, GRANT, size).elements;
  typed.bytes(encoded, 1, limits.GRANT_TERMS_SIZE);
  typed.bytes(sealed, limits.SEALED_KEY_LEAST, limits.SEALED_KEY_MOST);
  const [found, signedBy] = [readPlace(place), readSignedBy(signed)];
  const terms = readTerms(encoded);
  signedBySameDevice(terms, signedBy);
  const leaf = grantLeaf(encoded, sha256(sealed));
  return { encoded, terms, sealed, place: found, signedBy, leaf, hash: sha256(leaf) };
}

export function decodeNote(data) {
  const size = { count: 5, size: limits.NOTE_SIZE, nesting: limits.NESTING, items: limits.GRANT_ITEMS };
  const [encoded, place, signed] = elements(data, NOTE, size).elements;
  typed.bytes(encoded, 1, limits.NOTE_TERMS_SIZE);
  const [found, signedBy] = [readPlace(place), readSignedBy(signed)];
  const terms = readNoteTerms(encoded);
  signedBySameDevice(terms, signedBy);
  const leaf = noteLeaf(encoded);
  return { encoded, terms, place: found, signedBy, leaf, hash: sha256(leaf) };
}

// --- readers ----------------------------------------------------------------------------------------

/** Return the secret of a link. [DOC-37] */
export function readFragment(text) {
  const sound = /^[A-Za-z0-9_-]{43}$/.test(text);
  const bytes = sound ? Uint8Array.from(atob(`${text.replaceAll("-", "+").replaceAll("_", "/")}=`), (each) => each.charCodeAt(0)) : NOTHING;
  const again = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").slice(0, 43);
  return sound && again === text ? bytes : refuse("MalformedMessage", "not the fragment of a link");
}

export const linkId = (secret) => hmac(secret, LINK_ID).slice(0, 16);

/** What a sealed key is bound to. [DOC-35] */
export const info = ({ encoded }, part) => concat(GRANTED_KEY, sha256(encoded), Uint8Array.of(part));

export function checkLength({ sealed }, overhead, copies = 1) {
  const sound = [32, 64].some((length) => sealed.length === overhead + copies * length);
  if (!sound) refuse("MalformedMessage", "a sealed key of another length"); // [DOC-36]
}

/** Open a key that was sealed under a secret. */
export function openUnder(grant, secret) {
  checkLength(grant, 28);
  const key = hkdf(NOTHING, secret, info(grant, 0), 32);
  return aead.open(key, grant.sealed.slice(0, 12), grant.sealed.slice(12), NOTHING);
}

/** Return the key in a grant to a link, or null if it is not for the link with this secret. */
export function openByLink(grant, secret) {
  const { recipient } = grant.terms;
  return recipient.kind === "link" && equal(recipient.id, linkId(secret)) ? openUnder(grant, secret) : null;
}

/** Check a key against the commitment of its subject. A document's is known when its header is read. [DOC-42] */
export function checkCommitment({ kind, id: subjectId, number, commitment }, key) {
  let sound = key.length === 32;
  if (kind === SESSION) sound &&= equal(hmac(key, concat(SESSION_COMMITMENT, subjectId)), commitment);
  if (kind === SECTION) sound &&= equal(sectionCommitment(key, subjectId, number), commitment);
  if (kind === COLLECTION) sound = equal(hmac(key.slice(0, 32), concat(EPOCH_COMMITMENT, bigEndian(number, 4))), commitment);
  if (!sound) refuse("WrongGrantedKey", "the subject commits to another key");
}

/** Return whether a note ends a grant. [DOC-43] [DOC-45] */
export function ends(note, grant) {
  const { subject, signer } = grant.terms;
  const about = note.terms.subjectKind === subject.kind && equal(note.terms.subjectId, subject.id);
  const named = note.terms.action === ERASE || note.terms.hashes.some((each) => equal(each, grant.hash));
  return about && named && equal(note.terms.signer.userId, signer.userId);
}
