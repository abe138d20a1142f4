// Operations on grants, notes, links, items and access records.

import { equal, fromHex, toHex } from "../bytes.js";
import * as accessRecord from "../documents/access-record.js";
import * as grant from "../documents/grant.js";
import * as item from "../documents/item.js";
import { openKey } from "../documents/readers.js";
import * as reading from "../documents/reading.js";
import { overBytes } from "../documents/run.js";
import { verifyLeaf } from "../documents/signature.js";
import { refuse } from "../errors.js";
import { listsOf, outSigner } from "./documents.js";

const hexOrNull = (bytes) => bytes && toHex(bytes);

/** Verify who signed. A device that was revoked since is refused unless what it signed is taken as older. [DOC-31] */
function standingOf(lists, { leaf, place, signedBy }, revoked) {
  const standing = verifyLeaf(lists, leaf, place, signedBy);
  if (standing !== "listed" && !revoked) refuse("SignerRevoked", "the device was revoked since");
  return standing;
}

function readerOf(given) {
  const kind = given.text("kind");
  const readers = {
    user: () => ({ userId: given.sized("user_id", 32), generation: given.integer("generation"), seed: given.sized("seed", 32) }),
    collection: () => ({ id: given.sized("id", 16), epoch: given.integer("epoch"), key: given.sized("key", 32) }),
    link: () => ({ secret: grant.readFragment(given.text("fragment")) }),
    password: () => ({ password: given.text("password") }),
    provisional: () => ({ id: given.sized("id", 32), seeds: [given.sized("first", 32), given.sized("second", 32)] }),
  };
  return Object.hasOwn(readers, kind) ? { kind, ...readers[kind]() } : given.wrong("kind", "a kind of reader");
}

/** Check that a key opens the front of the document that a grant is about. [DOC-42] [DOC-50] */
function checkFront(data, subject, key) {
  const opened = reading.openFront(overBytes(reading.readFront(), data), key);
  const same = equal(opened.id, subject.id) && opened.version === subject.number && equal(opened.commitment, subject.commitment);
  if (!same) refuse("NoGrant", "the grant is about another document");
}

function open(given) {
  const found = grant.decodeGrant(given.bytes("grant"));
  const [lists, revoked] = [listsOf(given), given.flag("revoked")];
  const standing = standingOf(lists, found, revoked);
  for (const each of given.list("notes")) {
    const note = grant.decodeNote(fromHex(each) ?? given.wrong("notes", "notes"));
    standingOf(lists, note, revoked);
    if (grant.ends(note, found)) refuse("NoGrant", "the grant was withdrawn");
  }
  const { terms } = found;
  if (terms.validUntil !== null && terms.validUntil < given.integer("now")) refuse("NoGrant", "the grant has expired"); // [DOC-44]
  const known = [grant.DOCUMENT, grant.COLLECTION, grant.SESSION, grant.SECTION].includes(terms.subject.kind);
  const key = known ? openKey(found, readerOf(given.object("reader"))) : null; // [DOC-34]
  if (key === null) refuse("NoGrant", "the grant is for somebody else");
  grant.checkCommitment(terms.subject, key);
  given.optional("front", () => checkFront(given.bytes("front"), terms.subject, key));
  return {
    key: toHex(key),
    standing,
    hash: toHex(found.hash),
    subject: {
      kind: terms.subject.kind, id: toHex(terms.subject.id), number: terms.subject.number, commitment: toHex(terms.subject.commitment),
    },
    recipient: { kind: terms.recipient.number, data: toHex(terms.recipient.data) },
    signer: outSigner(terms.signer),
    issued: terms.issued,
    purpose: terms.purpose,
    valid_until: terms.validUntil,
    before: hexOrNull(terms.before),
  };
}

function readNote(given) {
  const note = grant.decodeNote(given.bytes("note"));
  const standing = standingOf(listsOf(given), note, given.flag("revoked"));
  const { terms } = note;
  return {
    hash: toHex(note.hash),
    action: terms.action,
    subject_kind: terms.subjectKind,
    subject_id: toHex(terms.subjectId),
    hashes: terms.hashes.map(toHex),
    count: terms.count,
    signer: outSigner(terms.signer),
    issued: terms.issued,
    reason: terms.reason,
    standing,
  };
}

function readLink(given) {
  const secret = grant.readFragment(given.text("fragment"));
  return { secret: toHex(secret), id: toHex(grant.linkId(secret)) };
}

function sealItem(given) {
  const [key, session] = [given.sized("key", 32), given.sized("session", 16)];
  return { item: toHex(item.seal(key, session, given.sized("item_id", 16), given.bytes("content"))) };
}

function openItem(given) {
  const [key, session, commitment] = [given.bytes("key"), given.sized("session", 16), given.sized("commitment", 32)];
  grant.checkCommitment({ kind: grant.SESSION, id: session, number: 0, commitment }, key); // [DOC-46]
  return { content: toHex(item.open(key, given.bytes("item"))) };
}

function checkRecord(given) {
  const record = accessRecord.check(given.text("record"), listsOf(given));
  return {
    kind: record.kind,
    id: toHex(record.id),
    made: record.made,
    author: toHex(record.signedBy.signer.userId),
    device: record.signedBy.signer.deviceId,
    standing: record.standing,
    grants: record.grants.map((each) => ({ hash: toHex(each.hash), standing: each.standing, withdrawn: each.withdrawn })),
    missing: record.missing,
  };
}

export const grants = {
  "access_record.check": checkRecord,
  "grant.open": open,
  "item.open": openItem,
  "item.seal": sealItem,
  "link.read": readLink,
  "note.read": readNote,
};
