// Who signed something about documents: the encoding, and the check with device lists.

import { concat, equal, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import * as composite from "../composite.js";
import { rights } from "../device-list.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import { U32 } from "../limits.js";
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
    mlDsaKey: typed.bytes(elements[4], composite.ML_DSA_KEY),
    signature: typed.bytes(elements[5], composite.SIGNATURE),
  };
}

export function encodeSigner({ userId, deviceId, version, listHash }) {
  return cbor.encode([userId, deviceId, version, listHash]);
}

export const sameSigner = (left, right) => equal(encodeSigner(left), encodeSigner(right));

/** Device lists on record: the snapshots of each user from version 1, which were verified. */
export class Lists {
  constructor(chains) {
    this.chains = new Map(chains.map((chain) => [toHex(chain[0].hash), chain]));
  }

  of(userId) {
    return this.chains.get(toHex(userId)) ?? null;
  }
}

const listed = (snapshot, id) => snapshot.devices.find((each) => each.id === id);

/** Verify a signature of a message. Returns "listed", or "revoked since". [DOC-30] [DOC-31] */
export function verify(lists, context, message, { signer, mlDsaKey, signature }) {
  const snapshots = lists.of(signer.userId);
  const named = snapshots?.[signer.version - 1];
  if (named === undefined || !equal(named.hash, signer.listHash)) refuse("UnknownAuthor", "no such list is on record");
  const device = listed(named, signer.deviceId);
  if (device === undefined || !rights(device).readsDocuments) refuse("InvalidSignature", "a device that may not sign");
  if (!equal(sha256(mlDsaKey), device.mlDsaHash)) refuse("InvalidSignature", "another ML-DSA key than the listed one");
  composite.verify({ mlDsaKey, edwards: device.edwards }, concat(encodeSigner(signer), message), signature, context);
  const now = listed(snapshots.at(-1), signer.deviceId);
  const stands = now !== undefined && equal(now.edwards, device.edwards) && equal(now.mlDsaHash, device.mlDsaHash);
  return stands ? "listed" : "revoked since";
}
