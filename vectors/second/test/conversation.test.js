// Whole conversations between two accounts in memory, over a network that loses and reorders.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "../bytes.js";
import { Publisher } from "../publisher.js";
import * as prekeys from "../prekeys.js";

const clock = () => 1_000_000;
const ALICE = ["alice", 1];
const BOB = ["bob", 2];

function two(suites = [2]) {
  return [new Publisher({ address: ALICE, suites, clock }), new Publisher({ address: BOB, suites, clock })];
}

/** A small random generator with a fixed seed, so that failures can be repeated. */
function dice(seed) {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Return what would show a change of the account. */
function state(account) {
  return JSON.stringify(
    [[...account.peers], [...account.prekeys.keys()], [...account.replays].map(([key, set]) => [key, [...set]])],
    (_, value) => {
      if (value instanceof Uint8Array) return toHex(value);
      return value instanceof Map || value instanceof Set ? [...value] : value;
    },
  );
}

function refused(account, from, message, name) {
  const before = state(account);
  assert.throws(() => account.decrypt(from, message), { name });
  assert.equal(state(account), before, "a refused message changed the account");
}

for (const suite of [1, 2]) {
  test(`suite ${suite}: a conversation with loss, reordering, repeats and damage`, () => {
    const [alice, bob] = two([suite]);
    alice.initiate(BOB, bob.bundle(), { suite });
    const roll = dice(suite);
    const sides = [{ me: alice, to: BOB, from: ALICE, them: bob }, { me: bob, to: ALICE, from: BOB, them: alice }];
    const waiting = [[], []];
    let read = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      const at = turn < 3 ? 0 : roll(2);
      const { me, to, from, them } = sides[at];
      const text = utf8(`message ${turn} of ${from[0]}`);
      if (turn < 3 || read > 0) {
        const message = me.encrypt(to, text);
        if (roll(10) > 0) waiting[at].splice(roll(waiting[at].length + 1), 0, { message, text });
      }
      while (waiting[at].length > roll(4)) {
        const sent = waiting[at].pop();
        const damaged = Uint8Array.from(sent.message);
        damaged[damaged.length - 1] ^= 1;
        refused(them, from, damaged, "AuthenticationFailed");
        assert.deepEqual(them.decrypt(from, sent.message), sent.text);
        refused(them, from, sent.message, "DuplicateMessage");
        read += 1;
      }
    }
    assert.ok(read > 100);
    assert.equal(alice.safetyNumber(BOB).digits, bob.safetyNumber(ALICE).digits);
  });
}

test("both initiate at once, and end in one session", () => {
  const [alice, bob] = two();
  alice.initiate(BOB, bob.bundle(), { suite: 2 });
  bob.initiate(ALICE, alice.bundle(), { suite: 2 });
  const crossing = [alice.encrypt(BOB, utf8("a")), bob.encrypt(ALICE, utf8("b"))];
  bob.decrypt(ALICE, crossing[0]);
  alice.decrypt(BOB, crossing[1]);
  for (let round = 0; round < 6; round += 1) {
    const sent = [alice.encrypt(BOB, utf8(`a${round}`)), bob.encrypt(ALICE, utf8(`b${round}`))];
    assert.deepEqual(bob.decrypt(ALICE, sent[0]), utf8(`a${round}`));
    assert.deepEqual(alice.decrypt(BOB, sent[1]), utf8(`b${round}`));
  }
  const active = (account, address) => toHex(account.peer(address).sessions[0].associatedData);
  assert.equal(active(alice, BOB), active(bob, ALICE));
});

test("a handshake is accepted once, with one-time prekeys and without", () => {
  const [alice, bob] = two();
  const { lastResort } = prekeys.bundles(prekeys.decodePublication(bob.publish(0)));
  const cases = [[bob.bundle(), "UnknownPrekey"], [prekeys.encodeBundle(lastResort), "DuplicateMessage"]];
  for (const [bundle, name] of cases) {
    alice.initiate(BOB, bundle, { suite: 2, discardEarlier: true });
    const first = alice.encrypt(BOB, utf8("first"));
    bob.decrypt(ALICE, first);
    refused(bob, ALICE, first, "DuplicateMessage");
    bob.setPeer(ALICE, { ...bob.peer(ALICE), sessions: [] });
    refused(bob, ALICE, first, name);
  }
});

test("a suite nobody asked for is refused", () => {
  const [alice, bob] = two([1, 2]);
  bob.suites = [2];
  alice.initiate(BOB, bob.bundle(), { suite: 1 });
  refused(bob, ALICE, alice.encrypt(BOB, utf8("x")), "SuiteRefused");
  assert.throws(() => bob.initiate(ALICE, alice.bundle(), { suite: 1 }), { name: "UsageError" });
});

