// Operations on users and their devices.

import { toHex } from "../bytes.js";
import * as composite from "../composite.js";
import * as deviceList from "../device-list.js";
import * as evidence from "../evidence.js";
import * as safetyNumber from "../safety-number.js";
import { outSafetyNumber } from "./keys.js";

const hexOrNull = (bytes) => bytes && toHex(bytes);

function outDevice(each) {
  return {
    id: each.id,
    identity: toHex(each.identity),
    ed25519: toHex(each.edwards),
    ml_dsa_hash: toHex(each.mlDsaHash),
    class: each.class,
    added: each.added,
  };
}

function decode(given) {
  const { snapshot, proofs, signer } = deviceList.decode(given.bytes("data"));
  const key = snapshot.documentKey;
  return {
    hash: toHex(snapshot.hash),
    snapshot: {
      version: snapshot.version,
      previous: hexOrNull(snapshot.previous),
      user_id: hexOrNull(snapshot.userId),
      issued: snapshot.issued,
      devices: snapshot.devices.map(outDevice),
      revoked: snapshot.revoked.map(({ id, version }) => [id, version]),
      document_key: key && { generation: key.generation, public: toHex(key.public) },
    },
    proofs: proofs.map((each) => each.id),
    signer,
  };
}

function verify(given) {
  const list = deviceList.decode(given.bytes("list"));
  const before = given.optional("before", () => given.object("before"));
  let userId;
  if (before === null) {
    userId = deviceList.verifyFirst(list);
  } else {
    userId = before.sized("user_id", 32);
    deviceList.verifyNext(deviceList.decodeSnapshot(before.bytes("snapshot")), userId, list);
  }
  const messages = list.snapshot.devices.filter((each) => deviceList.rights(each).getsMessages);
  return { hash: toHex(list.snapshot.hash), user_id: toHex(userId), gets_messages: messages.map((each) => each.id) };
}

const outChain = ({ userId, version, head }) => ({ user_id: toHex(userId), version, head: toHex(head) });

function checkEvidence(given) {
  const found = evidence.check(given.bytes("evidence"));
  return { ...found, ours: outChain(found.ours), theirs: outChain(found.theirs) };
}

function verifyComposite(given) {
  const key = given.bytes("public");
  const halves = { mlDsaKey: key.slice(0, composite.ML_DSA_KEY), edwards: key.slice(composite.ML_DSA_KEY) };
  composite.verify(halves, given.bytes("message"), given.bytes("signature"), given.bytes("context"));
  return {};
}

export const users = {
  "composite.from_seed": (given) => ({ public: toHex(composite.publicOf(given.sized("seed", 64))) }),
  "composite.verify": verifyComposite,
  "device_list.decode": decode,
  "device_list.verify": verify,
  "evidence.check": checkEvidence,
  "user_safety_number.compute": (given) =>
    outSafetyNumber(safetyNumber.computeOfUsers(given.sized("ours", 32), given.sized("theirs", 32))),
};
