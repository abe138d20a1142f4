// Padding, armor and addresses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "@noble/hashes/utils.js";
import * as addresses from "../address.js";
import * as armor from "../armor.js";
import { utf8 } from "../bytes.js";
import * as padding from "../padding.js";

const malformed = { name: "MalformedMessage" };

test("padded lengths are PADME's", () => {
  const known = [[0, 32], [31, 32], [32, 36], [35, 36], [36, 40], [127, 128], [128, 144], [999, 1024], [16_777_216, 17_301_504]];
  for (const [length, padded] of known) assert.equal(padding.paddedLength(length), padded, `${length}`);
  assert.throws(() => padding.paddedLength(16_777_217), { name: "PlaintextTooLong" });
});

test("padding can be removed, also after zeros and marks", () => {
  for (const length of [0, 1, 31, 32, 33, 200, 5000]) {
    const plaintext = randomBytes(length);
    if (length > 2) plaintext.set([0x80, 0], length - 2);
    assert.deepEqual(padding.unpad(padding.pad(plaintext)), plaintext);
  }
});

test("another padding is refused", () => {
  assert.throws(() => padding.unpad(new Uint8Array(32)), malformed);
  assert.throws(() => padding.unpad(new Uint8Array(0)), malformed);
  const longer = new Uint8Array(36);
  longer[3] = 0x80;
  assert.throws(() => padding.unpad(longer), malformed);
  assert.throws(() => padding.unpad(padding.pad(new Uint8Array(4)).fill(1, 30)), malformed);
});

test("armor survives rewrapping and surrounding text, and no other change", () => {
  const data = randomBytes(100);
  const text = armor.encode(data);
  assert.deepEqual(armor.decode(text), data);
  assert.deepEqual(armor.decode(`Hello,\r\n${text.replaceAll("\n", "\r\n")}-- \r\nA`), data);
  const lines = text.split("\n");
  const broken = [
    lines.slice(0, -2).join("\n"), // cut short
    text + text,
    text.replace(lines[1], `${lines[1]}*`),
    text.replace("=", ""),
    text.replace("==", "="),
    "",
  ];
  for (const wrong of broken) assert.throws(() => armor.decode(wrong), malformed);
  assert.throws(() => armor.decode(armor.encode(Uint8Array.of(1)).replace("AQ==", "AR==")), malformed);
});

test("names have one encoding and no invisible characters", () => {
  const good = ["a", "Zoë", "名前", "a b", "x".repeat(255)];
  for (const name of good) assert.deepEqual(addresses.decode(addresses.encode([name, 1])), [name, 1]);
  const bad = ["", "x".repeat(256), " a", "a ", "e\u0308", "a\u200db", "a\u0000", "a\ufe0f", "\u3164", "a\ue000", "a\u2028b", "\u3000a"];
  for (const name of bad) assert.throws(() => addresses.decode(addresses.encode([name, 1])), malformed, JSON.stringify(name));
  for (const device of [0, 2 ** 32]) assert.throws(() => addresses.decode(addresses.encode(["a", device])), malformed);
  assert.throws(() => addresses.decode(addresses.encode([utf8("a"), 1])), malformed);
});

test("no name has a character that is ignorable, or white space but for U+0020", () => {
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const character = String.fromCodePoint(code);
    if (code === 0x20 || !/[\p{Default_Ignorable_Code_Point}\p{White_Space}]/u.test(character)) continue;
    const address = [`a${character}b`, 1];
    assert.throws(() => addresses.fromItem(address), malformed, `U+${code.toString(16)}`);
  }
});
