// FLOE with AES-256-GCM and HKDF-Expand-SHA-384, as spec/primitives.md has it.
// Not here: documents (reading.js).

import { gcm } from "@noble/ciphers/aes.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha384 } from "@noble/hashes/sha2.js";
import { ascii, bigEndian, concat, equal } from "../bytes.js";

export const SEGMENT = 65_536;
export const OVERHEAD = 32;
export const HEADER = 74;
const TAG_AT = 42;
const PARAMETERS = concat(Uint8Array.of(0, 0), bigEndian(SEGMENT, 4), bigEndian(32, 4));
const HEADER_TAG = ascii("HEADER_TAG:");
const MESSAGE_KEY = ascii("MESSAGE_KEY:");
const DEK = ascii("DEK:");
const MIDDLE = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
const ROTATION = 2 ** 20;

/** Return the length that a last segment says it has, or null for a segment in the middle. */
export function lastLength(segment) {
  const marker = segment.subarray(0, 4);
  return equal(marker, MIDDLE) ? null : new DataView(marker.buffer, marker.byteOffset).getUint32(0);
}

export class Floe {
  /** `key` has 32 bytes, and so has `iv`. `aad` is what the whole is bound to. */
  constructor(key, iv, aad) {
    this.iv = iv;
    this.aad = aad;
    this.header = concat(PARAMETERS, iv, this.derive(key, HEADER_TAG, 32));
    this.messageKey = this.derive(key, MESSAGE_KEY, 48);
    this.keyNumber = null;
  }

  /** Return the stream of a header, or null if the header is not that of this key. [PRIM-17] */
  static read(key, header, aad) {
    const found = new Floe(key, header.slice(PARAMETERS.length, TAG_AT), aad);
    return equal(found.header, header) ? found : null;
  }

  /** The 32 bytes that commit to key, iv and associated data. */
  get tag() {
    return this.header.slice(TAG_AT);
  }

  derive(key, purpose, length) {
    // HKDF-Expand with at most one block of output, because no length exceeds 48.
    return hmac(sha384, key, concat(PARAMETERS, this.iv, purpose, this.aad, Uint8Array.of(1))).slice(0, length);
  }

  cipher(number, nonce, final) {
    const first = number - (number % ROTATION);
    if (this.keyNumber !== first) {
      this.segmentKey = this.derive(this.messageKey, concat(DEK, bigEndian(first, 8)), 32);
      this.keyNumber = first;
    }
    return gcm(this.segmentKey, nonce, concat(bigEndian(number, 8), Uint8Array.of(final ? 1 : 0)));
  }

  /** Return the text of a segment, or null if it does not authenticate in this place. */
  open(number, segment, final) {
    const length = lastLength(segment);
    if (segment.length < OVERHEAD || (length ?? segment.length) !== segment.length || (length !== null) !== final) return null;
    try {
      return this.cipher(number, segment.slice(4, 16), final).decrypt(segment.subarray(16));
    } catch {
      return null;
    }
  }

  /** For vectors only: a nonce of the caller's. */
  seal(number, nonce, text, final) {
    const marker = final ? bigEndian(text.length + OVERHEAD, 4) : MIDDLE;
    return concat(marker, nonce, this.cipher(number, nonce, final).encrypt(text));
  }
}
