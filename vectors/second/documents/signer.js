// Who signed something about documents: the encoding. [DOC-30]
// Not here: signatures (signature.js).

import { equal } from "../bytes.js";
import * as cbor from "../cbor.js";
import { COMPOSITE_SIGNATURE_SIZE, ML_DSA_KEY_SIZE, U32 } from "../limits.js";
import * as typed from "../typed.js";

const positive = (item) => typed.integer(item, 1, U32);
const hash = (item) => typed.bytes(item, 32);

function fields([userId, deviceId, version, listHash]) {
  return { userId: hash(userId), deviceId: positive(deviceId), version: positive(version), listHash: hash(listHash) };
}

export function readSigner(item) {
  return fields(typed.array(item, 4));
}

export function readSignedBy(item) {
  const elements = typed.array(item, 6);
  const signer = fields(elements);
  return {
    signer,
    mlDsaKey: typed.bytes(elements[4], ML_DSA_KEY_SIZE),
    signature: typed.bytes(elements[5], COMPOSITE_SIGNATURE_SIZE),
  };
}

export function encodeSigner({ userId, deviceId, version, listHash }) {
  return cbor.encode([userId, deviceId, version, listHash]);
}

export const sameSigner = (left, right) => equal(encodeSigner(left), encodeSigner(right));
