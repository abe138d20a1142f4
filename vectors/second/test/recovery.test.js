// What recovery sends to both servers: what the vectors do not ask.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ascii, concat, fromHex, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import * as hpke from "../hpke.js";
import { sha256 } from "../kdf.js";
import { implementation } from "../operations/index.js";
import { BODIES, decode, encode } from "../recovery/bodies.js";
import * as devices from "../recovery/device.js";
import * as keeping from "../recovery/keeping.js";
import * as provisional from "../recovery/provisional.js";
import { Asking } from "../recovery/second-lock.js";

const FAMILIES = ["recovery", "recovery-frames", "second-lock", "provisional"];
const tests = FAMILIES.flatMap((family) =>
  JSON.parse(readFileSync(new URL(`../../data/${family}.json`, import.meta.url), "utf8")).testGroups,
).filter(({ type }) => type === "recovery.decode").flatMap((group) => group.tests);
const accepted = tests.filter(({ result, input }) => result === "valid" && input.data !== undefined);

test("what was read is written again as it came", () => {
  for (const { input } of accepted) {
    assert.equal(toHex(encode(input.kind, decode(input.kind, fromHex(input.data)))), input.data);
  }
});

test("the vectors have every body", () => {
  const kinds = new Set(tests.filter(({ result }) => result === "valid").map(({ input }) => input.kind));
  assert.deepEqual([...kinds].sort(), Object.keys(BODIES).sort());
});

test("a body that is cut short is refused, wherever that is", () => {
  for (const { input } of accepted) {
    const data = fromHex(input.data);
    for (let length = 0; length < data.length; length += 1 + Math.floor(data.length / 10)) {
      assert.throws(() => decode(input.kind, data.slice(0, length)), { name: "MalformedMessage" });
    }
  }
});

test("what is signed here verifies here, for one server alone", () => {
  const keys = devices.keysOf(new Uint8Array(32).fill(1));
  const { mlDsaKey, edwards } = devices.publicOf(keys);
  const hash = new Uint8Array(32).fill(5);
  const snapshots = [{ hash, devices: [{ id: 5, class: 3, mlDsaHash: sha256(mlDsaKey), edwards }] }];
  const data = keeping.sign(1, "get-box", { user_id: hash, after: 0, time: 1, device_id: 5 }, keys.signing);
  keeping.verify(1, "get-box", data, snapshots, null);
  assert.throws(() => keeping.verify(2, "get-box", data, snapshots, null), { name: "RecoveryRefused" });
  const [secret, id] = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(3)];
  const withdrawal = provisional.withdraw(1, secret, { kind: "mail", address: new Uint8Array(5), id });
  provisional.verifyWithdrawal(provisional.ownerKey(secret, id), 1, withdrawal);
  assert.throws(() => provisional.verifyWithdrawal(provisional.ownerKey(secret, id), 2, withdrawal), { name: "InvalidSignature" });
});

test("the same asking key asks with the same call", () => {
  const asking = () => new Asking(new Uint8Array(32), new Uint8Array(32).fill(4)).request();
  assert.equal(toHex(asking()), toHex(asking()));
});

test("seeds that both servers release open a grant to somebody without an account", () => {
  const run = implementation();
  const grants = JSON.parse(readFileSync(new URL("../../data/grants.json", import.meta.url), "utf8")).testGroups
    .filter(({ type }) => type === "grant.open").flatMap((group) => group.tests)
    .filter(({ result, input }) => result === "valid" && input.reader.kind === "provisional");
  assert.ok(grants.length > 0);
  const asking = new Uint8Array(32).fill(6);
  const label = ascii("letterlock-v1 released provisional seed");
  for (const { input, output } of grants) {
    const { reader } = input;
    const id = fromHex(reader.id);
    const released = [reader.first, reader.second].map((seed, at) => encode("released", {
      seeds: [{ id, sealed: hpke.seal(hpke.publicOf(asking), concat(label, cbor.encode([at + 1, id])), fromHex(seed)) }],
    }));
    const [{ id: found, seeds: [first, second] }] = provisional.seeds(asking, ...released);
    const opened = run("grant.open", { ...input, reader: { kind: "provisional", id: toHex(found), first: toHex(first), second: toHex(second) } });
    assert.deepEqual(opened, output);
    assert.throws(() => provisional.seeds(asking, ...released.reverse()), { name: "ServerAtFault" });
    const swapped = { ...reader, first: toHex(second), second: toHex(first) };
    assert.throws(() => run("grant.open", { ...input, reader: swapped }), { name: "NoGrant" });
  }
});
