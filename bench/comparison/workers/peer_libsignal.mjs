// @signalapp/libsignal-client by its public API: PQXDH and the triple ratchet, called back into stores of ours.
//
//     node peer_libsignal.mjs FOLDER records|objects
//
// FOLDER is where npm installed it. `records` keeps what an application keeps, serialised session records, and
// parses one for each call; `objects` hands back the object it was given, which no application on disk can do, but
// which is the fastest there is. Messages are bytes on their way.
//
// The cases are those of cases.py, one by one; see there.

import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, kept] = process.argv.slice(2);
const home = join(folder, 'node_modules', '@signalapp', 'libsignal-client');
const about = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const signal = await import(pathToFileURL(join(home, about.main)));

const MESSAGES = 100;
const TURNS = 88;
const SKIPPED = 999;
const TEXT_BYTES = 100;
const LARGE_BYTES = 1024 * 1024;
const LARGE_MESSAGES = 3;

class Sessions extends signal.SessionStore {
  #kept = new Map();
  async saveSession(name, record) {
    this.#kept.set(name.toString(), kept === 'records' ? record.serialize() : record);
  }
  async getSession(name) {
    const found = this.#kept.get(name.toString());
    if (found === undefined) return null;
    return kept === 'records' ? signal.SessionRecord.deserialize(found) : found;
  }
  async getExistingSessions(names) {
    return Promise.all(names.map((name) => this.getSession(name)));
  }
}

