// Authenticated encryption: ChaCha20-Poly1305 for messages, XChaCha20-Poly1305 for stored records.

import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { refuse } from "./errors.js";

export function seal(key, nonce, text, associated) {
  return chacha20poly1305(key, nonce, associated).encrypt(text);
}

/** All failures look the same, whatever their cause. [PRIM-8] */
export function open(key, nonce, sealed, associated) {
  try {
    return chacha20poly1305(key, nonce, associated).decrypt(sealed);
  } catch {
    return refuse("AuthenticationFailed", "the message does not authenticate");
  }
}

export function openStored(key, nonce, sealed, associated, name) {
  try {
    return xchacha20poly1305(key, nonce, associated).decrypt(sealed);
  } catch {
    return refuse(name, "the record does not authenticate");
  }
}

export function sealStored(key, nonce, text, associated) {
  return xchacha20poly1305(key, nonce, associated).encrypt(text);
}
