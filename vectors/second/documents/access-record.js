// Access records: signed JSON that says who was granted what. [DOC-48] [DOC-49]

import { ascii, equal, fromHex, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as limits from "../limits.js";
import { ERASE, grantLeaf, noteLeaf, readNoteTerms, readTerms, WITHDRAW } from "./grant.js";
import { readPlace } from "./place.js";
import { verify, verifyLeaf } from "./signature.js";
import { readSignedBy, sameSigner } from "./signer.js";
import { canonical, parse } from "./strict-json.js";

const LABEL = "letterlock-v1 access record";
const ACTIONS = { [WITHDRAW]: "withdraw", [ERASE]: "erase" };
const wrong = (problem) => refuse("MalformedMessage", problem);

// --- values -----------------------------------------------------------------------------------------

function object(value, ...keys) {
  const sound = value !== null && typeof value === "object" && !Array.isArray(value)
    && equalKeys(Object.keys(value), keys);
  return sound ? value : wrong("an object with other keys");
}

const equalKeys = (left, right) => left.length === right.length && right.every((key) => left.includes(key));
const list = (value) => (Array.isArray(value) ? value : wrong("not an array"));
const integer = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : wrong("not an integer"));
const hex = (value) => (typeof value === "string" ? fromHex(value) : null) ?? wrong("not hexadecimal");

function base64(value) {
  if (typeof value !== "string" || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) wrong("not base64");
  const binary = atob(value);
  return btoa(binary) === value ? Uint8Array.from(binary, (each) => each.charCodeAt(0)) : wrong("base64 with other bits behind");
}

const signedByOf = (value) => readSignedBy(cbor.decode(base64(value), { nesting: limits.NESTING, items: limits.ITEMS }));

function place(value) {
  const found = list(value);
  if (found.length !== 3) wrong("a place of other elements");
  return readPlace([integer(found[0]), integer(found[1]), list(found[2]).map(hex)]);
}

// --- what a record says -----------------------------------------------------------------------------

function readGrant(value, signatures) {
  const found = object(
    value, "version", "commitment", "recipient", "granter", "issued", "purpose", "valid_until", "terms", "sealed_sha256", "signature", "place");
  const encoded = base64(found.terms);
  if (encoded.length > limits.GRANT_TERMS_SIZE) wrong("terms that are too long");
  const sealedHash = hex(found.sealed_sha256);
  if (sealedHash.length !== 32) wrong("a hash of another length");
  const signature = signatures[integer(found.signature)] ?? wrong("a signature that is not there");
  const terms = readTerms(encoded);
  const words = {
    version: terms.subject.number,
    commitment: toHex(terms.subject.commitment),
    recipient: { kind: terms.recipient.number, data: toHex(terms.recipient.data) },
    granter: { user: toHex(terms.signer.userId), device: terms.signer.deviceId },
    issued: terms.issued,
    purpose: terms.purpose,
    valid_until: terms.validUntil,
    terms: found.terms,
    sealed_sha256: found.sealed_sha256,
    signature: found.signature,
    place: found.place,
  };
  const leaf = grantLeaf(encoded, sealedHash);
  return { words, terms, subject: terms.subject, leaf, hash: sha256(leaf), place: place(found.place), signature };
}

function readNote(value, signatures) {
  const found = object(value, "action", "author", "issued", "reason", "terms", "signature", "place");
  const encoded = base64(found.terms);
  if (encoded.length > limits.NOTE_TERMS_SIZE) wrong("terms that are too long");
  const signature = signatures[integer(found.signature)] ?? wrong("a signature that is not there");
  const terms = readNoteTerms(encoded);
  const words = {
    action: ACTIONS[terms.action],
    author: { user: toHex(terms.signer.userId), device: terms.signer.deviceId },
    issued: terms.issued,
    reason: terms.reason,
    terms: found.terms,
    signature: found.signature,
    place: found.place,
  };
  const subject = { kind: terms.subjectKind, id: terms.subjectId };
  return { words, terms, subject, leaf: noteLeaf(encoded), place: place(found.place), signature };
}

/** Check that `signatures` has each one once, in the order of first use. */
function checkSignatures(given, entries) {
  const used = [...new Set(entries.map((each) => each.words.signature))];
  const inOrder = used.every((number, at) => number === at) && used.length === given.length;
  if (!inOrder || new Set(given).size !== given.length) wrong("signatures in another order");
}

function read(text) {
  const whole = object(parse(text), "record", "signed_by");
  const record = object(whole.record, "format", "subject", "made", "signatures", "grants", "notes");
  const subject = object(record.subject, "kind", "id");
  const signatures = list(record.signatures).map(signedByOf);
  const grants = list(record.grants).map((each) => readGrant(each, signatures));
  const notes = list(record.notes).map((each) => readNote(each, signatures));
  checkSignatures(record.signatures, [...grants, ...notes]);
  const kind = integer(subject.kind);
  const said = {
    format: LABEL,
    subject: { kind, id: toHex(hex(subject.id)) },
    made: integer(record.made),
    signatures: record.signatures,
    grants: grants.map((each) => each.words),
    notes: notes.map((each) => each.words),
  };
  const signed = canonical(record);
  if (!equal(canonical(said), signed)) wrong("words that are not those of the terms"); // [DOC-48]
  return { kind, id: hex(subject.id), made: record.made, grants, notes, signed, signedBy: signedByOf(whole.signed_by) };
}

// --- checking ---------------------------------------------------------------------------------------

export function check(text, lists) {
  const record = read(text);
  const standing = verify(lists, ascii(LABEL), record.signed, record.signedBy);
  const verified = ({ terms, subject, leaf, place: at, signature }) => {
    if (!sameSigner(terms.signer, signature.signer)) wrong("another signer beside a signature");
    if (subject.kind !== record.kind || !equal(subject.id, record.id)) wrong("something about another subject");
    return verifyLeaf(lists, leaf, at, signature);
  };
  record.notes.forEach(verified);
  const grants = record.grants.map((each) => ({ ...each, standing: verified(each), withdrawn: withdrawn(each, record.notes) }));
  const known = new Set(grants.map((each) => toHex(each.hash)));
  const named = grants.filter((each) => each.terms.before !== null).map((each) => toHex(each.terms.before));
  return { ...record, standing, grants, missing: [...new Set(named)].filter((each) => !known.has(each)) };
}

/** Return when the user that made a grant took it back, or null. [DOC-43] */
function withdrawn({ terms, hash }, notes) {
  const times = notes
    .filter((note) => equal(note.terms.signer.userId, terms.signer.userId))
    .filter((note) => note.terms.action === ERASE || note.terms.hashes.some((each) => equal(each, hash)))
    .map((note) => note.terms.issued);
  return times.length === 0 ? null : Math.min(...times);
}
