// The payload of a linking package: its encoding, and the document seeds in it.

import * as addresses from "./address.js";
import * as aead from "./aead.js";
import { ascii, bigEndian, compare, concat, equal, utf8 } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as deviceList from "./device-list.js";
import { Refusal, refuse } from "./errors.js";
import * as hpke from "./hpke.js";
import { hkdf, sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import * as typed from "./typed.js";

const VERSION = 1;
const SEALED_SEED = 48;
const VERIFIED = 2;
const LABEL = ascii("letterlock-v1 document seed");

/** The order of code points, which is that of the UTF-8 bytes, and not that of JavaScript's texts. */
const ordered = (names) => names.every((name, at) => at === 0 || compare(utf8(names[at - 1]), utf8(name)) < 0);

function pin(item) {
  const [name, userId, version, hash, state] = typed.array(item, 5);
  addresses.checkName(name);
  typed.bytes(userId, 32);
  typed.integer(version, 1, limits.U32);
  typed.bytes(hash, 32);
  typed.integer(state, 1, VERIFIED);
  if (version === 1 && !equal(hash, userId)) refuse("MalformedMessage", "version 1 is the user id");
  return { name, userId, version, hash, state };
}

export function encode({ name, seed, sealed, pins }) {
  const shown = pins.map((each) => [each.name, each.userId, each.version, each.hash, each.state]);
  return cbor.encode([VERSION, name, seed, sealed, shown]);
}

/** [USR-41] */
export function decode(data) {
  if (data.length > limits.LINKING_PACKAGE_SIZE) refuse("MalformedMessage", "a payload that is too long");
  const items = 6 + limits.SEALED_SEEDS + 6 * limits.PINS;
  const [version, name, seed, sealed, pins] = typed.array(cbor.decode(data, { nesting: 3, items }), 5);
  if (version !== VERSION) refuse("MalformedMessage", "a payload of another version");
  addresses.checkName(name);
  typed.optional(seed, (item) => typed.bytes(item, 32));
  const sealedSeeds = typed.array(sealed, 0, limits.SEALED_SEEDS).map((each) => typed.bytes(each, SEALED_SEED));
  if (seed === null && sealedSeeds.length > 0) refuse("MalformedMessage", "sealed seeds that nothing opens");
  const found = typed.array(pins, 0, limits.PINS).map(pin);
  const names = found.map((each) => each.name);
  if (!ordered(names) || names.includes(name)) refuse("MalformedMessage", "other contacts, or another order");
  return { name, seed, sealed: sealedSeeds, pins: found };
}

// --- document seeds -------------------------------------------------------------------------------

const bound = (userId, generation) => concat(userId, bigEndian(generation, 4));
const keyOf = (later, userId, generation) => hkdf(new Uint8Array(32), later, concat(LABEL, bound(userId, generation)), 32);
const NONCE = new Uint8Array(12);

/** Return every seed but the newest sealed under the one after it, the newest first. `seeds` begin with generation 1. */
export function sealSeeds(seeds, userId) {
  const sealed = seeds.slice(0, -1).map((seed, at) => {
    const generation = at + 1;
    const associated = concat(bound(userId, generation), sha256(hpke.publicOf(seed)));
    return aead.seal(keyOf(seeds[at + 1], userId, generation), NONCE, seed, associated);
  });
  return sealed.reverse();
}

function openSeed(sealed, later, userId, { generation, public: key }) {
  try {
    return aead.open(keyOf(later, userId, generation), NONCE, sealed, concat(bound(userId, generation), sha256(key)));
  } catch (error) {
    if (error instanceof Refusal) refuse("LinkingRefused", "a sealed seed that does not open");
    throw error;
  }
}

function checkSeed(seed, { public: key }) {
  if (!equal(hpke.publicOf(seed), key)) refuse("LinkingRefused", "a seed of another document key");
  return seed;
}

/** Return the seeds that a payload gives to a device of a chain, from generation 1. [USR-42] [USR-43] */
export function seedsOf({ seed, sealed }, snapshots, id) {
  const device = snapshots.at(-1).devices.find((each) => each.id === id);
  const reads = device !== undefined && deviceList.rights(device).readsDocuments;
  if (reads !== (seed !== null)) refuse("LinkingRefused", "a seed that the device may not have, or none");
  if (seed === null) return [];
  const userId = snapshots[0].hash;
  const byGeneration = new Map(snapshots.flatMap(({ documentKey: key }) => (key === null ? [] : [[key.generation, key]])));
  const keys = [...byGeneration.values()].sort((left, right) => right.generation - left.generation);
  if (sealed.length !== keys.length - 1) refuse("LinkingRefused", "another number of seeds than document keys");
  const seeds = [checkSeed(seed, keys[0])];
  sealed.forEach((each, at) => seeds.push(checkSeed(openSeed(each, seeds[at], userId, keys[at + 1]), keys[at + 1])));
  return seeds.reverse();
}
