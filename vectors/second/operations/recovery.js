// Operations on recovery: the function of two parties, locks, attempts, tickets, signatures, cards and boxes.

import { concat, fromHex, littleEndian, readLittleEndian, toHex } from "../bytes.js";
import { decodeSnapshot } from "../device-list.js";
import { refuse } from "../errors.js";
import { U32 } from "../limits.js";
import { Attempt, choose, verifySuccess } from "../recovery/attempt.js";
import { BODIES, decode, decodeLock } from "../recovery/bodies.js";
import * as boxes from "../recovery/box.js";
import { decoy } from "../recovery/decoy.js";
import * as devices from "../recovery/device.js";
import * as identities from "../recovery/identity.js";
import * as locks from "../recovery/lock.js";
import { isAcceptable, SERVERS, serverInput, stretch } from "../recovery/password.js";
import * as tickets from "../recovery/ticket.js";
import * as voprf from "../recovery/voprf.js";
import { bodyOf, showAll, shownBytes } from "./bodies.js";

// --- the function of two parties ------------------------------------------------------------------

/** Put bytes into an evaluation, add a number to it, or cut it. */
const CHANGES = {
  put: (evaluation, at, hex) => {
    const put = fromHex(hex);
    return concat(evaluation.slice(0, at), put, evaluation.slice(at + put.length));
  },
  add: (evaluation, at, hex) => {
    const added = fromHex(hex);
    const sum = readLittleEndian(evaluation.slice(at, at + added.length)) + readLittleEndian(added);
    return concat(evaluation.slice(0, at), littleEndian(sum).slice(0, added.length), evaluation.slice(at + added.length));
  },
  cut: (evaluation, at) => evaluation.slice(0, at),
};

/** A server's evaluation, which may lie. */
function answered(given, blinding) {
  const other = given.optional("other", given.bytes);
  const blinded = other === null ? blinding.blinded : new voprf.Blinding(other).blinded;
  let evaluation = voprf.evaluate(given.sized("seed", 32), blinded);
  const proofSeed = given.optional("proof_seed", (name) => given.sized(name, 32));
  if (proofSeed !== null) evaluation = concat(evaluation.slice(0, 32), voprf.evaluate(proofSeed, blinded).slice(32));
  const change = given.optional("change", given.list);
  return change === null ? evaluation : CHANGES[change[0]](evaluation, ...change.slice(1));
}

function run(given) {
  const key = voprf.checkElement(given.bytes("public"));
  const blinding = new voprf.Blinding(given.bytes("input"));
  return { output: toHex(blinding.finish(answered(given.object("server"), blinding), key)) };
}

const evaluate = (given) => ({ element: toHex(voprf.evaluate(given.sized("seed", 32), given.bytes("blinded")).slice(0, 32)) });

// --- locks ----------------------------------------------------------------------------------------

const nameOf = (given) => ({ userId: given.sized("user_id", 32), lockId: given.sized("lock_id", 16) });
const hardnessOf = (given) => ({ passes: given.integer("passes"), memory: given.integer("memory") });
const outputsOf = (given) => SERVERS.map((server) => given.sized(`output_${server}`, voprf.OUTPUT));
const outLogins = (logins) => locks.loginKeys(logins).map(toHex);

function stretched(given) {
  const [name, hardness] = [nameOf(given), hardnessOf(given)];
  const h = stretch(given.text("password"), name, hardness);
  return { stretched: toHex(h), inputs: SERVERS.map((server) => toHex(serverInput(server, name, h))) };
}

function sealLock(given) {
  const [{ userId, lockId }, hardness] = [nameOf(given), hardnessOf(given)];
  if (!isAcceptable(hardness)) refuse("UsageError", "a hardness that no client accepts");
  const fields = { user_id: userId, lock_id: lockId, ...hardness, public_1: given.bytes("public_1"), public_2: given.bytes("public_2") };
  const { lock, logins } = locks.seal(fields, outputsOf(given), given.sized("key", 32));
  return { lock: toHex(lock.encoded), login_keys: outLogins(logins) };
}

function openLock(given) {
  const { recoveryKey, logins } = locks.open(decodeLock(given.bytes("lock")), outputsOf(given));
  return { key: toHex(recoveryKey), login_keys: outLogins(logins) };
}

