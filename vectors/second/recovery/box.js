// The box of a recovery device: document seeds and contacts. [REC-14]

import { ascii, concat } from "../bytes.js";
import * as composite from "../composite.js";
import * as deviceList from "../device-list.js";
import { refuse, refusingOneAs } from "../errors.js";
import * as hpke from "../hpke.js";
import { BOX_SIZE } from "../limits.js";
import * as payloads from "../linking-payload.js";
import { decode, encode } from "./bodies.js";
import { verifyBy } from "./device.js";

const BOX = ascii("letterlock-v1 recovery box");

/** Open a box. `snapshots` are those of the whole chain, which was verified. Returns name, seeds and pins. */
export function open(data, receiving, snapshots) {
  if (data.length > BOX_SIZE) refuse("MalformedMessage", "a box that is too long");
  const [userId, newest] = [snapshots[0].hash, snapshots.at(-1)];
  const opened = refusingOneAs("AuthenticationFailed", "BoxRefused", () => hpke.open(receiving, concat(BOX, userId), data));
  const contents = decode("contents", opened);
  const signer = newest.devices.find((each) => each.id === contents.device_id);
  if (signer === undefined || !deviceList.rights(signer).readsDocuments) refuse("BoxRefused", "a device that is not listed, or may not");
  verifyBy(signer, contents, [concat(userId, contents.payload), BOX], "BoxRefused");
  const payload = payloads.decode(contents.payload);
  const seeds = refusingOneAs("LinkingRefused", "BoxRefused", () => payloads.seedsOf(payload, snapshots, contents.device_id));
  return { name: payload.name, seeds, pins: payload.pins };
}

/** Seal a box to a receiving key, as a device of the user. */
export function seal({ userId, id, signing, name, seeds, pins }, receiving) {
  const payload = payloads.encode({ name, seed: seeds.at(-1), sealed: payloads.sealSeeds(seeds, userId), pins });
  const mlDsaKey = composite.publicOf(signing).slice(0, composite.ML_DSA_KEY);
  const signature = composite.sign(signing, concat(userId, payload), BOX);
  const contents = encode("contents", { device_id: id, ml_dsa: mlDsaKey, signature, payload });
  return hpke.seal(receiving, concat(BOX, userId), contents);
}
