// One device of a member: what the log, the letters and the texts that it gets lead to. [GRP-14] [GRP-29] to [GRP-44]
// Not here: forks, sessions, and what is made of a change that lost.

import { compare, equal, fromHex, toHex } from "../bytes.js";
import * as content from "../content.js";
import * as deviceList from "../device-list.js";
import { decodeEntry, USER } from "../documents/entry.js";
import { verifySteps, vouched } from "../documents/log.js";
import { Lists } from "../documents/signature.js";
import { refuse } from "../errors.js";
import { DAY, KEPT_EPOCHS, KEPT_SECONDS } from "../limits.js";
import * as epochs from "./epoch.js";
import { Audience } from "./audience.js";
import { Chains } from "./chains.js";
import { Secrets } from "./secrets.js";
import { decodeText } from "./text.js";
import { Wants } from "./wants.js";

const WRITER = 2;
const [SECRET, CHAIN] = [1, 2];
const LAST_NUMBER = 2 ** 32 - 1;
const keyOf = (userId) => `${USER} ${toHex(userId)}`;

export class Member {
  constructor({ userId, groupId, now }) {
    Object.assign(this, { userId, groupId, now });
    this.lists = new Map(); // user id -> snapshots
    this.states = []; // what the log comes to, after each entry
    this.epochs = new Map(); // epoch -> {entry, opening, commitment, secret, ended}
    this.letters = [];
    this.chains = new Chains(this.epochs, groupId);
    this.wants = new Wants();
    this.audience = new Audience();
    this.secrets = new Secrets();
  }

  get state() {
    return this.states.at(-1) ?? null;
  }

  role(userId, entry = this.states.length) {
    return this.states[entry - 1]?.members.get(keyOf(userId))?.role ?? 0;
  }

  /** Take the snapshots of somebody, all from version 1, which were verified. */
  learn(snapshots) {
    this.lists.set(toHex(snapshots[0].hash), snapshots);
  }

  /** The devices of a user that get letters, without this one. */
  devices(userId) {
    const newest = equal(userId, this.userId) ? undefined : this.lists.get(toHex(userId))?.at(-1);
    return (newest?.devices ?? []).filter((each) => deviceList.rights(each).getsMessages).map((each) => each.id);
  }

  // --- the log ----------------------------------------------------------------------------------------

  take(encoded) {
    const { steps } = verifySteps(new Lists([...this.lists.values()]), this.state, this.newOf(encoded.map(decodeEntry)));
    const taken = steps.slice(0, vouched(steps));
    for (const { entry, before, after } of taken) {
      this.states.push(after);
      if (entry.opening !== null) this.begin(after);
      const gone = [...(before?.members.keys() ?? [])].filter((each) => !after.members.has(each));
      for (const user of gone.map((each) => each.slice(`${USER} `.length))) {
        this.audience.withdraw(user); // [GRP-32]
        this.secrets.withdraw(user);
      }
    }
    this.handOut(this.secrets.decide(taken));
    this.process();
  }

  /** Send the secret that a change of ours leads to, now that it is in the log. [GRP-30] [GRP-31] */
  handOut(change) {
    if (change === null) return;
    const { epoch } = change.after;
    if (change.secret !== null) this.keepSecret(epoch, change.secret);
    if (epoch !== this.state.epoch || this.role(this.userId) === 0) return; // others began one since, or we are out
    this.give(Secrets.receivers(change, this.state));
  }

  /** Send the secret of the newest epoch to users. */
  give(users) {
    const isKnown = (user) => user === toHex(this.userId) || this.lists.has(user);
    this.secrets.give(users, this.state.epoch, (user) => (isKnown(user) ? this.devices(fromHex(user)) : null));
  }

  keepSecret(epoch, secret) {
    const known = this.epochs.get(epoch);
    if (known === undefined || known.secret !== null) return;
    known.secret = secret;
    this.wants.settle(epoch, SECRET);
  }

