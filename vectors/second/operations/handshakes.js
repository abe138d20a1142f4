// Operations on handshakes, without records of earlier ones.

import { toHex } from "../bytes.js";
import * as handshake from "../handshake.js";
import * as messages from "../messages.js";
import * as prekeys from "../prekeys.js";

const us = (given) => ({ address: given.address("address"), identity: given.bytes("identity") });

function initiate(given) {
  const begun = handshake.initiate(us(given), {
    to: given.address("to"),
    bundle: prekeys.decodeBundle(given.bytes("bundle")),
    now: given.integer("now"),
    suite: given.integer("suite"),
    ephemeral: given.bytes("ephemeral"),
    recorded: given.recordedKem("kem"),
    userIds: given.optional("user_ids", given.bytes),
  });
  return {
    secret: toHex(begun.secret),
    associated_data: toHex(begun.associatedData),
    header_bytes: toHex(begun.headerBytes),
    handshake_id: toHex(begun.handshakeId),
  };
}

function respond(given) {
  const we = us(given);
  const from = given.address("from");
  handshake.checkFrom(we, from);
  const message = messages.decodeInitial(given.bytes("message"));
  const held = given.objects("prekeys").map((prekey) => ({
    kind: prekey.integer("kind"), id: prekey.integer("id"), private: prekey.bytes("private"),
  }));
  handshake.checkSender(we, message);
  handshake.checkAllowed(given.numbers("suites"), message);
  const find = (kinds, id) => held.find((prekey) => kinds.includes(prekey.kind) && prekey.id === id);
  const named = handshake.namedPrekeys(message, find);
  const agreed = handshake.respond(we, { from, message, named, userIds: given.optional("user_ids", given.bytes) });
  return {
    secret: toHex(agreed.secret),
    associated_data: toHex(agreed.associatedData),
    handshake_id: toHex(agreed.handshakeId),
  };
}

export const handshakes = { "handshake.initiate": initiate, "handshake.respond": respond };
