// Signatures of documents, grants and entries, checked with device lists. [DOC-30] to [DOC-32]

import { ascii, bigEndian, concat, equal, toHex } from "../bytes.js";
import * as composite from "../composite.js";
import { rights } from "../device-list.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as merkle from "./merkle.js";
import { encodeSigner } from "./signer.js";

export const LEAVES = ascii("letterlock-v1 grant signature");

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

/** Return how the device that signed a leaf stands. */
export function verifyLeaf(lists, leaf, { index, size, path }, signedBy) {
  const root = merkle.rootFromPath(merkle.leafHash(leaf), index, size, path);
  return verify(lists, LEAVES, concat(bigEndian(size, 4), root), signedBy);
}
