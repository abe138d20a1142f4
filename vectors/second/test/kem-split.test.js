// Encapsulation in two steps gives what the library gives in one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "@noble/hashes/utils.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { concat } from "../bytes.js";
import * as kemSplit from "../kem-split.js";

const made = () => {
  const seed = randomBytes(64);
  const { publicKey } = ml_kem768.keygen(seed);
  return { seed, publicKey, ...kemSplit.split(publicKey), m: randomBytes(32) };
};

test("both steps together give the ciphertext and secret of FIPS 203", () => {
  for (let round = 0; round < 20; round += 1) {
    const { seed, publicKey, header, vector, m } = made();
    const whole = ml_kem768.encapsulate(publicKey, m);
    const { secret, ct1 } = kemSplit.encapsulateHeader(header, m);
    const ct2 = kemSplit.encapsulateVector(header, vector, m);
    assert.deepEqual(concat(ct1, ct2), whole.cipherText);
    assert.deepEqual(secret, whole.sharedSecret);
    assert.deepEqual(kemSplit.decapsulate(seed, ct1, ct2), secret);
  }
});

test("a damaged ct1 or ct2 gives another secret, and another length is refused", () => {
  const { seed, header, vector, m } = made();
  const { secret, ct1 } = kemSplit.encapsulateHeader(header, m);
  const ct2 = kemSplit.encapsulateVector(header, vector, m);
  const damaged = Uint8Array.from(ct2);
  damaged[0] ^= 1;
  assert.notDeepEqual(kemSplit.decapsulate(seed, ct1, damaged), secret);
  assert.throws(() => kemSplit.decapsulate(seed, ct1.subarray(1), ct2), { name: "MalformedMessage" });
});

test("a vector of another header is refused", () => {
  const { publicKey, header, vector, m } = made();
  const refused = (given) => assert.throws(() => kemSplit.encapsulateVector(header, given, m), { name: "InvalidKey" });
  refused(new Uint8Array(kemSplit.VECTOR_SIZE));
  refused(made().vector);
  refused(vector.subarray(3));
  refused(new Uint8Array(kemSplit.VECTOR_SIZE).fill(0xff));
  assert.throws(() => kemSplit.encapsulateHeader(header.subarray(1), m), { name: "InvalidKey" });
  const large = Uint8Array.from(publicKey);
  large.set([0x01, 0x0d]); // 3329, and a second coefficient of any size
  assert.throws(() => kemSplit.split(large), { name: "InvalidKey" });
  assert.throws(() => kemSplit.split(publicKey.subarray(1)), { name: "InvalidKey" });
});
