// The encryption of the SQLite store: its keys, values and tags.

import { argon2id } from "@noble/hashes/argon2.js";
import * as aead from "./aead.js";
import { ascii, bigEndian, concat, utf8 } from "./bytes.js";
import { refuse } from "./errors.js";
import { hkdf, hmac } from "./kdf.js";

const FORMAT = 1;
const BY_KEY = 1;
const BY_PASSPHRASE = 2;
const WRAP = ascii("letterlock-v1 store key wrap");
const VALUES = ascii("letterlock-v1 store values");
const INDEX = ascii("letterlock-v1 store index");
const NONCE = 24;
const WRAPPED = NONCE + 32 + 16;
const MEMORY_LEAST = 8 * 1024; // STO-7
const MEMORY_MOST = 2 ** 30; // STO-7
const PASSES_MOST = 16; // STO-7

/** Join columns unambiguously. */
export function parts(...columns) {
  return concat(...columns.map((column) => {
    if (column === null) return ascii("n");
    if (column instanceof Uint8Array) return concat(ascii("b"), bigEndian(column.length, 8), column);
    return concat(ascii("i"), bigEndian(column, 8));
  }));
}

/** Return the data key. `secret` is {key} or {passphrase}. */
export function unwrap({ kind, salt, passes, memory, wrapped }, secret) {
  if (kind !== BY_KEY && kind !== BY_PASSPHRASE) refuse("CorruptStore", "a store key of another kind");
  if (salt.length !== 16 || wrapped.length !== WRAPPED) refuse("CorruptStore", "a header of another length");
  const key = kind === BY_KEY ? wrapKeyOf(secret.key, salt) : stretch(secret.passphrase, salt, passes, memory);
  const associated = parts(WRAP, FORMAT, kind, salt, passes, memory);
  return aead.openStored(key, wrapped.subarray(0, NONCE), wrapped.subarray(NONCE), associated, "WrongKey");
}

// Kind 1 needs no check of passes and memory: unless both are 0, the data key does not authenticate.
function wrapKeyOf(key, salt) {
  if (key === null) refuse("WrongKey", "this store opens with a key");
  if (key.length !== 32) refuse("UsageError", "a store key has 32 bytes");
  return hkdf(salt, key, WRAP, 32);
}

function stretch(passphrase, salt, passes, memory) {
  if (passphrase === null) refuse("WrongKey", "this store opens with a passphrase");
  if (passphrase === "") refuse("UsageError", "the passphrase is empty");
  // The file is not authenticated yet. [STO-7]
  if (passes < 1 || passes > PASSES_MOST || memory < MEMORY_LEAST || memory > MEMORY_MOST) {
    refuse("CorruptStore", "parameters beyond their limits");
  }
  const text = utf8(passphrase.normalize("NFKC"));
  return argon2id(text, salt, { t: passes, m: Math.floor(memory / 1024), p: 1, dkLen: 32, maxmem: 2 ** 32 - 1 });
}

export function open(dataKey, table, columns, value) {
  if (value.length < NONCE + 16) refuse("CorruptStore", "a value that ends early");
  const key = hkdf(new Uint8Array(32), dataKey, VALUES, 32);
  const associated = parts(ascii(table), ...columns);
  return aead.openStored(key, value.subarray(0, NONCE), value.subarray(NONCE), associated, "CorruptStore");
}

export function tag(dataKey, use, columns) {
  const key = hkdf(new Uint8Array(32), dataKey, INDEX, 32);
  return hmac(key, parts(ascii(use), ...columns)).slice(0, 16);
}