  /** Return the entries that are not on record yet. [DOC-116] */
  newOf(found) {
    const first = found[0]?.number ?? this.states.length + 1;
    if (first > this.states.length + 1) refuse("UsageError", "entries before them are missing");
    if (found.some((each, at) => each.number !== first + at)) refuse("InvalidEntry", "entries that do not follow each other");
    const known = found.slice(0, this.states.length + 1 - first);
    if (known.some((each) => !equal(each.hash, this.states[each.number - 1].head))) refuse("UsageError", "a fork, which is not played here");
    return found.slice(known.length);
  }

  begin({ epoch, number, head, opening }) {
    const before = this.epochs.get(epoch - 1);
    if (before !== undefined) before.ended = this.now;
    this.epochs.set(epoch, { entry: number, opening: head, commitment: opening.commitment, secret: null, ended: null });
    this.secrets.owed.clear();
  }

  // --- letters ----------------------------------------------------------------------------------------

  letter(sender, kind, body) {
    const read = content.readBody(kind, body);
    const about = [toHex(sender.userId), sender.deviceId, kind, toHex(read.groupId), read.epoch, read.what ?? read.number ?? ""].join();
    this.letters = [...this.letters.filter((each) => each.about !== about), { about, sender, kind, ...read }];
    return this.process();
  }

  /** Take the letters. What waits for the log stays. */
  process() {
    const found = { wrongSecret: false, answered: false };
    this.letters = this.letters.filter((each) => this.waits(each, found));
    return found;
  }

  waits(letter, found) {
    if (!this.devices(letter.sender.userId).includes(letter.sender.deviceId)) return false; // [GRP-37]
    const isOurs = this.state !== null && equal(letter.groupId, this.groupId);
    if (letter.kind === content.GROUP_REQUEST) {
      if (isOurs) found.answered ||= this.answers(letter);
      return false;
    }
    if (!isOurs || letter.epoch > this.state.epoch) return true;
    return letter.kind === content.GROUP_SECRET ? this.secret(letter, found) : this.chain(letter);
  }

  /** [GRP-5] */
  secret({ epoch, opening, secret }, found) {
    const known = this.epochs.get(epoch);
    if (known === undefined || known.secret !== null) return false;
    if (!equal(opening, known.opening) || !equal(epochs.commitment(secret, epoch), known.commitment)) {
      found.wrongSecret = true;
      return false;
    }
    this.keepSecret(epoch, secret);
    return false;
  }

  /** [GRP-37] [GRP-43] */
  chain({ sender, ...sent }) {
    const known = this.epochs.get(sent.epoch);
    if (known === undefined || !equal(known.opening, sent.opening)) return false;
    if (!this.couldWrite(sender.userId, sent.epoch)) return sent.epoch === this.state.epoch;
    if (this.chains.keep(sent, sender)) this.wants.settle(sent.epoch, CHAIN, sender);
    return false;
  }

  couldWrite(userId, epoch) {
    if (epoch === this.state.epoch) return this.state.writers.has(keyOf(userId));
    const [first, after] = [this.epochs.get(epoch).entry, this.epochs.get(epoch + 1)?.entry];
    return [first, after === undefined ? first : after - 1].some((each) => this.role(userId, each) >= WRITER);
  }

  /** Say whether a request is answered. [GRP-40] */
  answers({ sender, epoch, what }) {
    if (this.role(sender.userId) === 0 || !this.isEntitled(sender, epoch, what)) return false;
    if (this.wants.wasAnswered(sender, epoch, what, this.now)) return false;
    if (what === SECRET) return this.givesAgain(sender, epoch);
    if (!this.audience.isIn(this.state.epoch)) return false;
    this.audience.add(sender);
    return true;
  }

  givesAgain({ userId, deviceId }, epoch) {
    if ((this.epochs.get(epoch)?.secret ?? null) === null) return false;
    this.secrets.send(toHex(userId), deviceId, epoch);
    return true;
  }

  isEntitled(sender, epoch, what) {
    if (epoch >= this.state.epoch) return epoch === this.state.epoch;
    const after = this.epochs.get(epoch + 1);
    return what === SECRET && after !== undefined && this.role(sender.userId, after.entry - 1) > 0;
  }

