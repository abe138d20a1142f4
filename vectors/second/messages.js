// Messages: initial, ratchet and triple. Decoding, in the order of spec/wire.md, and encoding.
// Not here: bundles and publications (prekeys.js), encryption (sealing.js).

import { BARE, TYPES } from "./braid.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { BUNDLE, elements, INITIAL, PUBLICATION, RATCHET, TRIPLE, VERSIONS } from "./envelope.js";
import { CODEWORD, INDICES } from "./erasure.js";
import { refuse } from "./errors.js";
import { CIPHERTEXT_SIZE } from "./kem.js";
import { sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import * as typed from "./typed.js";

export { BUNDLE, elements, INITIAL, PUBLICATION, RATCHET, TRIPLE };

const SEALED_LEAST = limits.NONCE_SIZE + limits.PADDED_LEAST + limits.TAG_SIZE;
const SEALED_MOST = limits.NONCE_SIZE + limits.PADDED_MOST + limits.TAG_SIZE;

/** Return the kind of an undecoded message: INITIAL, RATCHET or TRIPLE. */
export function kindOf(data) {
  const { kind } = cbor.peek(data, VERSIONS);
  if (![INITIAL, RATCHET, TRIPLE].includes(kind)) refuse("MalformedMessage", "not a message");
  return kind;
}

function decodeRatchet(data) {
  const found = elements(data, RATCHET, { count: 6, size: limits.MESSAGE_SIZE });
  const [ratchetKey, previousLength, number, sealed] = found.elements;
  typed.u32(previousLength);
  typed.u32(number);
  typed.bytes(sealed, SEALED_LEAST, SEALED_MOST);
  curve.fromItem(ratchetKey); // keys last: a wrong form is named before a wrong key
  return { ratchetKey, previousLength, number, headerBytes: data.slice(0, found.last), sealed };
}

function decodeTriple(data) {
  const found = elements(data, TRIPLE, { count: 12, size: limits.MESSAGE_SIZE });
  const [ratchetKey, previousLength, number, epoch, sparseNumber, sparsePrevious, type, first, codewords, sealed] = found.elements;
  typed.u32(previousLength);
  typed.u32(number);
  typed.integer(epoch, 1, limits.U32);
  typed.integer(sparseNumber, 1, limits.U32);
  typed.u32(sparsePrevious);
  checkCodewords({ type, first, codewords });
  typed.bytes(sealed, SEALED_LEAST, SEALED_MOST);
  curve.fromItem(ratchetKey);
  const pqHeader = { epoch, number: sparseNumber, previous: sparsePrevious, type, first, codewords };
  return { ratchetKey, previousLength, number, pqHeader, headerBytes: data.slice(0, found.last), sealed };
}

/** Refuse a type, first index and codewords that do not go together. [WIRE-12] */
export function checkCodewords({ type, first, codewords }) {
  typed.integer(type, 0, TYPES.length - 1);
  if (BARE.includes(type)) {
    if (first !== null || codewords !== null) refuse("MalformedMessage", "codewords that do not go with the type");
    return;
  }
  typed.integer(first, 0, INDICES - 1);
  typed.bytes(codewords, CODEWORD, CODEWORD * limits.CODEWORDS);
  const count = codewords.length / CODEWORD;
  if (!Number.isInteger(count) || first + count > INDICES) refuse("MalformedMessage", "codewords that are not whole, or beyond the last index");
}

/** Decode a ratchet or triple message of the kind that `kindOf` returned. */
export function decodeMessage(data, kind) {
  return kind === TRIPLE ? decodeTriple(data) : decodeRatchet(data);
}

export function decodeInitial(data) {
  const found = elements(data, INITIAL, { count: 10, size: limits.MESSAGE_SIZE });
  const [suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId, kemId, ciphertext, message] = found.elements;
  typed.integer(suite, limits.X3DH, limits.PQXDH);
  typed.u32(signedPrekeyId);
  typed.optional(oneTimePrekeyId, typed.u32);
  typed.optional(kemId, typed.u32);
  typed.optional(ciphertext, (item) => typed.bytes(item, CIPHERTEXT_SIZE));
  typed.bytes(message, 0, Infinity);
  const wanted = suite === limits.PQXDH;
  if ((kemId !== null) !== wanted || (ciphertext !== null) !== wanted) {
    refuse("MalformedMessage", "KEM fields that do not go with the suite"); // [WIRE-7]
  }
  curve.fromItem(identity);
  curve.fromItem(ephemeral);
  const headerBytes = data.slice(0, found.last);
  return {
    suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId,
    kem: wanted ? { prekeyId: kemId, ciphertext } : null,
    headerBytes,
    handshakeId: sha256(headerBytes),
    message: decodeMessage(message, wanted ? TRIPLE : RATCHET), // [PQR-8]
  };
}

/** Return the header bytes of a ratchet message, or of a triple message if there is a pqHeader. */
export function encodeHeader({ ratchetKey, previousLength, number, pqHeader = null }) {
  if (pqHeader === null) return cbor.encodePrefix([limits.VERSION, RATCHET, ratchetKey, previousLength, number]);
  return cbor.encodePrefix([
    limits.VERSION, TRIPLE, ratchetKey, previousLength, number,
    pqHeader.epoch, pqHeader.number, pqHeader.previous, pqHeader.type, pqHeader.first, pqHeader.codewords,
  ]);
}

/** Return the header bytes of an initial message. */
export function encodeInitialHeader({ suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId, kem }) {
  return cbor.encodePrefix([
    limits.VERSION, INITIAL, suite, identity, ephemeral, signedPrekeyId, oneTimePrekeyId,
    kem === null ? null : kem.prekeyId,
    kem === null ? null : kem.ciphertext,
  ]);
}
