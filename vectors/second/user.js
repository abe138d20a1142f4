// A user on one device, in memory: its device lists, its contacts, and the linking of another device.
// Not here: messages between users, stores.

import { randomBytes } from "@noble/hashes/utils.js";
import * as addresses from "./address.js";
import { equal } from "./bytes.js";
import * as composite from "./composite.js";
import * as curve from "./curve.js";
import * as deviceList from "./device-list.js";
import { refuse } from "./errors.js";
import * as hpke from "./hpke.js";
import { sha256 } from "./kdf.js";
import { CODE_LIFETIME } from "./limits.js";
import * as exchange from "./linking-exchange.js";
import * as linking from "./linking.js";
import * as payload from "./linking-payload.js";

const FULL = 1;
const UNVERIFIED = 1;

const newKeys = () => ({ identity: randomBytes(32), signing: randomBytes(64), receiving: randomBytes(32) });

export class User {
  constructor({ name, id, keys, lists, seeds, contacts, clock }) {
    Object.assign(this, { name, id, keys, lists, seeds, contacts, clock });
    this.link = null;
  }

  /** Make a user with one device. */
  static create(name, clock) {
    const [keys, seed] = [newKeys(), randomBytes(32)];
    const mlDsaKey = composite.publicOf(keys.signing).slice(0, composite.ML_DSA_KEY);
    const device = {
      id: 1, identity: curve.publicOf(keys.identity), edwards: composite.publicOf(keys.signing).slice(composite.ML_DSA_KEY),
      mlDsaHash: sha256(mlDsaKey), class: FULL, added: 1,
    };
    const snapshot = deviceList.decodeSnapshot(deviceList.encodeSnapshot({
      version: 1, previous: null, userId: null, issued: clock(), devices: [device], revoked: [],
      documentKey: { generation: 1, public: hpke.publicOf(seed) },
    }));
    const first = deviceList.sign(snapshot, [deviceList.prove(snapshot, 1, keys)], 1, keys.signing);
    return new User({ name: addresses.checkName(name), id: 1, keys, lists: [first], seeds: [seed], contacts: new Map(), clock });
  }

  get userId() {
    return this.lists[0].snapshot.hash;
  }

  /** Take the whole chain of a contact, which is new, or goes on from what is known. */
  learn(name, lists) {
    addresses.checkName(name);
    deviceList.verifyChain(lists);
    const known = this.contacts.get(name);
    if (known !== undefined) {
      const same = lists[known.version - 1];
      if (same === undefined || !equal(same.snapshot.hash, known.hash)) refuse("ContactFrozen", "lists that contradict the known ones");
    }
    const { version, hash } = lists.at(-1).snapshot;
    this.contacts.set(name, { name, userId: lists[0].snapshot.hash, version, hash, state: UNVERIFIED });
  }

  offer(text, bundle, deviceClass) {
    const [code, newest, now] = [linking.fromText(text), this.lists.at(-1).snapshot, this.clock()];
    const device = { id: newest.version + 1, class: deviceClass };
    const offer = exchange.makeOffer({ newest, userId: this.userId, code, bundle, now, device });
    this.link = { code, bundle, offer, sealedOffer: exchange.sealOffer(code, bundle, offer) };
    return this.link.sealedOffer;
  }

  takeAnswer(answer) {
    const { digits, proof } = exchange.takeAnswer({ ...this.link, answer, now: this.clock() });
    Object.assign(this.link, { answer, proof });
    return digits;
  }

  confirm() {
    const added = this.link.offer.snapshot.devices.find((each) => each.id === this.link.offer.id);
    const reads = deviceList.rights(added).readsDocuments;
    const pins = [...this.contacts.values()].sort((left, right) => (left.name < right.name ? -1 : 1)); // names in ASCII here
    const given = payload.encode({
      name: this.name, seed: reads ? this.seeds.at(-1) : null, sealed: reads ? payload.sealSeeds(this.seeds, this.userId) : [], pins,
    });
    const done = exchange.confirm({
      ...this.link, now: this.clock(), lists: this.lists, signer: this.id, signing: this.keys.signing, payload: given,
    });
    this.lists.push(done.added);
    return done;
  }
}

/** A device on its way into a user's device list. */
export class NewDevice {
  constructor(place, clock) {
    this.clock = clock;
    this.keys = { ...newKeys(), nonce: randomBytes(32) };
    this.bundle = exchange.bundleOf(this.keys);
    const bundleHash = sha256(this.bundle);
    this.code = { bundleHash, secret: randomBytes(32), expires: clock() + CODE_LIFETIME, place };
  }

  get text() {
    return linking.text(linking.encodeCode(this.code));
  }

  takeOffer(sealedOffer) {
    const offer = exchange.takeOffer({ device: this.keys, code: this.code, sealedOffer, now: this.clock() });
    Object.assign(this, { sealedOffer, answer: exchange.makeAnswer(this.keys, offer) });
    return { answer: this.answer, digits: offer.digits };
  }

  /** Return the user on this device. */
  takePackage(sealedPackage) {
    const { sealedOffer, answer } = this;
    const { lists, id, payload: given } = exchange.takePackage({ device: this.keys, code: this.code, sealedOffer, answer, sealedPackage });
    const contents = payload.decode(given);
    const seeds = payload.seedsOf(contents, lists.map((each) => each.snapshot), id);
    const contacts = new Map(contents.pins.map((pin) => [pin.name, pin]));
    return new User({ name: contents.name, id, keys: this.keys, lists, seeds, contacts, clock: this.clock });
  }
}
