// The decoder accepts exactly one encoding of each value.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";

const LIMITS = { nesting: 4, items: 100 };
const refused = (hex, name = "MalformedMessage") =>
  assert.throws(() => cbor.decode(fromHex(hex), LIMITS), { name }, `${hex} was taken`);

const VALUES = [
  ["00", 0], ["17", 23], ["1818", 24], ["18ff", 255], ["190100", 256], ["1a00010000", 65536],
  ["1b0000000100000000", 2 ** 32], ["1bffffffffffffffff", 2n ** 64n - 1n],
  ["40", new Uint8Array(0)], ["420102", Uint8Array.of(1, 2)], ["60", ""], ["62c3a4", "ä"], ["63efbbbf", "\ufeff"],
  ["80", []], ["8301820203f6", [1, [2, 3], null]],
];

test("values survive a round trip", () => {
  for (const [hex, value] of VALUES) {
    assert.deepEqual(cbor.decode(fromHex(hex), LIMITS), value);
    assert.equal(toHex(cbor.encode(value)), hex);
  }
});

test("long forms of heads are refused", () => {
  for (const hex of ["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5801aa", "7801aa", "980100", "99000100"]) refused(hex);
});

test("indefinite lengths and reserved heads are refused", () => {
  for (const hex of ["5fff", "7fff", "9fff", "1c", "1d", "1e", "1f", "9c"]) refused(hex);
});

test("other kinds of item are refused", () => {
  for (const hex of ["20", "a0", "c000", "f4", "f5", "f7", "f93c00", "fb3ff0000000000000", "f816", "ff"]) refused(hex);
});

test("truncated encodings and trailing bytes are refused", () => {
  for (const hex of ["", "18", "19ff", "41", "6161ff", "81", "8101ff", "f6f6", "5bffffffffffffffff", "9bffffffffffffffff"]) refused(hex);
});

test("text that is not UTF-8 is refused", () => {
  for (const hex of ["61ff", "62c080", "63eda080", "64f4908080", "61c3"]) refused(hex);
});

test("nesting and items are bounded", () => {
  assert.deepEqual(cbor.decode(fromHex("81818180"), LIMITS), [[[[]]]]);
  refused("8181818180");
  const items = (count) => cbor.encode(Array(count).fill(0));
  assert.equal(cbor.decode(items(99), LIMITS).length, 99);
  refused(toHex(items(100)));
});

test("an unknown version is refused before the rest is read", () => {
  const peek = (hex) => () => cbor.peek(fromHex(hex), { 1: 1, 2: 1, 3: 2, 4: 2, 5: 1 });
  assert.deepEqual(peek("860102")(), { count: 6, kind: 2 });
  assert.deepEqual(peek("890203")(), { count: 9, kind: 3 });
  for (const hex of ["8103", "8003", "98ff03", "8600", "860202", "890103", "890104", "8a0201", "8c0205", "86180202", "9f"]) {
    assert.throws(peek(hex), { name: hex === "9f" ? "MalformedMessage" : "UnsupportedVersion" });
  }
  for (const hex of ["", "01", "80", "8001", "8002", "8101", "8102", "810103", "890106", "890206", "890200", "86f6", "8620", "8601f6"]) assert.throws(peek(hex), { name: "MalformedMessage" });
});
