// Operations on groups: secrets and names of epochs, sender chains, texts.

import { fromHex, toHex } from "../bytes.js";
import { decodeChain } from "../groups/chain.js";
import * as epochs from "../groups/epoch.js";
import { decodeSnapshot } from "../device-list.js";
import { decodeEntry } from "../documents/entry.js";
import { readHistory } from "../groups/history.js";
import { Member } from "../groups/member.js";
import { readNames } from "../groups/names.js";
import { Receiver } from "../groups/receiver.js";
import * as sending from "../groups/sender.js";
import { decodeText } from "../groups/text.js";
import { refuse } from "../errors.js";
import { U32 } from "../limits.js";
import { playSteps } from "./plays.js";

const senderOf = (given) => ({ userId: given.sized("user_id", 32), deviceId: given.integer("device_id", 1, U32) });

const epochOf = (given) => ({
  groupId: given.sized("group_id", 16), number: given.integer("epoch", 1, U32), opening: given.sized("opening", 32),
});

const heardOf = (given) => ({
  member: given.integer("member"), deviceId: given.integer("device_id", 1, U32), since: given.integer("since", 0, U32),
  number: given.integer("number", 0, U32), head: given.sized("head", 32),
});

const outHeard = ({ member, deviceId, since, number, head }) => ({
  member, device_id: deviceId, since, number, head: toHex(head),
});

export const outChain = ({ groupId, epoch, opening, number, before, key, nextSeed, signingKeys }) => ({
  group_id: toHex(groupId), epoch, opening: toHex(opening), number, before, chain_key: toHex(key), next_seed: toHex(nextSeed),
  signing_keys: signingKeys.map(toHex),
});

function begin(given) {
  const [epoch, sender] = [epochOf(given), senderOf(given)];
  const { key, nextSeed } = epochs.beginChain(given.sized("seed", 32), given.sized("secret", 32), epoch, sender);
  return { chain_key: toHex(key), next_seed: toHex(nextSeed), head: toHex(epochs.firstHead(epoch, sender)) };
}

function checkSecret(given) {
  const found = epochs.commitment(given.sized("secret", 32), given.integer("epoch", 1, U32));
  return { commitment: toHex(found) };
}

function name(given) {
  return { name: epochs.name(given.sized("secret", 32), given.integer("epoch", 1, U32), given.sized("sealed", 284)) };
}

function names(given) {
  const { epoch, names: found } = readNames(given.sized("secret", 32), given.sized("group_id", 16), given.bytes("parcel"));
  return { epoch, names: found.map(({ userId, name: called }) => [toHex(userId), called]) };
}

function seal(given) {
  const chain = {
    key: given.sized("chain_key", 32), head: given.sized("head", 32), signingSeed: given.sized("signing_seed", 32),
    sent: given.integer("sent"), begun: given.integer("begun"),
  };
  if (sending.isWorn(chain, given.integer("now"))) refuse("UsageError", "a new seed is due"); // [GRP-4]
  const place = {
    groupId: given.sized("group_id", 16), epoch: given.integer("epoch", 1, U32), entry: given.integer("entry", 1, U32),
    sender: senderOf(given), number: given.integer("number", 0, U32),
  };
  const content = { heard: given.objects("heard").map(heardOf), text: given.bytes("text") };
  const { text, key, head } = sending.seal(chain, place, given.sized("entry_hash", 32), content, given.sized("nonce", 8));
  return { text: toHex(text), chain_key: toHex(key), head: toHex(head) };
}

function decode(given) {
  const { groupId, epoch, entry, sender, number, sealed } = decodeText(given.bytes("data"));
  return {
    group_id: toHex(groupId), epoch, entry, user_id: toHex(sender.userId), device_id: sender.deviceId, number, sealed: toHex(sealed),
  };
}

/** Texts of one sender as another device gets them. */
function play(given) {
  const receiver = new Receiver(senderOf(given), decodeChain(given.bytes("chain")));
  return playSteps(given, {
    open(step) {
      const text = decodeText(step.bytes("text"));
      const { text: content, heard, agreement } = receiver.open(text, step.sized("entry_hash", 32));
      return { text: toHex(content), heard: heard.map(outHeard), agreement };
    },
    next_epoch: (step) => ({ goes_on: receiver.next(step.sized("secret", 32), step.sized("opening", 32)) }),
    compare: (step) => ({
      agreement: receiver.compare(step.integer("epoch", 1, U32), { number: step.integer("number", 0, U32), head: step.sized("head", 32) }),
    }),
  });
}

const entriesOf = (step) => step.list("entries").map((each) => fromHex(each) ?? step.wrong("entries", "entries"));

/** One device of a member, with the log, the letters and the texts that it gets. */
function playMember(given) {
  const member = new Member({ userId: given.sized("user_id", 32), groupId: given.sized("group_id", 16), now: given.integer("now") });
  return playSteps(given, {
    learn(step) {
      member.learn(step.list("lists").map((each) => decodeSnapshot(fromHex(each) ?? step.wrong("lists", "lists"))));
      return {};
    },
    take(step) {
      member.take(entriesOf(step));
      const { number, epoch, phase } = member.state;
      return { number, epoch, phase, may_send: member.role(member.userId) >= 2, waiting: member.letters.length };
    },
    change(step) {
      member.secrets.keep(decodeEntry(step.bytes("entry")), step.optional("secret", (name) => step.sized(name, 32)));
      return {};
    },
    secrets: () => member.secrets.shown(),
    letter(step) {
      const { wrongSecret, answered } = member.letter(senderOf(step), step.integer("kind"), step.bytes("body"));
      return { waiting: member.letters.length, wrong_secret: wrongSecret, answered };
    },
    text(step) {
      const { text, late } = member.open(step.bytes("text"));
      return { text: toHex(text), late };
    },
    send() {
      const { entry, underSeed, carriedOn } = member.send();
      const devices = [...member.audience.has].map(([user, ids]) => [user, [...ids].sort((left, right) => left - right)]);
      return { entry, under_seed: underSeed, carried_on: carriedOn, devices };
    },
    wait: (step) => ({ asked: member.wait(step.integer("seconds")).sort() }),
    restore() {
      member.audience.restore();
      return {};
    },
  });
}

function history(given) {
  const entries = new Map(given.objects("entries").map((each) => [each.integer("number", 1, U32), each.sized("hash", 32)]));
  const known = {
    groupId: given.sized("group_id", 16), entries, givers: new Set(given.list("givers")), writers: new Set(given.list("writers")),
  };
  const texts = readHistory(given.bytes("content"), given.sized("author", 32), known);
  return {
    texts: texts.map(({ userId, time, text, byGiver }) => ({ user_id: toHex(userId), time, text: toHex(text), by_giver: byGiver })),
  };
}

export const groups = {
  "group.begin": begin,
  "group.commitment": checkSecret,
  "group.decode_text": decode,
  "group.member": playMember,
  "group.name": name,
  "group.play": play,
  "group.read_history": history,
  "group.read_names": names,
  "group.seal": seal,
};
