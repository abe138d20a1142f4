// Talk with another implementation: node vectors/second/converse.js [COMMAND...]
//
// COMMAND speaks the line protocol of vectors/README.md. The default is `python3 -m letterlock vectors serve`.
// One party runs here, the other one there. The network between them has a fixed seed. It loses, reorders, repeats and
// damages messages. Every plaintext and every name of a refusal is compared, and both safety numbers must be equal.
// Then devices are linked, from one implementation to the other (converse-linking.js).

import { Disagreement, elsewhere, here, must, mustRefuse } from "./asking.js";
import { toHex, utf8 } from "./bytes.js";
import { linkDevices } from "./converse-linking.js";

const MESSAGES = 120; // in each conversation, about half from each side
const SHORT = 300; // most letters of two bytes in a message
const LONG = 6_000;
const EPOCHS = 4; // that a long conversation must reach in the post-quantum ratchet
const OURS = ["here", 1];
const THEIRS = ["dört", 4_294_967_295]; // a name beyond ASCII, the highest device id

/** A party and the function that asks its implementation. */
function partyOf(ask, side, address) {
  return { side, address, ask: (op, input = {}) => ask(`party.${op}`, { party: side.party, ...input }) };
}

/** A small random generator with a fixed seed, so that failures can be repeated. */
function dice(seed) {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function damage(message, roll) {
  const bytes = Buffer.from(message, "hex");
  bytes[bytes.length - 1 - roll(16)] ^= 1 << roll(8); // in the tag, so that the refusal always has the same name
  return toHex(bytes);
}

/** The messages in transit, and what may happen to them. */
class Network {
  constructor(roll, counts) {
    this.roll = roll;
    this.counts = counts;
    this.inTransit = [];
  }

  send(from, to, message, text) {
    const letter = { from, to, message, text };
    if (this.roll(12) === 0) this.counts.lost += 1;
    else this.inTransit.splice(this.roll(this.inTransit.length + 1), 0, letter);
  }

  async deliver() {
    const { from, to, message, text } = this.inTransit.pop();
    const open = (data) => to.ask("decrypt", { address: from.address, message: data });
    if (this.roll(4) === 0) {
      await mustRefuse(open(damage(message, this.roll)), ["AuthenticationFailed"], `a damaged message to ${to.side.name}`);
      this.counts.damaged += 1;
    }
    const { plaintext } = await must(open(message), `a message to ${to.side.name}`);
    if (plaintext !== text) throw new Disagreement(`another plaintext at ${to.side.name}`);
    this.counts.read += 1;
    if (this.roll(3) === 0) {
      await mustRefuse(open(message), ["DuplicateMessage"], `a repeated message to ${to.side.name}`);
      this.counts.repeated += 1;
    }
  }
}

function plaintextOf(turn, roll, { long }) {
  return toHex(utf8(`message ${turn} ${"ä".repeat(roll(long ? LONG : SHORT))}`));
}

/** Return the epoch of the braid in a message, or 0 if it has none. */
async function epochOf(party, message) {
  if (!message.startsWith("8c0105")) return 0;
  return (await must(party.operation("wire.decode", { kind: "triple", data: message }), "its fields")).pq_header.epoch;
}

async function bundleOf(party, lastResort) {
  if (!lastResort) return (await must(party.ask("bundle"), "a bundle")).bundle;
  const { publication } = await must(party.ask("publish", { one_time: 0 }), "a publication");
  return (await must(party.operation("publication.bundles", { publication }), "its bundles")).last_resort;
}

async function write(network, from, to, text) {
  const { message } = await must(from.ask("encrypt", { address: to.address, plaintext: text }), `writing at ${from.side.name}`);
  network.counts.epoch = Math.max(network.counts.epoch, await epochOf(from, message));
  network.send(from, to, message, text);
}

async function begin(initiator, recipient, { suite, lastResort }) {
  const bundle = await bundleOf(recipient, lastResort);
  await must(initiator.ask("initiate", { address: recipient.address, bundle, suite }), `initiating at ${initiator.side.name}`);
}

/** One side initiates. The other may write after it has read a message. */
async function oneSided(network, [initiator, recipient], how, roll) {
  await begin(initiator, recipient, how);
  for (let turn = 0; turn < MESSAGES; turn += 1) {
    const answered = network.counts.read > 0 && roll(2) === 1;
    const [from, to] = answered ? [recipient, initiator] : [initiator, recipient];
    await write(network, from, to, plaintextOf(turn, roll, how));
    while (network.inTransit.length > 0 && network.inTransit.length > roll(8)) await network.deliver();
  }
  while (network.inTransit.length > 0) await network.deliver();
}

/** Both sides initiate at once and write in turns until they share a session, then go on as usual. */
async function crossing(network, [left, right], how, roll) {
  await begin(left, right, how);
  await begin(right, left, how);
  for (let turn = 0; turn < MESSAGES / 2; turn += 1) {
    await write(network, left, right, plaintextOf(turn, roll, how));
    await write(network, right, left, plaintextOf(turn, roll, how));
    while (network.inTransit.length > 0 && (turn < 6 || network.inTransit.length > roll(8))) await network.deliver();
  }
  while (network.inTransit.length > 0) await network.deliver();
}

async function sameSafetyNumbers(left, right) {
  const of = (party, other) => must(party.ask("safety_number", { address: other.address }), "a safety number");
  const [ours, theirs] = [await of(left, right), await of(right, left)];
  if (ours.digits !== theirs.digits) throw new Disagreement("the safety numbers differ");
  const codes = [ours, theirs].map(({ scannable }) => [scannable.slice(0, 12), scannable.slice(12, 76), scannable.slice(76, 84), scannable.slice(84)]);
  if (codes[0][1] !== codes[1][3] || codes[0][3] !== codes[1][1]) throw new Disagreement("the codes to scan differ");
}

/** Return every way in which a conversation can begin. */
function ways() {
  const begun = [];
  for (const suite of [1, 2]) {
    for (const lastResort of [false, true]) {
      for (const who of ["here", "there", "both"]) {
        for (const long of [false, true]) begun.push({ suite, lastResort, who, long });
      }
    }
  }
  return begun;
}

async function converse(asks, way, number) {
  const roll = dice(number * 7919 + 1);
  const counts = { read: 0, lost: 0, repeated: 0, damaged: 0, epoch: 0 };
  const parties = [["here", OURS], ["there", THEIRS]].map(([name, address]) => {
    const party = partyOf(asks[name], { name, party: `${name} ${number}` }, address);
    return { ...party, operation: asks[name] };
  });
  for (const party of parties) await must(party.ask("create", { address: party.address, suites: [way.suite] }), "a party");
  const ordered = way.who === "there" ? [parties[1], parties[0]] : parties;
  const network = new Network(roll, counts);
  await (way.who === "both" ? crossing : oneSided)(network, ordered, way, roll);
  await sameSafetyNumbers(...parties);
  if (counts.read === 0 || counts.repeated === 0 || counts.damaged === 0) throw new Disagreement("the network did nothing");
  const wanted = way.suite === 2 && way.long ? EPOCHS : 0;
  if (counts.epoch < wanted) throw new Disagreement(`epoch ${counts.epoch} only`);
  return counts;
}

async function main(command) {
  const other = elsewhere(command.length > 0 ? command : ["python3", "-m", "letterlock", "vectors", "serve"]);
  const asks = { here: here(), there: other.ask };
  const who = await must(other.ask("hello", {}), "hello");
  console.log(`talking with ${who.implementation} ${who.version}`);
  let failed = 0;
  for (const [number, way] of ways().entries()) {
    const name = `suite ${way.suite}, ${way.lastResort ? "last-resort" : "one-time"} bundle, begun by ${way.who}, ${way.long ? "long" : "short"}`;
    try {
      const { read, lost, repeated, damaged, epoch } = await converse(asks, way, number);
      console.log(`${name}: ${read} read, ${lost} lost, ${repeated} repeats and ${damaged} damaged ones refused, epoch ${epoch}`);
    } catch (error) {
      if (!(error instanceof Disagreement)) throw error;
      failed += 1;
      console.log(`${name}: FAILED, ${error.message}`);
    }
  }
  for (const [old, fresh] of [["here", "there"], ["there", "here"]]) {
    const name = `devices linked, begun by ${old}`;
    try {
      const { devices, refused } = await linkDevices({ old: asks[old], fresh: asks[fresh] }, name);
      console.log(`${name}: ${devices} devices, ${refused} changed messages refused`);
    } catch (error) {
      if (!(error instanceof Disagreement)) throw error;
      failed += 1;
      console.log(`${name}: FAILED, ${error.message}`);
    }
  }
  other.end();
  console.log(`${ways().length + 2 - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
