// What binds an identity to a user, and what an application signs about one.

import { ascii, concat, equal } from "../bytes.js";
import * as cbor from "../cbor.js";
import * as composite from "../composite.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import { verifyEdwards } from "../xeddsa.js";
import { BODIES, decode, encode } from "./bodies.js";
import { changesList, verifyBy } from "./device.js";

const BINDING = ascii("letterlock-v1 binding of an identity");
const TICKET = ascii("letterlock-v1 ticket of an identity");
const VERSION = 1;

const bindingInput = (server, { user_id: userId, pass }) => cbor.encode([server, BODIES.bind.number, userId, sha256(pass)]);

/** Sign a binding for one of the servers, as a device that may change the list. [REC-32] */
export function bind(server, call, signing) {
  const mlDsaKey = composite.publicOf(signing).slice(0, composite.ML_DSA_KEY);
  return encode("bind", { ...call, ml_dsa: mlDsaKey, signature: composite.sign(signing, bindingInput(server, call), BINDING) });
}

/** Verify a binding as the server does: a device that may change the newest list signed it. [REC-32] */
export function verifyBinding(server, data, snapshots) {
  const call = decode("bind", data);
  const signer = snapshots.at(-1).devices.find((each) => each.id === call.device_id);
  if (!equal(call.user_id, snapshots[0].hash) || signer === undefined || !changesList(signer)) {
    refuse("RecoveryRefused", "a device that may not bind an identity of this user");
  }
  verifyBy(signer, call, [bindingInput(server, call), BINDING], "RecoveryRefused");
}

/** Verify a ticket, but not for which challenge it is, nor when it ends. [REC-30] */
export function verifyTicket(key, data) {
  const { signature, identity, server, nonce, not_after: end } = decode("id-ticket", data);
  composite.checkEdwards(key);
  verifyEdwards(key, concat(TICKET, cbor.encode([VERSION, identity, server, nonce, end])), signature);
}