class Identities extends signal.IdentityKeyStore {
  #known = new Map();
  #key = signal.PrivateKey.generate();
  async getIdentityKey() { return this.#key; }
  async getLocalRegistrationId() { return 1; }
  async saveIdentity(name, key) {
    this.#known.set(name.toString(), key);
    return signal.IdentityChange.NewOrUnchanged;
  }
  async isTrustedIdentity() { return true; }
  async getIdentity(name) { return this.#known.get(name.toString()) ?? null; }
}

class Prekeys extends signal.PreKeyStore {
  #kept = new Map();
  async savePreKey(id, record) { this.#kept.set(id, record.serialize()); }
  async getPreKey(id) { return signal.PreKeyRecord.deserialize(this.#kept.get(id)); }
  async removePreKey(id) { this.#kept.delete(id); }
}

class SignedPrekeys extends signal.SignedPreKeyStore {
  #kept = new Map();
  async saveSignedPreKey(id, record) { this.#kept.set(id, record.serialize()); }
  async getSignedPreKey(id) { return signal.SignedPreKeyRecord.deserialize(this.#kept.get(id)); }
}

class KyberPrekeys extends signal.KyberPreKeyStore {
  #kept = new Map();
  async saveKyberPreKey(id, record) { this.#kept.set(id, record.serialize()); }
  async getKyberPreKey(id) { return signal.KyberPreKeyRecord.deserialize(this.#kept.get(id)); }
  async markKyberPreKeyUsed() {}
}

const uuid = (digit) => `00000000-0000-4000-8000-00000000000${digit}`;

class Side {
  sessions = new Sessions();
  identities = new Identities();
  prekeys = new Prekeys();
  signed = new SignedPrekeys();
  kyber = new KyberPrekeys();
  constructor(digit) { this.address = signal.ProtocolAddress.new(uuid(digit), 1); }

  async bundle() {
    const identity = await this.identities.getIdentityKey();
    const [signed, oneTime] = [signal.PrivateKey.generate(), signal.PrivateKey.generate()];
    const kyber = signal.KEMKeyPair.generate();
    const signature = identity.sign(signed.getPublicKey().serialize());
    const kyberSignature = identity.sign(kyber.getPublicKey().serialize());
    const now = Date.now();
    await this.prekeys.savePreKey(1, signal.PreKeyRecord.new(1, oneTime.getPublicKey(), oneTime));
    await this.signed.saveSignedPreKey(
      2, signal.SignedPreKeyRecord.new(2, now, signed.getPublicKey(), signed, signature));
    await this.kyber.saveKyberPreKey(3, signal.KyberPreKeyRecord.new(3, now, kyber, kyberSignature));
    return signal.PreKeyBundle.new(
      1, 1, 1, oneTime.getPublicKey(), 2, signed.getPublicKey(), signature,
      identity.getPublicKey(), 3, kyber.getPublicKey(), kyberSignature);
  }

  async initiate(peer, bundle) {
    await signal.processPreKeyBundle(bundle, peer, this.address, this.sessions, this.identities);
  }

  async encrypt(peer, text) {
    const sealed = await signal.signalEncrypt(text, peer, this.address, this.sessions, this.identities);
    return [sealed.type(), sealed.serialize()];
  }

  async decrypt(peer, [type, data]) {
    if (type !== signal.CiphertextMessageType.PreKey) {
      const message = signal.SignalMessage.deserialize(data);
      return signal.signalDecrypt(message, peer, this.address, this.sessions, this.identities);
    }
    const first = signal.PreKeySignalMessage.deserialize(data);
    return signal.signalDecryptPreKey(
      first, peer, this.address, this.sessions, this.identities, this.prekeys, this.signed, this.kyber);
  }
}

class Pair {
  #ours = new Side(1);
  #theirs = new Side(2);
  #bundle;
  static async make() {
    const pair = new Pair();
    pair.#bundle = await pair.#theirs.bundle();
    return pair;
  }
  initiate() { return this.#ours.initiate(this.#theirs.address, this.#bundle); }
  send(text) { return this.#ours.encrypt(this.#theirs.address, text); }
  receive(wire) { return this.#theirs.decrypt(this.#ours.address, wire); }
  answer(text) { return this.#theirs.encrypt(this.#ours.address, text); }
  hear(wire) { return this.#ours.decrypt(this.#theirs.address, wire); }
}

const texts = (count, size = TEXT_BYTES) => Array.from({ length: count }, () => new Uint8Array(randomBytes(size)));

function requireSame(came, sent) {
  if (!Buffer.from(came).equals(Buffer.from(sent))) throw new Error('what was decrypted is not what was encrypted');
}

async function timed(act) {
  const begun = process.hrtime.bigint();
  const came = await act();
  return [Number(process.hrtime.bigint() - begun), came];
}

async function agreed() {
  const pair = await Pair.make();
  await pair.initiate();
  return pair;
}

async function spoken() {
  const pair = await agreed();
  for (const text of texts(3)) {
    requireSame(await pair.receive(await pair.send(text)), text);
    requireSame(await pair.hear(await pair.answer(text)), text);
  }
  return pair;
}

async function initiate() {
  const pair = await Pair.make();
  const [ns] = await timed(() => pair.initiate());
  const [text] = texts(1);
  requireSame(await pair.receive(await pair.send(text)), text);
  return { ns };
}

async function firstEncrypt() {
  const pair = await Pair.make();
  const [text] = texts(1);
  const [ns, wire] = await timed(async () => {
    await pair.initiate();
    return pair.send(text);
  });
  requireSame(await pair.receive(wire), text);
  return { ns };
}

async function firstDecrypt() {
  const pair = await agreed();
  const [text] = texts(1);
  const wire = await pair.send(text);
  const [ns, came] = await timed(() => pair.receive(wire));
  requireSame(came, text);
  return { ns };
}

async function each(sent, count, act) {
  const [ns, came] = await timed(async () => {
    const all = [];
    for (const text of sent) all.push(await act(text));
    return all;
  });
  return [{ ns: ns / count }, came];
}

async function encrypt() {
  const pair = await spoken();
  const sent = texts(MESSAGES);
  const [took, wires] = await each(sent, MESSAGES, (text) => pair.send(text));
  for (const [at, wire] of wires.entries()) requireSame(await pair.receive(wire), sent[at]);
  return took;
}

async function encryptDecrypt() {
  const pair = await spoken();
  const sent = texts(MESSAGES);
  const [took, came] = await each(sent, MESSAGES, async (text) => pair.receive(await pair.send(text)));
  came.forEach((text, at) => requireSame(text, sent[at]));
  return took;
}

async function pingPong() {
  const pair = await spoken();
  const sent = texts(TURNS);
  const [took, came] = await each(sent, 2 * TURNS, async (text) =>
    pair.hear(await pair.answer(await pair.receive(await pair.send(text)))));
  came.forEach((text, at) => requireSame(text, sent[at]));
  return took;
}

async function jumped() {
  const pair = await spoken();
  const sent = texts(SKIPPED + 1);
  const wires = [];
  for (const text of sent) wires.push(await pair.send(text));
  const [ns, came] = await timed(() => pair.receive(wires.at(-1)));
  requireSame(came, sent.at(-1));
  return [pair, sent, wires, ns];
}

async function skipped() {
  return { ns: (await jumped())[3] };
}

async function late() {
  const [pair, sent, wires] = await jumped();
  let [took, recovered] = [0, 0];
  for (let at = SKIPPED - 1; at >= 0; at -= 1) {
    let ns, came;
    try {
      [ns, came] = await timed(() => pair.receive(wires[at]));
    } catch {
      continue;
    }
    requireSame(came, sent[at]);
    took += ns;
    recovered += 1;
  }
  return { ns: took / Math.max(recovered, 1), recovered };
}

async function large() {
  const pair = await spoken();
  const [sealing, opening] = [[], []];
  for (const text of texts(LARGE_MESSAGES + 1, LARGE_BYTES)) {
    const [sealed, wire] = await timed(() => pair.send(text));
    const [opened, came] = await timed(() => pair.receive(wire));
    requireSame(came, text);
    sealing.push(sealed);
    opening.push(opened);
  }
  return [Math.min(...sealing), Math.min(...opening)];
}

const CASES = {
  'initiate': initiate,
  'initiate-and-encrypt': firstEncrypt,
  'first-decrypt': firstDecrypt,
  'encrypt': encrypt,
  'encrypt-decrypt': encryptDecrypt,
  'ping-pong': pingPong,
  'skip-999': skipped,
  'late-999': late,
  'large-encrypt': async () => ({ ns: (await large())[0] }),
  'large-decrypt': async () => ({ ns: (await large())[1] }),
};

async function play(name, count) {
  const took = [];
  for (let at = 0; at < count; at += 1) took.push(await CASES[name]());
  const recovered = took.flatMap((one) => (one.recovered === undefined ? [] : [one.recovered]));
  return { ns: took.map((one) => one.ns), recovered: recovered.length ? Math.min(...recovered) : null };
}

const versions = { [about.name]: about.version, 'Node': process.versions.node };
console.log(JSON.stringify({ cases: Object.keys(CASES), versions }));
for await (const line of createInterface({ input: process.stdin })) {
  const [, name, count] = line.split(' ');
  let answer;
  try {
    answer = await play(name, Number(count));
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}` };
  }
  console.log(JSON.stringify(answer));
}
