// Records, as they are stored. What does not read is damage. [STO-3]
// Not here: the encryption around them (store.js).

import * as addresses from "./address.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { refuse, refusingAs } from "./errors.js";
import { SEED_SIZE } from "./kem.js";
import { HEADER_SIZE, PQXDH, U32, X3DH } from "./limits.js";
import { isKem } from "./prekeys.js";
import * as ratchet from "./ratchet.js";
import * as shape from "./shape.js";

const LIMITS = { nesting: 4, items: 64 };
const TIME = 2n ** 63n - 1n;
const FORMAT = 1; // [STO-6]

const key = (item) => shape.bytes(item, 32);
const publicKey = curve.fromItem;

function read(data, readItem) {
  return refusingAs("CorruptStore", () => readItem(cbor.decode(data, LIMITS)));
}

function formatted(item, length) {
  shape.array(item, length);
  shape.integer(item[0], FORMAT, FORMAT);
  return item.slice(1);
}

export function account(data) {
  return read(data, (item) => {
    const [address, secret, open, nextId, signedId, lastResortId, rotated] = formatted(item, 8);
    return {
      address: addresses.fromItem(address),
      private: key(secret),
      public: publicKey(open),
      nextId: shape.integer(nextId, 0, U32 + 1),
      signedId: shape.u32(signedId),
      lastResortId: shape.u32(lastResortId),
      rotated: shape.integer(rotated, 0, TIME),
    };
  });
}

export function peer(data) {
  return read(data, (item) => {
    const [address, identity] = formatted(item, 3);
    return { address: addresses.fromItem(address), identity: publicKey(identity) };
  });
}

export function prekey(kind, data) {
  return read(data, (item) => {
    const [secret, signature] = shape.array(item, 2);
    return { secret: shape.bytes(secret, isKem(kind) ? SEED_SIZE : 32), signature: shape.bytes(signature, 64) };
  });
}

export function session(data) {
  return read(data, (item) => {
    const [phase, suite, associatedData, handshake, insists, state] = formatted(item, 7);
    const initiated = shape.integer(phase, 0, 1) === 0;
    shape.integer(suite, X3DH, PQXDH);
    key(associatedData);
    shape.bytes(handshake, 0, initiated ? HEADER_SIZE : 32);
    if (!initiated && handshake.length !== 0) key(handshake);
    shape.integer(insists, 0, initiated ? 0 : 1);
    return { suite, associatedData, handshake, insists: insists === 1, state: ratchetState(state, initiated) };
  });
}

const STATES = [
  { name: ratchet.OPENING, fields: [key, key, publicKey, publicKey, key, shape.u32] },
  { name: ratchet.HEARING, fields: [key, publicKey, key, shape.u32, shape.u32] },
  { name: ratchet.SPEAKING, fields: [key, key, publicKey, key, shape.u32, publicKey, key, shape.u32, shape.u32] },
];

/** The name of the state, once all of it has been read. */
function ratchetState(item, initiated) {
  shape.array(item, 1, 10);
  const form = initiated ? shape.integer(item[0], 0, 0) : shape.integer(item[0], 1, 2);
  const { name, fields } = STATES[form];
  if (item.length !== fields.length + 1) refuse("MalformedMessage", "a state of another length");
  fields.forEach((field, index) => field(item[index + 1]));
  return name;
}
