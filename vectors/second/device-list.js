// Device lists: their encoding, the rules of spec/user.md, and their signatures.
// Not here: evidence (evidence.js).

import { ascii, concat, equal, toHex } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as composite from "./composite.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import { checkPublic as checkXWing } from "./hpke.js";
import { sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import { elements } from "./messages.js";
import * as typed from "./typed.js";
import * as xeddsa from "./xeddsa.js";

const KIND = 8;
const LABEL = "letterlock-v1 device list";
const LIST_SIGNATURE = ascii("letterlock-v1 list signature");
const PROOF = ascii("letterlock-v1 device proof");

const FULL = 1;
const LIMITED = 2;
const RECOVERY = 3;
const RIGHTS = new Map([
  [FULL, { signs: true, readsDocuments: true, getsMessages: true, revokesAll: false }],
  [LIMITED, { signs: false, readsDocuments: false, getsMessages: true, revokesAll: false }],
  [RECOVERY, { signs: true, readsDocuments: true, getsMessages: false, revokesAll: true }],
]);

/** What a device may do. Another class is as limited as class 2. [USR-4] */
export function rights(device) {
  return RIGHTS.get(device.class) ?? RIGHTS.get(LIMITED);
}

// --- encoding -------------------------------------------------------------------------------------

const positive = (item) => typed.integer(item, 1, limits.U32);
const digest = (item) => typed.bytes(item, 32);

function device(item) {
  const [id, identity, edwards, mlDsaHash, kind, added] = typed.array(item, 6);
  positive(id);
  curve.fromItem(identity);
  typed.bytes(edwards, 32);
  digest(mlDsaHash);
  typed.integer(kind, 1, 255);
  positive(added);
  return { id, identity, edwards, mlDsaHash, class: kind, added };
}

function revokedDevice(item) {
  const [id, version] = typed.array(item, 2).map(positive);
  return { id, version };
}

function documentKey(item) {
  const [generation, key] = typed.array(item, 2);
  positive(generation);
  return { generation, public: typed.bytes(key, 1216) };
}

export function decodeSnapshot(data) {
  if (data.length > limits.SNAPSHOT_SIZE) refuse("MalformedMessage", "a snapshot that is too long");
  const item = cbor.decode(data, { nesting: limits.NESTING, items: limits.SNAPSHOT_SIZE });
  const [label, version, previous, userId, issued, devices, revoked, key] = typed.array(item, 8);
  if (typed.text(label) !== LABEL) refuse("MalformedMessage", "another label");
  positive(version);
  typed.optional(previous, digest);
  typed.optional(userId, digest);
  typed.u32(issued);
  return {
    version,
    previous,
    userId,
    issued,
    devices: typed.array(devices, 0, limits.DEVICES).map(device),
    revoked: typed.array(revoked, 0, limits.REVOKED).map(revokedDevice),
    documentKey: typed.optional(key, documentKey),
    hash: sha256(data), // [USR-1]
    encoded: data,
  };
}

/** The inverse of decodeSnapshot. */
export function encodeSnapshot({ version, previous, userId, issued, devices, revoked, documentKey: key }) {
  return cbor.encode([
    LABEL, version, previous, userId, issued,
    devices.map((each) => [each.id, each.identity, each.edwards, each.mlDsaHash, each.class, each.added]),
    revoked.map((each) => [each.id, each.version]),
    key && [key.generation, key.public],
  ]);
}

function proof(item) {
  const [id, mlDsaKey, identitySignature, signature] = typed.array(item, 4);
  positive(id);
  typed.bytes(mlDsaKey, composite.ML_DSA_KEY);
  typed.bytes(identitySignature, 64);
  typed.bytes(signature, composite.SIGNATURE);
  return { id, mlDsaKey, identitySignature, signature };
}

export function encode({ snapshot, proofs, signer, mlDsaKey, signature }) {
  const shown = proofs.map((each) => [each.id, each.mlDsaKey, each.identitySignature, each.signature]);
  return cbor.encode([limits.VERSION, KIND, snapshot.encoded, shown, signer, mlDsaKey, signature]);
}

export function decode(data) {
  const size = { count: 7, size: limits.DEVICE_LIST_SIZE, nesting: limits.NESTING, items: limits.DEVICE_LIST_ITEMS };
  const [snapshot, proofs, signer, mlDsaKey, signature] = elements(data, KIND, size).elements;
  return {
    snapshot: decodeSnapshot(typed.bytes(snapshot, 1, limits.SNAPSHOT_SIZE)),
    proofs: typed.array(proofs, 0, limits.DEVICES).map(proof),
    signer: positive(signer),
    mlDsaKey: typed.bytes(mlDsaKey, composite.ML_DSA_KEY),
    signature: typed.bytes(signature, composite.SIGNATURE),
  };
}

// --- rules ----------------------------------------------------------------------------------------

function need(holds, problem) {
  if (!holds) refuse("InvalidDeviceList", problem);
}

const keysOf = ({ identity, edwards, mlDsaHash }) => [identity, edwards, mlDsaHash].map(toHex);
const distinct = (values) => new Set(values).size === values.length;
const same = (left, right) => left === right || (left !== null && right !== null && equal(left, right));
const mayRevoke = (signer, other) => signer.id === other.id || signer.added < other.added || rights(signer).revokesAll; // [USR-11]
const addedBy = ({ devices, version }) => devices.filter((each) => each.added === version);

function inOrder(entries, compare) {
  return entries.every((entry, at) => at === 0 || compare(entries[at - 1], entry) <= 0);
}

/** Check what holds for every version. */
export function checkForm({ version, devices, revoked, documentKey: key }) {
  need(inOrder(devices, (left, right) => left.id - right.id), "devices in another order"); // [USR-2]
  need(inOrder(revoked, (left, right) => left.version - right.version || left.id - right.id), "revoked devices in another order");
  need(distinct([...devices, ...revoked].map((each) => each.id)), "an id twice");
  need(distinct(devices.flatMap(keysOf)), "a key twice");
  need(devices.every((each) => each.added <= version) && revoked.every((each) => each.version <= version), "a later version");
  need(devices.filter((each) => each.class === RECOVERY).length <= 1, "two recovery devices"); // [USR-3]
  need(devices.length === 0 || devices.some((each) => rights(each).signs), "nobody may sign"); // [USR-5]
  need((devices.length === 0) === (key === null), "a document key missing or left over");
}

function findSigner(snapshot, id) {
  const signer = snapshot.devices.find((each) => each.id === id);
  need(signer !== undefined && rights(signer).signs, "a signer that may not sign"); // [USR-8]
  return signer;
}

/** Return the signer of version 1. [USR-6] */
function checkFirst({ snapshot, signer }) {
  checkForm(snapshot);
  const { version, previous, userId, revoked, documentKey: key } = snapshot;
  need(version === 1 && previous === null && userId === null && revoked.length === 0, "no version 1");
  const found = findSigner(snapshot, signer);
  need(key.generation === 1, "a first document key of another generation");
  checkXWing(key.public);
  return found;
}

/** Return the signer of the version after `before`. */
function checkNext(before, userId, { snapshot, signer: signerId }) {
  checkForm(snapshot);
  need(snapshot.version === before.version + 1, "a version that does not follow"); // [USR-7]
  need(snapshot.previous !== null && equal(snapshot.previous, before.hash), "another hash before");
  need(snapshot.userId !== null && equal(snapshot.userId, userId), "another user");
  const signer = findSigner(before, signerId);
  const removed = checkDevices(before, snapshot);
  const named = removed.map(({ id }) => ({ id, version: snapshot.version }));
  const expected = [...before.revoked, ...named.sort((left, right) => left.id - right.id)].slice(-limits.REVOKED);
  need(JSON.stringify(snapshot.revoked) === JSON.stringify(expected), "other revoked devices"); // [USR-10]
  need(removed.every((each) => mayRevoke(signer, each)), "a device that it may not revoke");
  const recovers = addedBy(snapshot).some((each) => each.class === RECOVERY);
  need(!recovers || before.devices.every((each) => mayRevoke(signer, each)), "a recovery device that it may not add"); // [USR-12]
  checkDocumentKey(before.documentKey, snapshot.documentKey, removed.length > 0);
  return signer;
}

/** Return the devices that are listed no longer. [USR-9] */
function checkDevices(before, { version, devices }) {
  const shown = (each) => JSON.stringify([each.id, ...keysOf(each), each.class, each.added]);
  const known = new Set(before.devices.map(shown));
  need(devices.every((each) => each.added === version || known.has(shown(each))), "a device that was changed");
  const fresh = devices.filter((each) => each.added === version);
  const ids = new Set([...before.devices, ...before.revoked].map((each) => each.id));
  need(!fresh.some((each) => ids.has(each.id)), "an id of an earlier device");
  const used = new Set(before.devices.flatMap(keysOf));
  need(!fresh.flatMap(keysOf).some((key) => used.has(key)), "a used key");
  const left = new Set(devices.map((each) => each.id));
  return before.devices.filter((each) => !left.has(each.id));
}

/** [USR-13] */
function checkDocumentKey(before, after, revokes) {
  if (after === null || before === null) return;
  const unchanged = after.generation === before.generation && same(after.public, before.public);
  const next = after.generation === before.generation + 1 && !same(after.public, before.public);
  need(next || (unchanged && !revokes), "another document key");
  if (next) checkXWing(after.public);
}

// --- signatures -----------------------------------------------------------------------------------

function verifyOne(listed, mlDsaKey, [covered, signature, context]) {
  need(equal(sha256(mlDsaKey), listed.mlDsaHash), "another ML-DSA key than the listed one");
  composite.verify({ mlDsaKey, edwards: listed.edwards }, covered, signature, context);
}

function verifySignatures({ snapshot, proofs, mlDsaKey, signature }, signer) {
  const added = addedBy(snapshot);
  need(JSON.stringify(proofs.map((each) => each.id)) === JSON.stringify(added.map((each) => each.id)), "other proofs"); // [USR-14]
  verifyOne(signer, mlDsaKey, [snapshot.encoded, signature, LIST_SIGNATURE]); // [USR-15]
  proofs.forEach((each, at) => verifyProof(snapshot, added[at], each));
}

/** Verify that a listed device has its keys. [USR-14] */
export function verifyProof(snapshot, listed, { mlDsaKey, identitySignature, signature }) {
  need(equal(sha256(mlDsaKey), listed.mlDsaHash), "another ML-DSA key than the listed one");
  xeddsa.verify(listed.identity, concat(PROOF, snapshot.hash), identitySignature);
  verifyOne(listed, mlDsaKey, [snapshot.encoded, signature, PROOF]);
}

/** Make the proof of a device. `keys` are its private keys. */
export function prove(snapshot, id, { identity, signing }) {
  return {
    id,
    mlDsaKey: composite.publicOf(signing).slice(0, composite.ML_DSA_KEY),
    identitySignature: xeddsa.sign(identity, concat(PROOF, snapshot.hash)),
    signature: composite.sign(signing, snapshot.encoded, PROOF),
  };
}

/** Sign a snapshot. */
export function sign(snapshot, proofs, signer, signing) {
  const mlDsaKey = composite.publicOf(signing).slice(0, composite.ML_DSA_KEY);
  return { snapshot, proofs, signer, mlDsaKey, signature: composite.sign(signing, snapshot.encoded, LIST_SIGNATURE) };
}

/** Verify the versions after the first `verified` ones of a chain. */
export function verifyChain(chain, verified = 0) {
  chain.slice(verified).forEach((list, index) => {
    const at = verified + index;
    if (at === 0) verifyFirst(list);
    else verifyNext(chain[at - 1].snapshot, chain[0].snapshot.hash, list);
  });
}

/** Verify version 1, whose hash is the user id. */
export function verifyFirst(list) {
  verifySignatures(list, checkFirst(list));
  return list.snapshot.hash;
}

/** Verify the version after a trusted snapshot. */
export function verifyNext(before, userId, list) {
  verifySignatures(list, checkNext(before, userId, list));
}
