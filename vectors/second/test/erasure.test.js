// The erasure code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "@noble/hashes/utils.js";
import * as erasure from "../erasure.js";

/** Multiplication by its definition, bit by bit. */
function longhand(left, right) {
  let product = 0;
  for (let bit = 15; bit >= 0; bit -= 1) {
    product <<= 1;
    if (product & 0x10000) product ^= 0x1100b;
    if ((right >> bit) & 1) product ^= left;
  }
  return product;
}

test("elements multiply as polynomials do", () => {
  assert.equal(erasure.multiply(0x8000, 2), 0x100b);
  for (let round = 0; round < 500; round += 1) {
    const [left, right] = new Uint16Array(randomBytes(4).buffer);
    assert.equal(erasure.multiply(left, right), longhand(left, right));
  }
});

test("two codewords lie on a line", () => {
  const text = randomBytes(64);
  const third = erasure.codewords(text, 2, 1);
  const element = (bytes, at) => (bytes[at] << 8) | bytes[at + 1];
  for (let at = 0; at < 32; at += 2) {
    const [start, next] = [element(text, at), element(text, 32 + at)];
    assert.equal(element(third, at), start ^ longhand(2, start ^ next)); // f(2) = f(0) + 2 (f(1) - f(0))
  }
});

test("any codewords restore the text, in any order, and an index keeps its first codeword", () => {
  for (const count of [1, 3, 5, 30, 36]) {
    const text = randomBytes(32 * count);
    assert.deepEqual(erasure.codewords(text, 0, count), text);
    let collected = new Map();
    while (collected.size < count) {
      const index = randomBytes(2).reduce((value, byte) => 256 * value + byte) % (collected.size % 2 === 0 ? 65536 : 2 * count);
      collected = erasure.collect(collected, index, erasure.codewords(text, index, 1), count);
      collected = erasure.collect(collected, index, randomBytes(32), collected.size);
      collected = erasure.collect(collected, index, randomBytes(32), count);
    }
    assert.deepEqual(erasure.text(text.length, collected), text);
    assert.equal(erasure.collect(collected, 70, randomBytes(96), count).size, count);
  }
});

test("too few codewords are refused, and so is an index above 65,535", () => {
  const text = randomBytes(96);
  const collected = erasure.collect(new Map(), 7, erasure.codewords(text, 7, 2), 3);
  assert.throws(() => erasure.text(96, collected), { name: "UsageError" });
  assert.equal(erasure.codewords(text, 65535, 1).length, 32);
  assert.throws(() => erasure.codewords(text, 65535, 2), { name: "UsageError" });
  assert.throws(() => erasure.codewords(text.subarray(1), 0, 1), { name: "UsageError" });
});
