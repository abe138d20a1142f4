// Coming back with a password: the calls to both servers, and the device that is a user's again.
// Not here: HTTP. `call` takes (server, body, lists) and returns the answer, or throws a Refusal.

import { randomBytes } from "@noble/hashes/utils.js";
import { equal } from "../bytes.js";
import * as composite from "../composite.js";
import * as curve from "../curve.js";
import * as deviceList from "../device-list.js";
import { refuse } from "../errors.js";
import * as hpke from "../hpke.js";
import { sha256 } from "../kdf.js";
import { LEAST_MEMORY, LEAST_PASSES } from "../limits.js";
import { Attempt, choose } from "./attempt.js";
import { decode, decodeCard, encode } from "./bodies.js";
import * as boxes from "./box.js";
import * as devices from "./device.js";
import * as keeping from "./keeping.js";
import * as locks from "./lock.js";
import { SERVERS, serverInput, stretch } from "./password.js";
import { Blinding } from "./voprf.js";

const FULL = 1;
const CHEAPEST = { passes: LEAST_PASSES, memory: LEAST_MEMORY };

export class RecoveryClient {
  constructor(userId, call) {
    this.userId = userId;
    this.call = call;
  }

  async ask(server, kind, values, answer) {
    return decode(answer, await this.call(server, encode(kind, values), null));
  }

  /** Tell both servers of a change. `answer` is the kind of what they say. */
  async change(server, kind, values, { signing, lists }, answer) {
    const body = devices.signChange(server, kind, values, signing);
    return decode(answer, await this.call(server, body, lists.map(deviceList.encode)));
  }

  /** The lock that counts. [REC-6] */
  async lock() {
    const shown = [];
    for (const server of SERVERS) shown.push(await this.ask(server, "show", { user_id: this.userId }, "shown"));
    return choose(this.userId, ...shown);
  }

  /** Open the lock, and tell both servers. Returns the recovery key. */
  async open(password) {
    const lock = await this.lock();
    const attempt = new Attempt(lock, stretch(password, { userId: lock.user_id, lockId: lock.lock_id }, lock));
    const second = decode("evaluated", await this.call(2, attempt.second(), null));
    const first = decode("evaluated", await this.call(1, attempt.first(second), null)); // [REC-15]
    const { recoveryKey, successes } = attempt.finish(first, second);
    for (const [at, server] of SERVERS.entries()) decode("told", await this.call(server, successes[at], null));
    return recoveryKey;
  }

  /** Card, box and device lists, as server 1 keeps them. `now` is in seconds. [REC-22] */
  async remains(recoveryKey, now) {
    const { signing } = devices.keysOf(recoveryKey);
    const lists = [];
    for (;;) {
      const asked = { user_id: this.userId, after: lists.at(-1)?.snapshot.version ?? 0, time: now, device_id: null };
      const kept = decode("kept", await this.call(1, keeping.sign(1, "get-box", asked, signing), null));
      lists.push(...kept.lists.map(deviceList.decode));
      const newest = lists.at(-1)?.snapshot.version ?? 0;
      if (newest >= kept.newest) return this.#found(kept, lists);
      if (kept.lists.length === 0) refuse("ServerAtFault", "server 1 shows no newer list");
    }
  }