  // --- texts ------------------------------------------------------------------------------------------

  open(data) {
    const text = decodeText(data);
    if (!equal(text.groupId, this.groupId)) refuse("MalformedMessage", "a text of another group");
    const { sender, epoch, entry } = text;
    if (equal(sender.userId, this.userId) && sender.deviceId === 1) refuse("DuplicateMessage", "a text of this device");
    if (entry > this.states.length) refuse("GroupEntryMissing", "an entry to come"); // [GRP-39]
    if (this.states[entry - 1].epoch !== epoch || !this.epochs.has(epoch)) refuse("InvalidGroupText", "another epoch"); // [GRP-38]
    if (text.number >= LAST_NUMBER) refuse("InvalidGroupText", "a number after which none follows");
    const found = this.chains.find(sender, epoch, text.number);
    if (this.role(sender.userId, entry) < WRITER) refuse("InvalidGroupText", "a user who may not write"); // [GRP-38]
    this.requireListed(sender);
    if (found === null) this.hold(text);
    if (found.until !== null && text.number >= found.until) refuse("InvalidGroupText", "an earlier seed"); // [GRP-29]
    const opened = this.chains.open(found, text, this.states[entry - 1].head, {
      early: () => this.requireOurs(entry),
      unknown: () => this.chains.note(this.wants, sender, epoch, text.number, this.now),
    });
    return { text: opened.text, late: this.role(sender.userId) < WRITER };
  }

  hold({ sender, epoch, entry, number }) {
    this.requireOurs(entry);
    this.chains.note(this.wants, sender, epoch, number, this.now);
    refuse("GroupKeyMissing", "a secret or chain that is not here");
  }

  /** [GRP-14] */
  requireOurs(entry) {
    if (this.role(this.userId, entry) === 0) refuse("InvalidGroupText", "this user was no member");
  }

  requireListed({ userId, deviceId }) {
    const newest = this.lists.get(toHex(userId))?.at(-1);
    if (newest === undefined || newest.devices.some((each) => each.id === deviceId)) return;
    refuse(newest.revoked.some((each) => each.id === deviceId) ? "DeviceRevoked" : "DeviceNotListed", "a device that is not listed");
  }

  // --- what this device writes ------------------------------------------------------------------------

  /** Seal a text, as far as others see it. [GRP-33] to [GRP-36] */
  send() {
    if (this.state === null || this.role(this.userId) < WRITER) refuse("UsageError", "this user may not write");
    if (this.state.phase === "spent") refuse("GroupEpochDue", "somebody left");
    if (this.state.phase === "closed") refuse("UsageError", "a closed group");
    const { epoch } = this.state;
    if (this.epochs.get(epoch).secret === null) refuse("GroupKeyMissing", "the secret is not here");
    const users = [...this.state.members.values()].map((each) => each.id).sort(compare);
    const devices = new Map(users.map((each) => [toHex(each), this.devices(each)]));
    return { entry: this.state.number, ...this.audience.send(devices, epoch, this.epochs, this.now) };
  }

  // --- time -------------------------------------------------------------------------------------------

  /** Let time pass. Returns what is asked for. */
  wait(seconds) {
    this.now += seconds;
    const asked = this.wants.due(this.now);
    const lacking = Math.max(0, ...[...this.epochs].filter(([, { secret }]) => secret === null).map(([epoch]) => epoch));
    const isOld = ([epoch, { ended }]) => {
      const isFar = epoch > lacking && epoch < this.state.epoch - KEPT_EPOCHS;
      return ended !== null && this.now - ended >= (isFar ? DAY : KEPT_SECONDS);
    };
    const old = [...this.epochs].filter(isOld).map(([epoch]) => epoch); // [GRP-41]
    if (old.length > 0) this.chains.carryInto(Math.max(...old) + 1);
    for (const each of old) {
      this.epochs.delete(each);
      this.chains.forget(each);
      this.wants.forget(each);
    }
    if (this.state !== null && this.role(this.userId) > 0) this.give([...this.secrets.owed]);
    return asked;
  }
}
