// XEdDSA over Curve25519 and SHA-512, with a strict verifier.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { concat, equal, littleEndian, readLittleEndian } from "./bytes.js";
import { checkPublic, clamp, P } from "./curve.js";
import { refuse } from "./errors.js";

const Point = ed25519.Point;
const Q = 2n ** 252n + 27742317777372353535851937790883648493n;
const FIRST = concat(Uint8Array.of(0xfe), new Uint8Array(31).fill(0xff));

function hash(...parts) {
  return readLittleEndian(sha512(concat(...parts))) % Q;
}

function invert(value) {
  return Point.Fp.inv(value);
}

/** Return R || s. Each signature needs 64 fresh random bytes as `nonce` [PRIM-4]; only vectors choose them. */
export function sign(key, message, nonce = randomBytes(64)) {
  if (nonce.length !== 64) refuse("UsageError", "a nonce has 64 bytes");
  const scalar = readLittleEndian(clamp(key)) % Q;
  const encoded = Point.BASE.multiply(scalar).toBytes();
  const a = encoded[31] & 0x80 ? Q - scalar : scalar;
  encoded[31] &= 0x7f;
  const r = hash(FIRST, littleEndian(a), message, nonce);
  const R = Point.BASE.multiply(r).toBytes();
  const h = hash(R, encoded, message);
  return concat(R, littleEndian((r + h * a) % Q));
}

/** Return the Edwards point with sign bit 0 for a Montgomery u. */
function edwardsKey(u) {
  const value = readLittleEndian(u);
  return littleEndian((((value - 1n + P) % P) * invert((value + 1n) % P)) % P);
}

/** Decode a point from its canonical encoding. [PRIM-5] */
function point(encoded) {
  let decoded;
  try {
    decoded = Point.fromBytes(encoded, false);
  } catch {
    refuse("InvalidSignature", "no point of the curve in its canonical form");
  }
  if (!equal(decoded.toBytes(), encoded)) refuse("InvalidSignature", "a point that is not canonical");
  if (decoded.isSmallOrder()) refuse("InvalidSignature", "a point of low order");
  return decoded;
}

export function verify(key, message, signature) {
  checkPublic(key);
  verifyEdwards(edwardsKey(key), message, signature);
}

/** Verify an Ed25519 signature under the 32 bytes of an Edwards point. [PRIM-5] */
export function verifyEdwards(A, message, signature) {
  if (signature.length !== 64) refuse("InvalidSignature", "a signature of another length");
  const R = signature.slice(0, 32);
  const s = readLittleEndian(signature.subarray(32));
  if (s >= Q) refuse("InvalidSignature", "s is q or more");
  const keyPoint = point(A);
  point(R);
  const h = hash(R, A, message);
  // Compare encodings, and never multiply by the cofactor. [PRIM-5]
  const found = Point.BASE.multiplyUnsafe(s).subtract(keyPoint.multiplyUnsafe(h));
  if (!equal(found.toBytes(), R)) refuse("InvalidSignature", "a signature that does not verify");
}
