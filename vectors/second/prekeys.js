// Prekeys, and the bundles and publications that carry them.
// Not here: which prekeys an account holds, and for how long (account.js).

import * as addresses from "./address.js";
import { ascii, concat } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import * as kem from "./kem.js";
import * as limits from "./limits.js";
import { BUNDLE, elements, PUBLICATION } from "./messages.js";
import * as typed from "./typed.js";
import * as xeddsa from "./xeddsa.js";

export const SIGNED = 1;
export const ONE_TIME = 2;
export const KEM_ONE_TIME = 3;
export const KEM_LAST_RESORT = 4;
export const KINDS = [SIGNED, ONE_TIME, KEM_ONE_TIME, KEM_LAST_RESORT];

const SIGNATURE_LABEL = ascii("letterlock-v1 bundle signature");

export function isKem(kind) {
  return kind === KEM_ONE_TIME || kind === KEM_LAST_RESORT;
}

export function publicOf(kind, secret) {
  return isKem(kind) ? kem.publicOf(secret) : curve.publicOf(secret);
}

/** Return the public half of a prekey. */
export function make({ kind, id, private: secret }) {
  return { kind, id, key: publicOf(kind, secret) };
}

function fromItem(item, kinds) {
  const [kind, id, key] = typed.array(item, 3);
  if (!kinds.includes(kind)) refuse("MalformedMessage", "a prekey of another kind");
  typed.u32(id);
  (isKem(kind) ? kem : curve).fromItem(key);
  return { kind, id, key };
}

function toItem(prekey) {
  return prekey === null ? null : [prekey.kind, prekey.id, prekey.key];
}

function headFrom([address, identity, madeOn, signed]) {
  return {
    address: addresses.fromItem(address),
    identity: curve.fromItem(identity),
    madeOn: typed.integer(madeOn, 0, limits.LAST_DAY), // [WIRE-13]
    signed: fromItem(signed, [SIGNED]),
  };
}

function headItems({ address, identity, madeOn, signed }) {
  return [address, identity, madeOn, toItem(signed)];
}

const signature = (item) => typed.bytes(item, 64);

export function decodeBundle(data) {
  const found = elements(data, BUNDLE, { count: 9, size: limits.BUNDLE_SIZE, nesting: limits.NESTING, items: limits.ITEMS });
  const [oneTime, kemPrekey, signed] = found.elements.slice(4);
  return {
    ...headFrom(found.elements),
    oneTime: typed.optional(oneTime, (item) => fromItem(item, [ONE_TIME])),
    kem: typed.optional(kemPrekey, (item) => fromItem(item, [KEM_ONE_TIME, KEM_LAST_RESORT])),
    signature: signature(signed),
  };
}

/** Return the encoding of a bundle before the head of its signature. */
function unsigned({ oneTime, kem: kemPrekey, ...head }) {
  return cbor.encodePrefix([limits.BUNDLE_VERSION, BUNDLE, ...headItems(head), toItem(oneTime), toItem(kemPrekey)]);
}

export function encodeBundle(bundle) {
  return concat(unsigned(bundle), cbor.encode(bundle.signature));
}

/** Return the bytes that the signature of a bundle covers. [HAND-2] */
function covered(bundle) {
  return concat(SIGNATURE_LABEL, unsigned(bundle));
}

/** Sign a bundle: everything in it. */
export function sign(identity, bundle, nonce) {
  return { ...bundle, signature: xeddsa.sign(identity, covered(bundle), nonce) };
}

/** [HAND-1] */
export function verifyBundle(bundle) {
  xeddsa.verify(bundle.identity, covered(bundle), bundle.signature);
}

/** Refuse a bundle that is too old by this clock, or of a time to come. [HAND-15] */
export function checkFresh({ madeOn }, now) {
  const age = now - madeOn * limits.DAY;
  if (age > limits.BUNDLE_AGE || -age > limits.BUNDLE_LEAD) refuse("StaleBundle", "a bundle of another time");
}

function pairFrom(item) {
  const [oneTime, kemPrekey, signed] = typed.array(item, 3); // [WIRE-11]
  return { oneTime: fromItem(oneTime, [ONE_TIME]), kem: fromItem(kemPrekey, [KEM_ONE_TIME]), signature: signature(signed) };
}

export function decodePublication(data) {
  const size = limits.PUBLICATION_SIZE;
  const found = elements(data, PUBLICATION, { count: 9, size, nesting: limits.NESTING, items: limits.ITEMS });
  const [lastResort, lastResortSignature, pairs] = found.elements.slice(4);
  const publication = {
    ...headFrom(found.elements),
    lastResort: fromItem(lastResort, [KEM_LAST_RESORT]),
    lastResortSignature: signature(lastResortSignature),
    pairs: typed.array(pairs, 0, limits.PUBLISHED).map(pairFrom),
  };
  const prekeys = [publication.signed, publication.lastResort, ...publication.pairs.flatMap((pair) => [pair.oneTime, pair.kem])];
  if (new Set(prekeys.map((prekey) => prekey.id)).size !== prekeys.length) refuse("MalformedMessage", "an id twice"); // [WIRE-11]
  return publication;
}

export function encodePublication({ lastResort, lastResortSignature, pairs, ...head }) {
  return cbor.encode([
    limits.BUNDLE_VERSION, PUBLICATION, ...headItems(head), toItem(lastResort), lastResortSignature,
    pairs.map((pair) => [toItem(pair.oneTime), toItem(pair.kem), pair.signature]),
  ]);
}

export function verifyPublication(publication) {
  const { pairs, lastResort } = bundles(publication);
  for (const bundle of [lastResort, ...pairs]) verifyBundle(bundle);
}

/** Return all bundles of a publication: one for each pair, and the last-resort bundle. */
export function bundles({ address, identity, madeOn, signed, lastResort, lastResortSignature, pairs }) {
  const common = { address, identity, madeOn, signed };
  return {
    pairs: pairs.map((pair) => ({ ...common, ...pair })),
    lastResort: { ...common, oneTime: null, kem: lastResort, signature: lastResortSignature },
  };
}
