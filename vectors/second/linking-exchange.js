// Linking: what the two devices send each other, and what each of them checks.
// Not here: codes, bundles and digits (linking.js), payloads (linking-payload.js).

import { ascii, concat, equal } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as composite from "./composite.js";
import * as curve from "./curve.js";
import * as deviceList from "./device-list.js";
import { refuse } from "./errors.js";
import * as hpke from "./hpke.js";
import { sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import * as linking from "./linking.js";
import { elements } from "./messages.js";
import * as typed from "./typed.js";

const OFFER = 12;
const ANSWER = 13;
const PACKAGE = 14;
const OFFER_LABEL = ascii("letterlock-v1 linking offer");
const PACKAGE_LABEL = ascii("letterlock-v1 linking package");

const id = (item) => typed.integer(item, 1, limits.U32);

function need(holds, problem) {
  if (!holds) refuse("LinkingRefused", problem);
}

// --- encodings ------------------------------------------------------------------------------------

export function encodeOffer({ snapshot, id: device }) {
  return cbor.encode([limits.VERSION, OFFER, snapshot.encoded, device]);
}

export function decodeOffer(data) {
  const [snapshot, device] = elements(data, OFFER, { count: 4, size: limits.LINKING_OFFER_SIZE }).elements;
  typed.bytes(snapshot, 1, limits.SNAPSHOT_SIZE);
  return { snapshot: deviceList.decodeSnapshot(snapshot), id: id(device) };
}

export function encodeAnswer({ id: device, mlDsaKey, identitySignature, signature }, nonce) {
  return cbor.encode([limits.VERSION, ANSWER, device, mlDsaKey, identitySignature, signature, nonce]);
}

export function decodeAnswer(data) {
  const found = elements(data, ANSWER, { count: 7, size: limits.LINKING_ANSWER_SIZE }).elements;
  const [device, mlDsaKey, identitySignature, signature, nonce] = found;
  id(device);
  typed.bytes(mlDsaKey, composite.ML_DSA_KEY);
  typed.bytes(identitySignature, 64);
  typed.bytes(signature, composite.SIGNATURE);
  return { id: device, mlDsaKey, identitySignature, signature, nonce: typed.bytes(nonce, 32) };
}

function encodePackage({ lists, payload, signature }) {
  return cbor.encode([limits.VERSION, PACKAGE, lists.map(deviceList.encode), payload, signature]);
}

function decodePackage(data) {
  const size = { count: 5, size: limits.LINKING_PACKAGE_SIZE, nesting: 2, items: 6 + limits.EVIDENCE_LISTS };
  const [lists, payload, signature] = elements(data, PACKAGE, size).elements;
  const encoded = typed.array(lists, 1, limits.EVIDENCE_LISTS);
  typed.bytes(payload, 0, limits.LINKING_PACKAGE_SIZE);
  typed.bytes(signature, composite.SIGNATURE);
  const decoded = encoded.map((each) => deviceList.decode(typed.bytes(each, 0, limits.DEVICE_LIST_SIZE)));
  return { lists: decoded, payload, signature };
}

// --- both -----------------------------------------------------------------------------------------

/** [USR-20] */
function checkTime({ expires }, now) {
  need(expires - limits.CODE_LIFETIME <= now && now < expires, "a code of another time");
}

const offerInfo = ({ secret, bundleHash }) => concat(OFFER_LABEL, secret, bundleHash);
const packageInfo = ({ secret }, transcript) => concat(PACKAGE_LABEL, secret, transcript);
const transcriptOf = ({ bundleHash }, sealedOffer, answer) => sha256(concat(bundleHash, sha256(sealedOffer), sha256(answer)));
const digitsOf = ({ secret, bundleHash }, sealedOffer, nonce) => linking.digits({ secret, bundleHash, sealedOffer, nonce });

/** Return a device as a snapshot lists it, from its public keys. */
function listed({ identity, edwards, mlDsaKey }, device) {
  return { ...device, identity, edwards, mlDsaHash: sha256(mlDsaKey) };
}

// --- the old device -------------------------------------------------------------------------------

/** Return the offer that adds a device to the newest version of a chain. */
export function makeOffer({ newest, userId, code, bundle, now, device }) {
  checkTime(code, now);
  need(equal(sha256(bundle), code.bundleHash), "a bundle that is not the code's");
  const version = newest.version + 1;
  const added = listed(linking.decodeBundle(bundle), { id: device.id, class: device.class, added: version });
  const devices = [...newest.devices, added].sort((left, right) => left.id - right.id);
  const encoded = deviceList.encodeSnapshot({ ...newest, version, previous: newest.hash, userId, issued: now, devices });
  return { snapshot: deviceList.decodeSnapshot(encoded), id: device.id };
}

export function sealOffer(code, bundle, offer) {
  return hpke.seal(linking.decodeBundle(bundle).receiving, offerInfo(code), encodeOffer(offer));
}

/** Return the digits, and the proof of the new device. */
export function takeAnswer({ code, bundle, offer, sealedOffer, answer, now }) {
  checkTime(code, now);
  const { nonce, ...proof } = decodeAnswer(answer);
  need(equal(sha256(nonce), linking.decodeBundle(bundle).nonceHash), "a nonce that the bundle did not announce"); // [USR-19]
  need(proof.id === offer.id, "an answer of another device");
  const added = offer.snapshot.devices.find((each) => each.id === offer.id);
  deviceList.verifyProof(offer.snapshot, added, proof);
  return { digits: digitsOf(code, sealedOffer, nonce), proof };
}

/** Return the new device list and the sealed package, once the person confirmed. [USR-22] */
export function confirm({ code, bundle, offer, sealedOffer, answer, now, proof, lists, signer, signing, payload }) {
  checkTime(code, now);
  const added = deviceList.sign(offer.snapshot, [proof], signer, signing);
  const transcript = transcriptOf(code, sealedOffer, answer);
  const signature = composite.sign(signing, concat(transcript, payload), PACKAGE_LABEL);
  const whole = encodePackage({ lists: [...lists, added], payload, signature });
  return { added, sealedPackage: hpke.seal(linking.decodeBundle(bundle).receiving, packageInfo(code, transcript), whole) };
}

// --- the new device -------------------------------------------------------------------------------

/** Return the public keys of a new device, whose private ones are identity, signing and receiving. */
function publicKeys({ identity, signing, receiving }) {
  const both = composite.publicOf(signing);
  const [mlDsaKey, edwards] = [both.slice(0, composite.ML_DSA_KEY), both.slice(composite.ML_DSA_KEY)];
  return { identity: curve.publicOf(identity), edwards, mlDsaKey, receiving: hpke.publicOf(receiving) };
}

export function bundleOf(device) {
  return linking.encodeBundle({ ...publicKeys(device), nonceHash: sha256(device.nonce) });
}

/** Open an offer and check that it adds this device. [USR-21] */
export function takeOffer({ device, code, sealedOffer, now }) {
  checkTime(code, now);
  const offer = openOffer(device, code, sealedOffer);
  deviceList.checkForm(offer.snapshot);
  const found = offer.snapshot.devices.find((each) => each.id === offer.id);
  need(found !== undefined, "an id that is not listed");
  const ours = listed(publicKeys(device), { id: offer.id, class: found.class, added: offer.snapshot.version });
  const same = ["identity", "edwards", "mlDsaHash"].every((name) => equal(found[name], ours[name])) && found.added === ours.added;
  need(same, "an offer that does not add this device");
  return { ...offer, digits: digitsOf(code, sealedOffer, device.nonce) };
}

function openOffer(device, code, sealedOffer) {
  return decodeOffer(hpke.open(device.receiving, offerInfo(code), sealedOffer));
}

export function makeAnswer(device, { snapshot, id: ours }) {
  return encodeAnswer(deviceList.prove(snapshot, ours, device), device.nonce);
}

/** Verify a package, in the order of [USR-21]. */
export function takePackage({ device, code, sealedOffer, answer, sealedPackage }) {
  const offer = openOffer(device, code, sealedOffer);
  const transcript = transcriptOf(code, sealedOffer, answer);
  const { lists, payload, signature } = decodePackage(hpke.open(device.receiving, packageInfo(code, transcript), sealedPackage));
  deviceList.verifyChain(lists);
  const [newest, before] = [lists.at(-1), lists.at(-2)];
  need(newest.snapshot.version > 1 && equal(newest.snapshot.encoded, offer.snapshot.encoded), "another list than the offer's");
  const { edwards } = before.snapshot.devices.find((each) => each.id === newest.signer);
  composite.verify({ mlDsaKey: newest.mlDsaKey, edwards }, concat(transcript, payload), signature, PACKAGE_LABEL);
  return { lists, userId: lists[0].snapshot.hash, version: newest.snapshot.version, id: offer.id, payload };
}
