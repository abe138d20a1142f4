// Operations on stored records and on the encryption of a store.

import { toHex } from "../bytes.js";
import { refuse } from "../errors.js";
import * as prekeys from "../prekeys.js";
import * as records from "../records.js";
import * as store from "../store.js";

function account(given) {
  const read = records.account(given.bytes("record"));
  return {
    address: read.address,
    private: toHex(read.private),
    public: toHex(read.public),
    next_id: read.nextId,
    signed_id: read.signedId,
    last_resort_id: read.lastResortId,
    rotated: Number(read.rotated),
  };
}

function session(given) {
  const read = records.session(given.bytes("record"));
  return {
    suite: read.suite,
    associated_data: toHex(read.associatedData),
    handshake: toHex(read.handshake),
    promote_next: read.promoteNext,
    state: read.state,
    braid: read.braid,
  };
}

function prekey(given) {
  const kind = given.integer("kind");
  if (!prekeys.KINDS.includes(kind)) refuse("UsageError", "no such kind of prekey");
  const found = records.prekey(kind, given.bytes("record"));
  return { secret: toHex(found.secret), public: found.public && toHex(found.public) };
}

function unwrap(given) {
  const header = {
    kind: given.integer("kind"),
    salt: given.bytes("salt"),
    passes: given.integer("passes", -Infinity),
    memory: given.integer("memory", -Infinity),
    wrapped: given.bytes("wrapped"),
  };
  const secret = { key: given.optional("key", given.bytes), passphrase: given.optional("passphrase", given.text) };
  return { data_key: toHex(store.unwrap(header, secret)) };
}

export const stored = {
  "record.account": account,
  "record.peer": (given) => {
    const { address, identity } = records.peer(given.bytes("record"));
    return { address, identity: toHex(identity) };
  },
  "record.prekey": prekey,
  "record.session": session,
  "store.unwrap": unwrap,
  "store.open": (given) => {
    const dataKey = given.sized("data_key", 32);
    return { record: toHex(store.open(dataKey, given.text("table"), given.columns("columns"), given.bytes("value"))) };
  },
  "store.tag": (given) => ({ tag: toHex(store.tag(given.sized("data_key", 32), given.text("use"), given.columns("columns"))) }),
};
