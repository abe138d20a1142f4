// X-Wing keys, and HPKE (RFC 9180) in base mode with them: bytes that are sealed for the holder of a key.

import { x25519 } from "@noble/curves/ed25519.js";
import { sha3_256 as sha3, shake256 } from "@noble/hashes/sha3.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { ml_kem768 as kem } from "@noble/post-quantum/ml-kem.js";
import * as aead from "./aead.js";
import { ascii, bigEndian, concat, equal } from "./bytes.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import { hmac } from "./kdf.js";
import { checkCoefficients } from "./kem.js";
import { TAG_SIZE } from "./limits.js";

export const KEY_SIZE = 1_216;
const EK_SIZE = 1_184;
const COEFFICIENTS = 1_152; // bytes of packed coefficients; the matrix seed follows
const CIPHERTEXT_SIZE = 1_088;
const ENCAPSULATION_SIZE = 1_120;
export const OVERHEAD = ENCAPSULATION_SIZE + TAG_SIZE;
const LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);
const SUITE = concat(ascii("HPKE"), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x03));
const VERSION = ascii("HPKE-v1");
const NOTHING = new Uint8Array(0);

// --- X-Wing ---------------------------------------------------------------------------------------

/** Check both halves of a public key. [PRIM-15] */
export function checkPublic(key) {
  if (key.length !== KEY_SIZE) refuse("InvalidKey", "an X-Wing key of another length");
  checkCoefficients(key.subarray(0, COEFFICIENTS));
  curve.checkPublic(key.slice(EK_SIZE));
  return key;
}

function expand(seed) {
  const expanded = shake256(seed, { dkLen: 96 });
  const { publicKey, secretKey } = kem.keygen(expanded.slice(0, 64));
  const private_ = expanded.slice(64);
  return { secretKey, private: private_, public: concat(publicKey, curve.publicOf(private_)) };
}

export function publicOf(seed) {
  return expand(seed).public;
}

function combine(kemSecret, agreement, enc, key) {
  return sha3(concat(kemSecret, agreement, enc.slice(CIPHERTEXT_SIZE), key.slice(EK_SIZE), LABEL));
}

/** Encapsulate with these random bytes: m of ML-KEM, and the ephemeral private key. */
function encapsulate(key, { m, ephemeral }) {
  const { cipherText, sharedSecret } = kem.encapsulate(key.slice(0, EK_SIZE), m);
  const enc = concat(cipherText, curve.publicOf(ephemeral));
  return { enc, secret: combine(sharedSecret, curve.agree(ephemeral, key.slice(EK_SIZE)), enc, key) };
}

/** The X25519 half is read as RFC 7748 says, canonical or not. Returns null for an all-zero agreement. */
function decapsulate(seed, enc) {
  const ours = expand(seed);
  let agreement;
  try {
    agreement = x25519.getSharedSecret(ours.private, enc.slice(CIPHERTEXT_SIZE));
  } catch {
    return null; // the library refuses an all-zero result itself
  }
  if (equal(agreement, new Uint8Array(32))) return null;
  return combine(kem.decapsulate(enc.slice(0, CIPHERTEXT_SIZE), ours.secretKey), agreement, enc, ours.public);
}

// --- HPKE -----------------------------------------------------------------------------------------

const extract = (salt, label, material) => hmac(salt, concat(VERSION, SUITE, ascii(label), material));

function labeledExpand(key, label, context, length) {
  const info = concat(bigEndian(length, 2), VERSION, SUITE, ascii(label), context);
  return hmac(key, concat(info, Uint8Array.of(1))).slice(0, length);
}

function schedule(shared, info) {
  const context = concat(Uint8Array.of(0), extract(NOTHING, "psk_id_hash", NOTHING), extract(NOTHING, "info_hash", info));
  const secret = extract(shared, "secret", NOTHING);
  return { key: labeledExpand(secret, "key", context, 32), nonce: labeledExpand(secret, "base_nonce", context, 12) };
}

export function seal(key, info, text, drawn = { m: randomBytes(32), ephemeral: randomBytes(32) }) {
  const { enc, secret } = encapsulate(checkPublic(key), drawn);
  const { key: under, nonce } = schedule(secret, info);
  return concat(enc, aead.seal(under, nonce, text, NOTHING));
}

/** [PRIM-16] */
export function open(seed, info, sealed) {
  if (sealed.length < OVERHEAD) refuse("MalformedMessage", "a sealed text that is too short");
  const secret = decapsulate(seed, sealed.slice(0, ENCAPSULATION_SIZE));
  if (secret === null) refuse("AuthenticationFailed", "an all-zero agreement");
  const { key, nonce } = schedule(secret, info);
  return aead.open(key, nonce, sealed.slice(ENCAPSULATION_SIZE), NOTHING);
}
