// What relays and clients send to each other: what the vectors do not ask.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toHex } from "../bytes.js";
import * as relay from "../relay.js";

const vectors = JSON.parse(readFileSync(new URL("../../data/relay.json", import.meta.url), "utf8"));
const tests = (operation) =>
  vectors.testGroups.filter((group) => group.type === operation).flatMap((group) => group.tests);
const short = tests("relay.decode").filter((each) => each.result === "valid" && each.input.data !== undefined);

test("what was read is written again as it came", () => {
  const kinds = new Set();
  for (const { input } of short) {
    const data = fromHex(input.data);
    assert.equal(toHex(relay.encode(input.kind, relay.decode(input.kind, data))), input.data);
    kinds.add(input.kind);
  }
  assert.deepEqual([...kinds].sort(), Object.keys(relay.BODIES).sort());
});

test("a body that is cut short is refused, wherever that is", () => {
  for (const { input } of short) {
    const data = fromHex(input.data);
    for (let length = 0; length < data.length; length += 1 + Math.floor(data.length / 20)) {
      assert.throws(() => relay.decode(input.kind, data.slice(0, length)), { name: "MalformedMessage" });
    }
  }
});

test("a body that nobody may read is not written", () => {
  assert.throws(() => relay.encode("ack", { ids: [] }), { name: "MalformedMessage" });
  assert.throws(() => relay.encode("put", { place: new Uint8Array(16), step: 1, part: 0, parts: 2, data: Uint8Array.of(1) }), {
    name: "MalformedMessage",
  });
});

test("a changed byte of a ticket is refused, wherever it is", () => {
  const { input } = tests("relay.verify_ticket").find((each) => each.comment === "a ticket");
  const key = fromHex(input.key);
  relay.verifyTicket(key, fromHex(input.ticket));
  for (let at = 0; at < input.ticket.length / 2; at += 1) {
    const changed = fromHex(input.ticket);
    changed[at] ^= 1;
    assert.throws(() => relay.verifyTicket(key, changed), { name: /^(MalformedMessage|UnsupportedVersion|InvalidSignature)$/ });
  }
});