test("an account refuses itself as a peer, and a known address with another key", () => {
  const [alice, bob] = two();
  assert.throws(() => alice.initiate(ALICE, alice.bundle(), { suite: 2 }), { name: "UsageError" });
  alice.initiate(BOB, bob.bundle(), { suite: 2 });
  const impostor = new Publisher({ address: BOB, suites: [2], clock });
  assert.throws(() => alice.initiate(BOB, impostor.bundle(), { suite: 2 }), { name: "UntrustedIdentity" });
  alice.acceptIdentity(BOB, impostor.identityPublic);
  assert.throws(() => alice.encrypt(BOB, utf8("x")), { name: "NoSession" });
  alice.initiate(BOB, impostor.bundle(), { suite: 2 });
});

test("41 sessions are kept, no more", () => {
  const [alice, bob] = two([1]);
  const { lastResort } = prekeys.bundles(prekeys.decodePublication(bob.publish(0)));
  for (let index = 0; index < 45; index += 1) alice.initiate(BOB, prekeys.encodeBundle(lastResort), { suite: 1 });
  assert.equal(alice.peer(BOB).sessions.length, 41);
});

test("a message may be 2,000 ahead, and no further; 4,000 keys are kept", () => {
  const [alice, bob] = two([1]);
  alice.initiate(BOB, bob.bundle(), { suite: 1 });
  const sent = Array.from({ length: 6100 }, (_, index) => alice.encrypt(BOB, utf8(`${index}`)));
  refused(bob, ALICE, sent[2001], "TooManySkipped");
  bob.decrypt(ALICE, sent[2000]);
  bob.decrypt(ALICE, sent[4001]);
  bob.decrypt(ALICE, sent[4102]);
  assert.equal(bob.peer(ALICE).sessions[0].ratchet.skipped.size, 4000);
  refused(bob, ALICE, sent[99], "DuplicateMessage");
  assert.deepEqual(bob.decrypt(ALICE, sent[100]), utf8("100"));
});

test("a bundle whose one-time prekeys were used begins no second session", () => {
  const [alice, bob] = two();
  const [bundle, other] = [bob.bundle(), bob.bundle()];
  alice.initiate(BOB, bundle, { suite: 2 });
  const before = state(alice);
  assert.throws(() => alice.initiate(BOB, bundle, { suite: 2 }), { name: "UsageError" });
  assert.throws(() => alice.initiate(BOB, bundle, { suite: 2, discardEarlier: true }), { name: "UsageError" });
  assert.deepEqual(state(alice), before);
  alice.initiate(BOB, other, { suite: 2 });
  assert.equal(alice.peer(BOB).used.length, 4);
});

test("an old bundle, or one of a time to come, is refused, and a rotation leaves no pair of before to last", () => {
  const day = 86_400;
  let now = 20_000 * day;
  const moving = () => now;
  const alice = new Publisher({ address: ALICE, suites: [2], clock: moving });
  const bob = new Publisher({ address: BOB, suites: [2], clock: moving });
  const bundle = bob.bundle();
  for (const wrong of [now + 90 * day + 1, now - day - 1, 0]) {
    now = wrong;
    const before = state(alice);
    assert.throws(() => alice.initiate(BOB, bundle, { suite: 2 }), { name: "StaleBundle" });
    assert.equal(state(alice), before);
    now = 20_000 * day;
  }
  alice.initiate(BOB, bundle, { suite: 2 });
  const letter = alice.encrypt(BOB, utf8("late"));
  now += 7 * day;
  bob.publish(0);
  now += 30 * day;
  assert.throws(() => bob.decrypt(ALICE, letter), { name: "UnknownPrekey" });
});

test("bundles that a server has mixed are refused", () => {
  const [alice, bob] = two();
  const { pairs: [first, second], lastResort } = prekeys.bundles(prekeys.decodePublication(bob.publish(2)));
  const mixtures = [
    { ...first, oneTime: null }, { ...first, kem: null }, { ...first, kem: lastResort.kem }, { ...first, oneTime: second.oneTime },
    { ...first, signature: second.signature }, { ...lastResort, oneTime: first.oneTime }, { ...first, madeOn: first.madeOn + 1 },
  ];
  for (const mixed of mixtures) {
    assert.throws(() => alice.initiate(BOB, prekeys.encodeBundle(mixed), { suite: 2 }), { name: "InvalidSignature" });
  }
  alice.initiate(BOB, prekeys.encodeBundle(first), { suite: 2 });
});