  #found({ number, card, box }, lists) {
    if (box === null || !equal(lists[0].snapshot.hash, this.userId)) refuse("BoxRefused", "no box, or lists of another user");
    return { number, card: card.encoded, box, lists };
  }

  /** Bring a new box to server 1, as a device of the user. [REC-21] */
  async keep(back, number, card) {
    const call = { user_id: this.userId, number, card: decodeCard(card), box: newBox(back, card), device_id: back.id };
    decode("done", await this.call(1, keeping.sign(1, "put-box", call, back.keys.signing), back.lists.map(deviceList.encode)));
  }

  /** Make a lock of a password for a recovery key, and have both servers hold it alone. [REC-11] */
  async makeLock(password, recoveryKey, lists) {
    const by = { signing: devices.keysOf(recoveryKey).signing, lists };
    const name = { userId: this.userId, lockId: randomBytes(16) };
    const fields = { user_id: name.userId, lock_id: name.lockId };
    const h = stretch(password, name, CHEAPEST);
    const begun = [];
    for (const server of SERVERS) begun.push(await this.#begin(server, name, h, by));
    const [first, second] = begun;
    const keys = { public_1: first.public, public_2: second.public };
    const { lock, logins } = locks.seal({ ...fields, ...CHEAPEST, ...keys }, begun.map((each) => each.output), recoveryKey);
    const loginKeys = locks.loginKeys(logins);
    for (const [at, server] of SERVERS.entries()) {
      await this.change(server, "settle", { user_id: name.userId, lock, login: loginKeys[at] }, by, "done");
    }
    for (const [at, server] of SERVERS.entries()) { // server 1 first [REC-16]
      await this.change(server, "finish", { ...fields, before: begun[at].before }, by, "done");
    }
    return lock;
  }

  async #begin(server, name, h, by) {
    const blinding = new Blinding(serverInput(server, name, h));
    const asked = { user_id: name.userId, lock_id: name.lockId, blinded: blinding.blinded };
    const { evaluation, public: key, before } = await this.change(server, "begin", asked, by, "begun");
    return { output: blinding.finish(evaluation, key), public: key, before };
  }
}

// --- the user again -------------------------------------------------------------------------------

function listedDevice(id, { identity, signing }) {
  const both = composite.publicOf(signing);
  return {
    id, identity: curve.publicOf(identity), edwards: both.slice(composite.ML_DSA_KEY),
    mlDsaHash: sha256(both.slice(0, composite.ML_DSA_KEY)), class: FULL, added: id,
  };
}

/** The version that adds a fresh device and revokes every other one but the recovery device. */
function draft(newest, userId, recovery, fresh, issued, seed) {
  const version = newest.version + 1;
  const lost = newest.devices.filter((each) => each.id !== recovery.id);
  const revoked = [...newest.revoked, ...lost.map(({ id }) => ({ id, version }))];
  const devicesNow = [recovery, listedDevice(version, fresh)].sort((left, right) => left.id - right.id);
  const documentKey = { generation: newest.documentKey.generation + 1, public: hpke.publicOf(seed) };
  return deviceList.decodeSnapshot(deviceList.encodeSnapshot({
    version, previous: newest.hash, userId, issued, devices: devicesNow, revoked, documentKey,
  }));
}

/** Become a device of the user, who lost all others. `lists` is the whole chain; returns it with the new version. */
export function comeBack({ recoveryKey, lists, box, now }) {
  deviceList.verifyChain(lists);
  const snapshots = lists.map((each) => each.snapshot);
  const [newest, keys] = [snapshots.at(-1), devices.keysOf(recoveryKey)];
  const recovery = devices.requireOurs(newest, keys);
  const { name, seeds, pins } = boxes.open(box, keys.receiving, snapshots);
  const [seed, fresh] = [randomBytes(32), { identity: randomBytes(32), signing: randomBytes(64), receiving: randomBytes(32) }];
  const snapshot = draft(newest, snapshots[0].hash, recovery, fresh, now, seed);
  const made = deviceList.sign(snapshot, [deviceList.prove(snapshot, snapshot.version, fresh)], recovery.id, keys.signing);
  const whole = [...lists, made];
  deviceList.verifyChain(whole, lists.length);
  return { name, id: snapshot.version, keys: fresh, lists: whole, seeds: [...seeds, seed], pins };
}

/** Make a new box, for the card of the user's recovery device. */
export function newBox({ name, id, keys, lists, seeds, pins }, card) {
  const snapshots = lists.map((each) => each.snapshot);
  const receiving = devices.checkCard(card, snapshots); // [REC-13]
  if (!snapshots.at(-1).devices.some((each) => each.id === id)) refuse("UsageError", "a device that is not listed");
  return boxes.seal({ userId: snapshots[0].hash, id, signing: keys.signing, name, seeds, pins }, receiving);
}
