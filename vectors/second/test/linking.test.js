// Linking and archives: what the vectors do not ask.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as archive from "../archive.js";
import { fromHex, toHex, utf8 } from "../bytes.js";
import * as hpke from "../hpke.js";
import { implementation } from "../operations/index.js";
import * as payload from "../linking-payload.js";

const vectors = JSON.parse(readFileSync(new URL("../../data/linking.json", import.meta.url), "utf8"));
const firstOf = (operation) => vectors.testGroups.find((group) => group.type === operation).tests[0].input;
const REFUSALS = /^(MalformedMessage|UnsupportedVersion|AuthenticationFailed|LinkingRefused|Invalid(DeviceList|Signature|Key))$/;

function changedAt(text, at) {
  const data = fromHex(text);
  data[at] ^= 1;
  return toHex(data);
}

test("a changed byte of an offer, an answer or a package is refused, wherever it is", () => {
  const perform = implementation();
  for (const [operation, name, step] of [
    ["linking.take_offer", "sealed_offer", 211], ["linking.take_answer", "answer", 397], ["linking.take_package", "sealed_package", 1993],
  ]) {
    const given = firstOf(operation);
    perform(operation, given);
    for (let at = 0; at < given[name].length / 2; at += step) {
      assert.throws(() => perform(operation, { ...given, [name]: changedAt(given[name], at) }), { name: REFUSALS }, `${operation}, byte ${at}`);
    }
  }
});

test("what is sealed to a key opens, and is another text each time", () => {
  const seed = new Uint8Array(32).fill(7);
  const [info, text] = [utf8("info"), utf8("text")];
  const [one, two] = [hpke.seal(hpke.publicOf(seed), info, text), hpke.seal(hpke.publicOf(seed), info, text)];
  assert.notDeepEqual(one, two);
  assert.deepEqual(hpke.open(seed, info, one), text);
  assert.deepEqual(hpke.open(seed, info, two), text);
});

test("an archive gives its items back, whatever their lengths", () => {
  const key = { key: new Uint8Array(32).fill(1), archiveId: new Uint8Array(16).fill(2) };
  const header = new Uint8Array(24).fill(3);
  for (const lengths of [[], [0], [1, 2, 3], [65_528], [65_529], [65_532], [65_536, 0], [200_000, 5]]) {
    const items = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
    const sealed = archive.seal(items, key, header);
    assert.equal((sealed.length - 70) % 65_553, 0);
    assert.deepEqual(archive.read(sealed, key), items);
  }
});

test("a payload comes back, and each seed opens the one before it", () => {
  const seeds = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
  const userId = new Uint8Array(32).fill(9);
  const made = { name: "alice", seed: seeds[2], sealed: payload.sealSeeds(seeds, userId), pins: [] };
  assert.deepEqual(payload.decode(payload.encode(made)), made);
  const snapshots = seeds.map((seed, at) => ({
    hash: userId, documentKey: { generation: at + 1, public: hpke.publicOf(seed) }, devices: [{ id: 1, class: 1 }],
  }));
  assert.deepEqual(payload.seedsOf(made, snapshots, 1), seeds);
});
