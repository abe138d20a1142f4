// Sealing: padding and encrypting under a message key.

import * as aead from "./aead.js";
import { concat } from "./bytes.js";
import * as cbor from "./cbor.js";
import { NONCE_SIZE } from "./limits.js";
import { openMessage } from "./messages.js";
import { pad, unpad } from "./padding.js";

const whole = (nonce) => concat(new Uint8Array(4), nonce);

/** A ratchet message, or a triple one where the header has a part. The nonce has 8 bytes, fresh each time. [SES-1] */
export function seal(messageKey, associatedData, header, plaintext, nonce) {
  const opened = openMessage(header);
  const associated = concat(associatedData, opened);
  const sealed = concat(nonce, aead.seal(messageKey, whole(nonce), pad(plaintext), associated));
  return concat(opened, cbor.encode(sealed));
}

/** The plaintext of a decoded ratchet or triple message; what was opened is authenticated as it came. [WIRE-6] */
export function open(messageKey, associatedData, { opened, sealed }) {
  const nonce = whole(sealed.subarray(0, NONCE_SIZE));
  const associated = concat(associatedData, opened);
  return unpad(aead.open(messageKey, nonce, sealed.subarray(NONCE_SIZE), associated));
}
