// Messages: initial, ratchet and triple. Decoding, in the order of wire.md, and encoding.
// Not here: bundles and publications (prekeys.js), what is sealed (sealing.js).

import { BARE, TYPES } from "./braid.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { CODEWORD, INDICES } from "./erasure.js";
import { refuse } from "./errors.js";
import { CIPHERTEXT_SIZE } from "./kem.js";
import { sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import * as shape from "./shape.js";

export const INITIAL = 1;
export const RATCHET = 2;
export const BUNDLE = 3;
export const PUBLICATION = 4;
export const TRIPLE = 5;

const SEALED_LEAST = limits.NONCE_SIZE + limits.PADDED_LEAST + limits.TAG_SIZE;
const SEALED_MOST = limits.NONCE_SIZE + limits.PADDED_MOST + limits.TAG_SIZE;

/** Steps 1 to 5 of wire.md: the elements of an encoding of `kind`, not yet looked at, and where the last one begins. */
export function elements(data, kind, { count, size, nesting = 1, items = count + 1 }) {
  const seen = cbor.peek(data, limits.VERSION);
  if (seen.kind !== kind) refuse("MalformedMessage", "another kind");
  if (data.length > size) refuse("MalformedMessage", "too many bytes");
  if (seen.count !== count) refuse("MalformedMessage", "another number of elements");
  const { item, last } = cbor.decodeWithLast(data, { nesting, items });
  return { elements: item.slice(2), last };
}

/** The kind of a message, INITIAL, RATCHET or TRIPLE, before it is decoded. */
export function kindOf(data) {
  const { kind } = cbor.peek(data, limits.VERSION);
  if (![INITIAL, RATCHET, TRIPLE].includes(kind)) refuse("MalformedMessage", "not a message");
  return kind;
}

function decodeRatchet(data) {
  const found = elements(data, RATCHET, { count: 6, size: limits.MESSAGE_SIZE });
  const [ratchetKey, previousLength, number, sealed] = found.elements;
  shape.u32(previousLength);
  shape.u32(number);
  shape.bytes(sealed, SEALED_LEAST, SEALED_MOST);
  curve.fromItem(ratchetKey); // keys last: a wrong form is named before a wrong key
  return { ratchetKey, previousLength, number, opened: data.slice(0, found.last), sealed };
}

function decodeTriple(data) {
  const found = elements(data, TRIPLE, { count: 12, size: limits.MESSAGE_SIZE });
  const [ratchetKey, previousLength, number, epoch, sparseNumber, sparsePrevious, type, first, codewords, sealed] = found.elements;
  shape.u32(previousLength);
  shape.u32(number);
  shape.integer(epoch, 1, limits.U32);
  shape.integer(sparseNumber, 1, limits.U32);
  shape.u32(sparsePrevious);
  checkCodewords({ type, first, codewords });
  shape.bytes(sealed, SEALED_LEAST, SEALED_MOST);
  curve.fromItem(ratchetKey);
  const part = { epoch, number: sparseNumber, previous: sparsePrevious, type, first, codewords };
  return { ratchetKey, previousLength, number, part, opened: data.slice(0, found.last), sealed };
}

/** Whether type, first index and codewords go together. [WIRE-12] */
export function checkCodewords({ type, first, codewords }) {
  shape.integer(type, 0, TYPES.length - 1);
  if (BARE.includes(type)) {
    if (first !== null || codewords !== null) refuse("MalformedMessage", "codewords that do not go with the type");
    return;
  }
  shape.integer(first, 0, INDICES - 1);
  shape.bytes(codewords, CODEWORD, CODEWORD * limits.CODEWORDS);
  const count = codewords.length / CODEWORD;
  if (!Number.isInteger(count) || first + count > INDICES) refuse("MalformedMessage", "codewords in pieces, or beyond the last");
}

/** A message of one of these kinds; `kindOf` has named it. */
export function decodeMessage(data, kind) {
  return kind === TRIPLE ? decodeTriple(data) : decodeRatchet(data);
}

export function decodeInitial(data) {
  const found = elements(data, INITIAL, { count: 10, size: limits.MESSAGE_SIZE });
  const [suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId, kemId, ciphertext, message] = found.elements;
  shape.integer(suite, limits.X3DH, limits.PQXDH);
  shape.u32(signedPrekeyId);
  shape.optional(oneTimePrekeyId, shape.u32);
  shape.optional(kemId, shape.u32);
  shape.optional(ciphertext, (item) => shape.bytes(item, CIPHERTEXT_SIZE));
  shape.bytes(message, 0, Infinity);
  const wanted = suite === limits.PQXDH;
  if ((kemId !== null) !== wanted || (ciphertext !== null) !== wanted) {
    refuse("MalformedMessage", "KEM parts that do not go with the suite"); // [WIRE-7]
  }
  curve.fromItem(identity);
  curve.fromItem(ephemeral);
  const opened = data.slice(0, found.last);
  return {
    suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId,
    kem: wanted ? { prekeyId: kemId, ciphertext } : null,
    opened,
    handshakeId: sha256(opened),
    message: decodeMessage(message, wanted ? TRIPLE : RATCHET), // [PQR-8]
  };
}

/** The bytes of a ratchet message before the head of `sealed`, or of a triple one where there is a part. */
export function openMessage({ ratchetKey, previousLength, number, part = null }) {
  if (part === null) return cbor.encodeOpened([limits.VERSION, RATCHET, ratchetKey, previousLength, number]);
  return cbor.encodeOpened([
    limits.VERSION, TRIPLE, ratchetKey, previousLength, number,
    part.epoch, part.number, part.previous, part.type, part.first, part.codewords,
  ]);
}

/** The bytes of an initial message before the head of the message in it. */
export function openInitial({ suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId, kem }) {
  return cbor.encodeOpened([
    limits.VERSION, INITIAL, suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId,
    kem === null ? null : kem.prekeyId,
    kem === null ? null : kem.ciphertext,
  ]);
}
