// Sealing: padding and encrypting under a message key.

import * as aead from "./aead.js";
import { concat } from "./bytes.js";
import * as cbor from "./cbor.js";
import { NONCE_SIZE } from "./limits.js";
import { encodeHeader } from "./messages.js";
import { pad, unpad } from "./padding.js";

const whole = (nonce) => concat(new Uint8Array(4), nonce);

/** Seal a ratchet message, or a triple message if the header has a pqHeader. The nonce has 8 fresh bytes. [SES-1] */
export function seal(messageKey, associatedData, header, plaintext, nonce) {
  const headerBytes = encodeHeader(header);
  const associated = concat(associatedData, headerBytes);
  const sealed = concat(nonce, aead.seal(messageKey, whole(nonce), pad(plaintext), associated));
  return concat(headerBytes, cbor.encode(sealed));
}

/** Open a decoded ratchet or triple message. Its header bytes are authenticated as they were received. [WIRE-6] */
export function open(messageKey, associatedData, { headerBytes, sealed }) {
  const nonce = whole(sealed.subarray(0, NONCE_SIZE));
  const associated = concat(associatedData, headerBytes);
  return unpad(aead.open(messageKey, nonce, sealed.subarray(NONCE_SIZE), associated));
}
