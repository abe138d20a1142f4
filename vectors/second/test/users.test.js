// Device lists and composite signatures: what the vectors do not ask.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toHex } from "../bytes.js";
import * as composite from "../composite.js";
import * as deviceList from "../device-list.js";

const vectors = JSON.parse(readFileSync(new URL("../../data/users.json", import.meta.url), "utf8"));
const tests = (operation) =>
  vectors.testGroups.filter((group) => group.type === operation).flatMap((group) => group.tests);

test("a changed byte of a device list is refused, wherever it is", () => {
  const { input } = tests("device_list.verify").find((each) => each.comment === "a device added");
  const before = deviceList.decodeSnapshot(fromHex(input.before.snapshot));
  const userId = fromHex(input.before.user_id);
  const verify = (data) => deviceList.verifyNext(before, userId, deviceList.decode(data));
  verify(fromHex(input.list));
  for (let at = 0; at < input.list.length / 2; at += 97) {
    const changed = fromHex(input.list);
    changed[at] ^= 1;
    assert.throws(() => verify(changed), { name: /^(MalformedMessage|UnsupportedVersion|Invalid(DeviceList|Signature|Key))$/ });
  }
});

test("a composite key of the wrong length is refused", () => {
  const key = composite.publicOf(new Uint8Array(64));
  assert.equal(toHex(key).length, 2 * 1984);
  const halves = { mlDsaKey: key.slice(0, 1951), edwards: key.slice(1952) };
  assert.throws(() => composite.verify(halves, key, new Uint8Array(3373), new Uint8Array(0)), { name: "InvalidKey" });
});
