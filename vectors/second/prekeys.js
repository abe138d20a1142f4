// Prekeys, and the bundles and publications that carry them.
// Not here: which prekeys an account holds, and for how long (account.js).

import * as addresses from "./address.js";
import { ascii, bigEndian, concat } from "./bytes.js";
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

const SIGNATURE_LABEL = ascii("letterlock-v1 prekey signature");

export function isKem(kind) {
  return kind === KEM_ONE_TIME || kind === KEM_LAST_RESORT;
}

export function publicOf(kind, secret) {
  return isKem(kind) ? kem.publicOf(secret) : curve.publicOf(secret);
}

/** Return the bytes that the signature of a prekey covers. [HAND-2] */
function covered({ kind, id, key }) {
  return concat(SIGNATURE_LABEL, Uint8Array.of(kind), bigEndian(id, 4), key);
}

/** Sign the public half of a private key. */
export function make(identity, { kind, id, private: secret, nonce }) {
  const prekey = { kind, id, key: publicOf(kind, secret) };
  return { ...prekey, signature: xeddsa.sign(identity, covered(prekey), nonce) };
}

/** Verify the signatures of all these prekeys. A missing prekey is null. [HAND-1] */
export function verify(identity, prekeys) {
  for (const prekey of prekeys) {
    if (prekey !== null) xeddsa.verify(identity, covered(prekey), prekey.signature);
  }
}

function fromItem(item, kinds) {
  const [kind, id, key, signature] = typed.array(item, 4);
  if (!kinds.includes(kind)) refuse("MalformedMessage", "a prekey of another kind");
  typed.u32(id);
  (isKem(kind) ? kem : curve).fromItem(key);
  typed.bytes(signature, 64);
  return { kind, id, key, signature };
}

function toItem(prekey) {
  return prekey === null ? null : [prekey.kind, prekey.id, prekey.key, prekey.signature];
}

export function decodeBundle(data) {
  const found = elements(data, BUNDLE, { count: 7, size: limits.BUNDLE_SIZE, nesting: limits.NESTING, items: limits.ITEMS });
  const [address, identity, signed, oneTime, kemPrekey] = found.elements;
  return {
    address: addresses.fromItem(address),
    identity: curve.fromItem(identity),
    signed: fromItem(signed, [SIGNED]),
    oneTime: typed.optional(oneTime, (item) => fromItem(item, [ONE_TIME])),
    kem: typed.optional(kemPrekey, (item) => fromItem(item, [KEM_ONE_TIME, KEM_LAST_RESORT])),
  };
}

export function encodeBundle({ address, identity, signed, oneTime, kem: kemPrekey }) {
  return cbor.encode([
    limits.VERSION, BUNDLE, address, identity, toItem(signed), toItem(oneTime), toItem(kemPrekey),
  ]);
}

export function verifyBundle({ identity, signed, oneTime, kem: kemPrekey }) {
  verify(identity, [signed, oneTime, kemPrekey]);
}

export function decodePublication(data) {
  const size = limits.PUBLICATION_SIZE;
  const found = elements(data, PUBLICATION, { count: 8, size, nesting: limits.NESTING, items: limits.ITEMS });
  const [address, identity, signed, lastResort, oneTime, kemOneTime] = found.elements;
  const head = {
    address: addresses.fromItem(address),
    identity: curve.fromItem(identity),
    signed: fromItem(signed, [SIGNED]),
    lastResort: fromItem(lastResort, [KEM_LAST_RESORT]),
  };
  const lists = [oneTime, kemOneTime].map((list) => typed.array(list, 0, limits.PUBLISHED));
  if (lists[0].length !== lists[1].length) refuse("MalformedMessage", "one-time prekeys that do not form pairs"); // [WIRE-11]
  const publication = {
    ...head,
    oneTime: lists[0].map((item) => fromItem(item, [ONE_TIME])),
    kemOneTime: lists[1].map((item) => fromItem(item, [KEM_ONE_TIME])),
  };
  const ids = all(publication).map((prekey) => prekey.id);
  if (new Set(ids).size !== ids.length) refuse("MalformedMessage", "an id twice"); // [WIRE-11]
  return publication;
}

function all({ signed, lastResort, oneTime, kemOneTime }) {
  return [signed, lastResort, ...oneTime, ...kemOneTime];
}

export function encodePublication({ address, identity, signed, lastResort, oneTime, kemOneTime }) {
  return cbor.encode([
    limits.VERSION, PUBLICATION, address, identity, toItem(signed), toItem(lastResort),
    oneTime.map(toItem), kemOneTime.map(toItem),
  ]);
}

export function verifyPublication(publication) {
  verify(publication.identity, all(publication));
}

/** Return all bundles of a publication: one for each pair, and the last-resort bundle. */
export function bundles({ address, identity, signed, lastResort, oneTime, kemOneTime }) {
  const common = { address, identity, signed };
  return {
    pairs: oneTime.map((prekey, index) => ({ ...common, oneTime: prekey, kem: kemOneTime[index] })),
    lastResort: { ...common, oneTime: null, kem: lastResort },
  };
}
