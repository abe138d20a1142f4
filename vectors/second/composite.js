// Composite signatures: ML-DSA-65 and Ed25519 over the same bytes, and both must verify.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { ml_dsa65 as mlDsa } from "@noble/post-quantum/ml-dsa.js";
import { ascii, concat, equal } from "./bytes.js";
import { refuse } from "./errors.js";
import { verifyEdwards } from "./xeddsa.js";

export const ML_DSA_KEY = 1_952;
export const SIGNATURE = 3_373;
const ML_DSA_SIGNATURE = 3_309;
const PREFIX = ascii("CompositeAlgorithmSignatures2025");
const LABEL = ascii("COMPSIG-MLDSA65-Ed25519-SHA512");

/** Return the public key of a 64-byte seed. [PRIM-14] */
export function publicOf(seed) {
  return concat(mlDsa.keygen(seed.slice(0, 32)).publicKey, ed25519.getPublicKey(seed.slice(32)));
}

/** Check that 32 bytes are the one encoding of a point of prime order. [PRIM-12] */
export function checkEdwards(key) {
  let point;
  try {
    point = ed25519.Point.fromBytes(key, false);
  } catch {
    refuse("InvalidKey", "no point of the curve in its canonical form");
  }
  const canonical = equal(point.toBytes(), key);
  if (!canonical || point.isSmallOrder() || !point.isTorsionFree()) refuse("InvalidKey", "a point that is not of prime order");
}

const coveredBy = (message, context) => concat(PREFIX, LABEL, Uint8Array.of(context.length), context, sha512(message));

/** Sign with the private key of a 64-byte seed. */
export function sign(seed, message, context) {
  const covered = coveredBy(message, context);
  const half = mlDsa.sign(covered, mlDsa.keygen(seed.slice(0, 32)).secretKey, { context: LABEL });
  return concat(half, ed25519.sign(covered, seed.slice(32)));
}

/** Verify a signature under the two halves of a public key. [PRIM-13] */
export function verify({ mlDsaKey, edwards }, message, signature, context) {
  if (mlDsaKey.length !== ML_DSA_KEY || edwards.length !== 32) refuse("InvalidKey", "a composite key of another length");
  checkEdwards(edwards);
  if (signature.length !== SIGNATURE) refuse("InvalidSignature", "a composite signature of another length");
  const covered = coveredBy(message, context);
  verifyEdwards(edwards, covered, signature.slice(ML_DSA_SIGNATURE));
  const sound = mlDsa.verify(signature.slice(0, ML_DSA_SIGNATURE), covered, mlDsaKey, { context: LABEL });
  if (!sound) refuse("InvalidSignature", "the ML-DSA half does not verify");
}
