// The calls by which a server keeps a card and a box, and gives them.

import { ascii, equal } from "../bytes.js";
import * as cbor from "../cbor.js";
import * as composite from "../composite.js";
import { rights } from "../device-list.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import { BODIES, decode, encode } from "./bodies.js";
import { checkCard, listed, verifyBy } from "./device.js";

const KEEPING = ascii("letterlock-v1 keeping of a recovery box");

const COVERED = {
  "put-box": ({ user_id: userId, number, card, box }) => [userId, number, sha256(card.encoded), sha256(box)],
  "get-box": ({ user_id: userId, after, time }) => [userId, after, time],
};
const input = (server, kind, call) => cbor.encode([server, BODIES[kind].number, ...COVERED[kind](call)]);

/** Sign `put-box` or `get-box` for one of the servers. */
export function sign(server, kind, call, signing) {
  const mlDsaKey = composite.publicOf(signing).slice(0, composite.ML_DSA_KEY);
  return encode(kind, { ...call, ml_dsa: mlDsaKey, signature: composite.sign(signing, input(server, kind, call), KEEPING) });
}

/** Verify such a call as the server does. `kept` is the card that it keeps, or null. [REC-21] [REC-22] */
export function verify(server, kind, data, snapshots, kept) {
  const call = decode(kind, data);
  if (!equal(call.user_id, snapshots[0].hash)) refuse("RecoveryRefused", "a call for another user");
  const newest = snapshots.at(-1);
  const covered = [input(server, kind, call), KEEPING];
  if (kind === "get-box" && call.device_id === null) {
    const card = kept === null ? null : decode("card", kept);
    if (card === null || !equal(card.ml_dsa, call.ml_dsa)) refuse("RecoveryRefused", "another recovery device than that of the card, or no card");
    verifyBy(listed(newest), call, covered, "RecoveryRefused");
    return;
  }
  const signer = newest.devices.find((each) => each.id === call.device_id);
  if (signer === undefined || !rights(signer).readsDocuments) refuse("RecoveryRefused", "a device that is not listed, or may not");
  verifyBy(signer, call, covered, "RecoveryRefused");
  if (kind === "put-box") checkCard(call.card.encoded, snapshots);
}
