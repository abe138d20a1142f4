// The recovery device: its keys, what it signs, and the list that it must stand in.

import { ascii, equal } from "../bytes.js";
import * as cbor from "../cbor.js";
import * as composite from "../composite.js";
import * as curve from "../curve.js";
import * as deviceList from "../device-list.js";
import { Refusal, refuse } from "../errors.js";
import * as hpke from "../hpke.js";
import { hkdf, sha256 } from "../kdf.js";
import { BODIES, changeOf, decode, encode } from "./bodies.js";

const DEVICE = ascii("letterlock-v1 recovery device");
const CHANGE = ascii("letterlock-v1 change of a lock");
const CARD = ascii("letterlock-v1 recovery card");
const CLASS = 3;

/** The private keys of the recovery device. */
export function keysOf(recoveryKey) {
  const material = hkdf(new Uint8Array(0), recoveryKey, DEVICE, 128);
  return { identity: material.slice(0, 32), signing: material.slice(32, 96), receiving: material.slice(96) };
}

export function publicOf({ identity, signing, receiving }) {
  const both = composite.publicOf(signing);
  return {
    identity: curve.publicOf(identity), edwards: both.slice(composite.ML_DSA_KEY), mlDsaKey: both.slice(0, composite.ML_DSA_KEY),
    receiving: hpke.publicOf(receiving),
  };
}

/** Whether a device may change the device list. [USR-4] */
export const changesList = (device) => deviceList.rights(device).signs;

/** The recovery device of a snapshot, if there is one. */
export const listed = ({ devices }) => devices.find((each) => each.class === CLASS);

/** Return the listed recovery device, whose keys must be these. */
export function requireOurs(newest, keys) {
  const { identity, edwards, mlDsaKey } = publicOf(keys);
  const found = listed(newest);
  const ours = found !== undefined && equal(found.identity, identity) && equal(found.edwards, edwards)
    && equal(found.mlDsaHash, sha256(mlDsaKey));
  return ours ? found : refuse("InvalidDeviceList", "another recovery device, or none");
}

/** Verify what a listed device signed. Refuses as `name`. */
export function verifyBy(device, { ml_dsa: mlDsaKey, signature }, [message, context], name) {
  if (device === undefined || !equal(sha256(mlDsaKey), device.mlDsaHash)) refuse(name, "signed by a device that may not");
  try {
    composite.verify({ mlDsaKey, edwards: device.edwards }, message, signature, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(name, "a signature that does not verify");
  }
}

// --- changes of locks -----------------------------------------------------------------------------

const changeInput = (server, kind, call) => cbor.encode([server, BODIES[kind].number, ...changeOf(kind, call)]);

/** Sign a change for one of the servers. [REC-10] */
export function signChange(server, kind, call, signing) {
  const mlDsaKey = composite.publicOf(signing).slice(0, composite.ML_DSA_KEY);
  return encode(kind, { ...call, ml_dsa: mlDsaKey, signature: composite.sign(signing, changeInput(server, kind, call), CHANGE) });
}

/** Verify a change as the server does. `snapshots` are those of the user's whole chain. [REC-10] */
export function verifyChange(server, kind, data, snapshots) {
  const call = decode(kind, data);
  if (!equal(call.user_id, snapshots[0].hash)) refuse("RecoveryRefused", "a change for another user");
  verifyBy(listed(snapshots.at(-1)), call, [changeInput(server, kind, call), CHANGE], "RecoveryRefused");
}

/** Verify a call that any device of the newest list may sign, as the server does. [REC-41] */
export function verifyByAny(server, kind, data, snapshots) {
  const call = decode(kind, data);
  if (!equal(call.user_id, snapshots[0].hash)) refuse("RecoveryRefused", "a call for another user");
  const signer = snapshots.at(-1).devices.find((each) => equal(each.mlDsaHash, sha256(call.ml_dsa)));
  verifyBy(signer, call, [changeInput(server, kind, call), CHANGE], "RecoveryRefused");
}

// --- cards ----------------------------------------------------------------------------------------

/** Return the receiving key of a card that the listed recovery device signed. [REC-13] */
export function checkCard(data, snapshots) {
  const card = decode("card", data);
  if (!equal(card.user_id, snapshots[0].hash)) refuse("BoxRefused", "a card of another user");
  verifyBy(listed(snapshots.at(-1)), card, [cbor.encode([card.user_id, card.receiving]), CARD], "BoxRefused");
  return card.receiving;
}