function chosen(given) {
  const [first, second] = ["first", "second"].map((each) => decode("shown", given.bytes(each)));
  return { lock: toHex(choose(given.sized("user_id", 32), first, second).encoded) };
}

function attempt(given) {
  const made = new Attempt(decodeLock(given.bytes("lock")), given.sized("stretched", 32));
  const [first, second] = SERVERS.map((server, at) => {
    const asked = given.object(`server_${server}`);
    const waits = asked.flag("waits");
    const evaluation = waits ? null : answered(asked, made.blindings[at]);
    return { evaluation, nonce: waits ? null : asked.sized("nonce", 32), ticket: null };
  });
  made.first(second);
  const { recoveryKey, successes } = made.finish(first, second);
  return { key: toHex(recoveryKey), successes: successes.map(toHex) };
}

// --- what servers check ---------------------------------------------------------------------------

const snapshotsOf = (given) =>
  given.list("snapshots").map((each) => decodeSnapshot(fromHex(each) ?? given.wrong("snapshots", "a list of byte strings")));

function signTicket(given) {
  const ticket = tickets.sign(given.sized("seed", 32), given.bytes("request"), given.integer("now", 0, U32));
  return { ticket: ticket && toHex(ticket) };
}

function checkTicket(given) {
  tickets.check(given.bytes("key"), given.bytes("request"), given.integer("now", 0, U32));
  return {};
}

function checkSuccess(given) {
  verifySuccess(given.bytes("key"), given.integer("server", 1, 2), given.bytes("request"));
  return {};
}

function verifyChange(given) {
  const kind = given.text("kind");
  if (!["begin", "settle", "finish"].includes(kind)) given.wrong("kind", "a change");
  devices.verifyChange(given.integer("server", 1, 2), kind, given.bytes("request"), snapshotsOf(given));
  return {};
}

// --- what a recovered user finds ------------------------------------------------------------------

function device(given) {
  const { identity, edwards, mlDsaKey, receiving } = devices.publicOf(devices.keysOf(given.sized("key", 32)));
  return { identity: toHex(identity), ed25519: toHex(edwards), ml_dsa: toHex(mlDsaKey), receiving: toHex(receiving) };
}

function openBox(given) {
  const [keys, snapshots] = [devices.keysOf(given.sized("key", 32)), snapshotsOf(given)];
  devices.requireOurs(snapshots.at(-1), keys);
  const { name, seeds, pins } = boxes.open(given.bytes("box"), keys.receiving, snapshots);
  return { name, seeds: seeds.map(toHex), contacts: pins.map((each) => [each.name, toHex(each.userId)]) };
}

function decodeBody(given) {
  const kind = given.text("kind");
  if (!Object.hasOwn(BODIES, kind)) given.wrong("kind", "a rule of spec/recovery.cddl");
  return showAll(BODIES[kind].elements, decode(kind, bodyOf(given)));
}

const verifyBinding = (given) => {
  identities.verifyBinding(given.integer("server", 1, 2), given.bytes("request"), snapshotsOf(given));
  return {};
};

const verifyIdTicket = (given) => {
  identities.verifyTicket(given.bytes("key"), given.bytes("ticket"));
  return {};
};

export const recoveries = {
  "recovery.attempt": attempt,
  "recovery.check_card": (given) => ({ receiving: shownBytes(devices.checkCard(given.bytes("card"), snapshotsOf(given))) }),
  "recovery.check_ticket": checkTicket,
  "recovery.choose": chosen,
  "recovery.decode": decodeBody,
  "recovery.decoy": (given) => ({ lock: toHex(decoy(given.sized("key", 32), given.sized("user_id", 32))) }),
  "recovery.device": device,
  "recovery.open_box": openBox,
  "recovery.open_lock": openLock,
  "recovery.seal_lock": sealLock,
  "recovery.sign_ticket": signTicket,
  "recovery.stretch": stretched,
  "recovery.verify_binding": verifyBinding,
  "recovery.verify_change": verifyChange,
  "recovery.verify_id_ticket": verifyIdTicket,
  "recovery.verify_success": checkSuccess,
  "voprf.evaluate": evaluate,
  "voprf.from_seed": (given) => ({ public: toHex(voprf.publicOf(given.sized("seed", 32))) }),
  "voprf.public": (given) => ({ key: toHex(voprf.checkElement(given.bytes("key"))) }),
  "voprf.run": run,
};
