// Published numbers, and signatures.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "@noble/hashes/utils.js";
import * as aead from "../aead.js";
import { ascii, concat, fromHex, littleEndian, readLittleEndian, toHex } from "../bytes.js";
import * as curve from "../curve.js";
import * as kdf from "../kdf.js";
import * as kem from "../kem.js";
import * as xeddsa from "../xeddsa.js";

test("X25519 agrees as in RFC 7748 section 6.1", () => {
  const alice = fromHex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const bob = fromHex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  assert.equal(toHex(curve.publicOf(alice)), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  assert.equal(toHex(curve.agree(alice, curve.publicOf(bob))), shared);
  assert.equal(toHex(curve.agree(bob, curve.publicOf(alice))), shared);
});

test("HKDF gives the first numbers of RFC 5869", () => {
  const okm = kdf.hkdf(fromHex("000102030405060708090a0b0c"), new Uint8Array(22).fill(0x0b), fromHex("f0f1f2f3f4f5f6f7f8f9"), 42);
  assert.equal(toHex(okm), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

test("ChaCha20-Poly1305 seals as in RFC 8439 section 2.8.2", () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at);
  const text = ascii(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const [nonce, associated] = [fromHex("070000004041424344454647"), fromHex("50515253c0c1c2c3c4c5c6c7")];
  const sealed = aead.seal(key, nonce, text, associated);
  assert.equal(toHex(sealed.subarray(0, 16)), "d31a8d34648e60db7b86afbc53ef7ec2");
  assert.equal(toHex(sealed.subarray(-16)), "1ae10b594f09e26a7e902ecbd0600691");
  assert.deepEqual(aead.open(key, nonce, sealed, associated), text);
  sealed[0] ^= 1;
  assert.throws(() => aead.open(key, nonce, sealed, associated), { name: "AuthenticationFailed" });
});

test("invalid public keys are refused", () => {
  const bad = [new Uint8Array(31), new Uint8Array(32), littleEndian(1n), littleEndian(curve.P - 1n), littleEndian(curve.P + 9n)];
  bad.push(littleEndian(2n ** 255n + 9n));
  for (const key of bad) assert.throws(() => curve.checkPublic(key), { name: "InvalidKey" });
  assert.deepEqual(curve.checkPublic(littleEndian(9n)), littleEndian(9n));
});

test("signatures verify for both signs of the Edwards key", () => {
  for (let round = 0; round < 8; round += 1) {
    const ours = curve.pair();
    const message = randomBytes(round * 10);
    const signature = xeddsa.sign(ours.private, message);
    xeddsa.verify(ours.public, message, signature);
    assert.throws(() => xeddsa.verify(ours.public, concat(message, Uint8Array.of(0)), signature), { name: "InvalidSignature" });
    assert.throws(() => xeddsa.verify(curve.pair().public, message, signature), { name: "InvalidSignature" });
  }
});

test("a second encoding of a signature is refused", () => {
  const ours = curve.pair();
  const signature = xeddsa.sign(ours.private, ascii("text"));
  const refused = (spelled) =>
    assert.throws(() => xeddsa.verify(ours.public, ascii("text"), spelled), { name: "InvalidSignature" });
  const q = 2n ** 252n + 27742317777372353535851937790883648493n;
  refused(concat(signature.subarray(0, 32), littleEndian(readLittleEndian(signature.subarray(32)) + q)));
  refused(signature.subarray(0, 63));
  refused(concat(signature, new Uint8Array(1)));
  refused(concat(littleEndian(1n), signature.subarray(32))); // R is the identity
  const flipped = Uint8Array.from(signature);
  flipped[31] ^= 0x80;
  refused(flipped);
});

test("the KEM agrees, rejects implicitly, and refuses a second encoding of a key", () => {
  const theirs = kem.pair();
  const { ciphertext, secret } = kem.encapsulate(theirs.public);
  assert.deepEqual(kem.decapsulate(theirs.private, ciphertext), secret);
  ciphertext[0] ^= 1;
  assert.notDeepEqual(kem.decapsulate(theirs.private, ciphertext), secret);
  assert.throws(() => kem.decapsulate(theirs.private, ciphertext.subarray(1)), { name: "MalformedMessage" });
  const spelled = Uint8Array.from(theirs.public);
  spelled[0] = 0x01; // 3329 = 0xD01
  spelled[1] = (spelled[1] & 0xf0) | 0x0d;
  assert.throws(() => kem.checkPublic(spelled), { name: "InvalidKey" });
});

test("a recorded m must give what was recorded", () => {
  const m = new Uint8Array(32).fill(7);
  const theirs = kem.pair(new Uint8Array(64).fill(3));
  const other = kem.encapsulate(theirs.public);
  assert.throws(() => kem.encapsulateRecorded(theirs.public, { m, ...other }), /another ciphertext/);
});
