// The triple ratchet: epochs complete over a network that loses and reorders, and the post-quantum half cannot be removed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "@noble/hashes/utils.js";
import * as braid from "../braid.js";
import { concat } from "../bytes.js";
import { Publisher } from "../publisher.js";
import * as messages from "../messages.js";
import * as sparse from "../sparse.js";

const clock = () => 1_000_000;
const ALICE = ["alice", 1];
const BOB = ["bob", 2];

function talking() {
  const [alice, bob] = [ALICE, BOB].map((address) => new Publisher({ address, suites: [2], clock }));
  alice.initiate(BOB, bob.bundle(), { suite: 2 });
  return [{ me: alice, to: BOB, from: ALICE, them: bob }, { me: bob, to: ALICE, from: BOB, them: alice }];
}

const pqStateOf = ({ me, to }) => me.peer(to).sessions[0].pqState;
const pqHeaderOf = (data) => messages.decodeMessage(data, messages.TRIPLE).pqHeader;

/** A small random generator with a fixed seed, so that failures can be repeated. */
function dice(seed) {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

for (const size of [20, 900, 6000]) {
  test(`several epochs complete with messages of up to ${size} bytes, lost, reordered and late`, () => {
    const sides = talking();
    const roll = dice(size);
    const waiting = [[], []];
    const late = [];
    let read = 0;
    const open = ({ at, message, text }) => {
      assert.deepEqual(sides[at].them.decrypt(sides[at].from, message), text);
      assert.throws(() => sides[at].them.decrypt(sides[at].from, message), { name: "DuplicateMessage" });
      read += 1;
    };
    for (let turn = 0; turn < (size === 20 ? 900 : 300); turn += 1) {
      const at = read === 0 ? 0 : roll(2);
      const text = randomBytes(1 + roll(size));
      const sent = { at, text, message: sides[at].me.encrypt(sides[at].to, text) };
      if (roll(40) === 0) late.push(sent);
      else if (roll(8) > 0) waiting[at].splice(roll(waiting[at].length + 1), 0, sent);
      while (waiting[at].length > roll(6)) open(waiting[at].pop());
    }
    waiting.flat().forEach(open);
    const epoch = pqStateOf(sides[0]).braid.epoch;
    late.forEach(open); // messages of many epochs ago
    assert.ok(late.length > 3);
    assert.ok(epoch > 4, `epoch ${epoch} only`);
    assert.ok(Math.abs(pqStateOf(sides[1]).braid.epoch - epoch) <= 1);
  });
}

test("long messages in turn agree on a secret in a few turns, and both chains have the same root", () => {
  const sides = talking();
  const turns = [];
  for (let turn = 0; turn < 40; turn += 1) {
    const { me, to, from, them } = sides[turn % 2];
    assert.deepEqual(them.decrypt(from, me.encrypt(to, new Uint8Array(6000))), new Uint8Array(6000));
    turns.push(pqStateOf(sides[0]).braid.epoch);
  }
  assert.ok(turns.at(-1) >= 6, `${turns}`);
  const [left, right] = sides.map((side) => pqStateOf(side).sparse);
  if (left.latest === right.latest) assert.deepEqual(left.root, right.root);
});

test("a message carries a quarter of its size in codewords, at least one, and no more than the text has", () => {
  const [alice] = talking();
  const first = messages.decodeInitial(alice.me.encrypt(BOB, new Uint8Array(1)));
  assert.equal(first.message.pqHeader.codewords.length, 96); // the header of the handshake counts
  const counted = [[1, 1], [127, 1], [255, 2], [511, 4], [4000, 32], [6000, 36], [20_000, 36]].map(([length, count]) => {
    const [{ me, to, from, them }, back] = talking();
    them.decrypt(from, me.encrypt(to, new Uint8Array(1)));
    me.decrypt(BOB, back.me.encrypt(ALICE, new Uint8Array(1)));
    const { codewords } = pqHeaderOf(me.encrypt(to, new Uint8Array(length)));
    return [codewords.length / 32, count];
  });
  for (const [is, should] of counted) assert.equal(is, should);
});

test("a message of the other suite is refused, alone and in an initial message", () => {
  const [{ me, to, from, them }, back] = talking();
  them.decrypt(from, me.encrypt(to, new Uint8Array(1)));
  me.decrypt(BOB, back.me.encrypt(ALICE, new Uint8Array(1)));
  const message = me.encrypt(to, new Uint8Array(1));
  const { ratchetKey, previousLength, number } = messages.decodeMessage(message, messages.TRIPLE);
  const stripped = concat(messages.encodeHeader({ ratchetKey, previousLength, number }), message.slice(-58));
  assert.throws(() => them.decrypt(from, stripped), { name: "AuthenticationFailed" });
  const initial = talking()[0].me.encrypt(BOB, new Uint8Array(1));
  const { headerBytes } = messages.decodeInitial(initial);
  const inside = concat(headerBytes, Uint8Array.of(0x58, stripped.length), stripped);
  assert.throws(() => messages.decodeInitial(inside), { name: "MalformedMessage" });
});

/** Two braids on one secret. `pass` sends one pqHeader from `from` to the other side, after `change`. */
function braids() {
  const secret = randomBytes(32);
  const sides = [braid.start(secret, true), braid.start(secret, false)];
  const pass = (from, maxCodewords = 64, change = (pqHeader) => pqHeader) => {
    const sent = braid.send(sides[from], maxCodewords, randomBytes);
    sides[from] = sent.state;
    const received = braid.receive(sides[1 - from], change(sent.pqHeader));
    sides[1 - from] = received.state;
    return [sent.secret, received.secret];
  };
  return { sides, pass };
}

test("with a whole text in each message, both sides get the same secret and change roles", () => {
  const { sides, pass } = braids();
  for (let epoch = 1; epoch < 6; epoch += 1) {
    const asker = epoch % 2 === 1 ? 0 : 1;
    const secrets = [asker, 1 - asker, asker, 1 - asker].map((from) => pass(from)).flat().filter((one) => one !== null);
    assert.equal(secrets.length, 2);
    assert.deepEqual(secrets[0], secrets[1]);
    assert.deepEqual(sides.map(({ name }) => name).sort(), ["Ct2Sampled", "NoHeaderReceived"]);
    pass(asker); // of the next epoch
    assert.deepEqual(sides.map(({ name }) => name).sort(), ["KeysUnsampled", "NoHeaderReceived"]);
  }
});

test("every state occurs, with one codeword a message and one side writing more than the other", () => {
  const { sides, pass } = braids();
  const seen = new Set();
  const roll = dice(5);
  for (let turn = 0; turn < 1500; turn += 1) {
    const busy = Math.floor(turn / 200) % 2; // each side in turn writes nearly alone
    pass(roll(6) > 0 ? busy : 1 - busy, 1);
    for (const { name } of sides) seen.add(name);
  }
  assert.deepEqual([...seen].sort(), [...braid.STATES].sort());
});

const spoiled = (pqHeader) => ({ ...pqHeader, codewords: pqHeader.codewords.map((byte) => byte ^ 1) });

test("a header, vector or ciphertext with a wrong MAC is refused and changes nothing", () => {
  for (const honest of [0, 2, 3]) {
    const { sides, pass } = braids();
    for (let turn = 0; turn < honest; turn += 1) pass(turn % 2);
    const before = { ...sides[1 - (honest % 2)] };
    assert.throws(() => pass(honest % 2, 64, spoiled), { name: "BraidFailed" });
    assert.deepEqual(sides[1 - (honest % 2)], before);
  }
});

test("an epoch that has not begun is refused", () => {
  const { sides, pass } = braids();
  const later = (pqHeader) => ({ ...pqHeader, epoch: pqHeader.epoch + 1 });
  assert.throws(() => pass(0, 1, later), { name: "AuthenticationFailed" });
  [0, 1, 0].forEach((from) => pass(from));
  assert.equal(sides[1].name, "Ct2Sampled");
  assert.throws(() => braid.receive(sides[1], { epoch: 3, type: 0, first: null, codewords: null }), { name: "AuthenticationFailed" });
});

test("codewords begin again after 65,535", () => {
  const { sides, pass } = braids();
  sides[0] = { ...braid.send(sides[0], 1, randomBytes).state, sent: 65_534 };
  pass(0, 3);
  assert.equal(sides[0].sent, 0);
  assert.equal(sides[1].collected.size, 2);
  pass(0, 3);
  assert.equal(sides[1].name, "HeaderReceived");
});

test("a chain ends with its epoch, and a skipped message can be opened once", () => {
  const secret = randomBytes(32);
  let [left, right] = [sparse.start(secret, true), sparse.start(secret, false)];
  const sent = [];
  const write = (epoch) => {
    const { state, ...header } = sparse.send(left, epoch);
    left = state;
    sent.push({ epoch, ...header });
  };
  let kept = new Map();
  const take = (index) => {
    const { key, commit } = sparse.findMessageKey(right, kept, sent[index]);
    const { state, used, passed } = commit();
    right = state;
    kept = new Map([...kept, ...passed]);
    kept.delete(used);
    assert.deepEqual(key, sent[index].key);
  };
  for (let count = 0; count < 4; count += 1) write(0);
  take(1);
  assert.throws(() => take(1), { name: "DuplicateMessage" });
  const next = randomBytes(32);
  [left, right] = [left, right].map((state) => sparse.addEpoch(state, 1, next));
  for (let count = 0; count < 3; count += 1) write(1);
  assert.equal(sent[6].previous, 4);
  assert.throws(() => sparse.send(left, 0), { name: "UsageError" });
  take(6);
  assert.equal(kept.size, 5);
  for (const late of [0, 2, 3, 5, 4]) take(late);
  assert.equal(kept.size, 0);
  assert.throws(() => take(3), { name: "DuplicateMessage" });
  assert.throws(() => sparse.findMessageKey(right, kept, { epoch: 2, number: 1, previous: 0 }), { name: "AuthenticationFailed" });
  assert.throws(() => sparse.findMessageKey(right, kept, { epoch: 1, number: 2005, previous: 0 }), { name: "TooManySkipped" });
});

test("messages of two sessions begun at once are read, and damaged ones are not taken for duplicates", () => {
  const sides = talking();
  sides[1].me.initiate(ALICE, sides[0].me.bundle(), { suite: 2 });
  for (let turn = 0; turn < 3; turn += 1) {
    const letters = sides.map(({ me, to }) => me.encrypt(to, Uint8Array.of(turn)));
    sides.forEach(({ them, from }, at) => {
      const damaged = Uint8Array.from(letters[at]);
      damaged[damaged.length - 1] ^= 1;
      assert.throws(() => them.decrypt(from, damaged), { name: "AuthenticationFailed" });
      assert.deepEqual(them.decrypt(from, letters[at]), Uint8Array.of(turn));
      assert.throws(() => them.decrypt(from, letters[at]), { name: "DuplicateMessage" });
    });
  }
});
