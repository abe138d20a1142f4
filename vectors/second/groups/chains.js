// The chains of all other devices: taken from their owners, carried on, and what they open. [GRP-14] [GRP-29] [GRP-39] to [GRP-44]

import { equal, toHex } from "../bytes.js";
import { Refusal, refuse } from "../errors.js";
import * as kdf from "../kdf.js";
import { GROUP_KEYS, GROUP_SKIP, SEED_EPOCHS, SEED_TEXTS, SENDER_CHAINS } from "../limits.js";
import { beginChain } from "./epoch.js";
import { EpochChain, isFirst } from "./receiver.js";

const [SECRET, CHAIN] = [1, 2];
const nameOf = ({ userId, deviceId }) => `${toHex(userId)} ${deviceId}`;
const blockOf = (number) => Math.floor(number / SEED_TEXTS);
const same = (left, right) => left.length === right.length && left.every((each, at) => equal(each, right[at]));

export class Chains {
  constructor(epochs, groupId) {
    Object.assign(this, { epochs, groupId });
    this.kept = new Map(); // sender -> epoch -> block of numbers -> {chain, first, until, before}
  }

  blocks(sender, epoch) {
    return this.kept.get(nameOf(sender))?.get(epoch) ?? new Map();
  }

  save(sender, epoch, record) {
    const name = nameOf(sender);
    if (!this.kept.has(name)) this.kept.set(name, new Map());
    const ofSender = this.kept.get(name);
    if (!ofSender.has(epoch)) ofSender.set(epoch, new Map());
    ofSender.get(epoch).set(blockOf(record.first), record);
  }

  forget(epoch) {
    for (const each of this.kept.values()) each.delete(epoch);
  }

  /** Keep a chain that a device handed out. Returns whether it was taken. */
  keep(sent, sender) {
    const { groupId, epoch, opening, number, before } = sent;
    const chain = new EpochChain(sender, { groupId, number: epoch, opening }, { ...sent, isFirst: isFirst(sent) });
    const [blocks, block] = [this.blocks(sender, epoch), blockOf(number)];
    const known = blocks.get(block);
    if (known !== undefined) {
      if (same(known.chain.signingKeys, sent.signingKeys)) {
        fill(known, chain);
        this.makeRoom();
        return false;
      }
      if (known.chain.number !== known.first) return false; // [GRP-44]
    }
    const until = blocks.get(block + 1)?.before ?? null;
    this.save(sender, epoch, { chain, first: number, until, before });
    if (block > 0 && blocks.has(block - 1)) blocks.get(block - 1).until = before; // [GRP-29]
    const seeds = [...this.blocks(sender, epoch).keys()].filter((each) => each > 0).sort((left, right) => left - right);
    for (const each of seeds.slice(0, -SENDER_CHAINS)) this.blocks(sender, epoch).delete(each); // [GRP-43]
    return true;
  }

  /** Return the chain to which a text belongs, or null. One that was carried on is not on record yet. */
  find(sender, epoch, number) {
    const known = this.blocks(sender, epoch).get(blockOf(number));
    if (known !== undefined || number >= SEED_TEXTS) return known ?? null;
    const chain = this.carried(sender, epoch);
    if (chain === null) return null;
    return { chain, first: 0, until: this.blocks(sender, epoch).get(1)?.before ?? null, before: 0, isNew: true };
  }

  /** Open a text. `early` judges one that is before the first key here, and `unknown` notes what is missing. */
  open(found, text, entryHash, { early, unknown }) {
    const { sender, epoch, number } = text;
    if (number < found.first) this.fillFromBefore(found, sender, epoch);
    try {
      const opened = found.chain.open(text, entryHash);
      if (found.isNew) this.record(found, sender, epoch);
      this.makeRoom();
      return opened;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.name === "DuplicateMessage" && number < found.first) {
        early();
        refuse("GroupKeyMissing", "its letter may be on its way"); // [GRP-14]
      }
      if (error.name === "InvalidSignature" && found.isNew) {
        unknown();
        refuse("GroupKeyMissing", "perhaps of another seed");
      }
      throw error;
    }
  }

  record(found, sender, epoch) {
    delete found.isNew;
    for (let each = this.newestBefore(sender, epoch).epoch.number + 1; each < epoch; each += 1) {
      this.save(sender, each, { chain: this.carried(sender, each), first: 0, until: null, before: 0 });
    }
    this.save(sender, epoch, found);
  }

  fillFromBefore(found, sender, epoch) {
    const chain = found.first < SEED_TEXTS ? this.carried(sender, epoch) : null;
    if (chain !== null && same(chain.signingKeys, found.chain.signingKeys)) fill(found, chain);
  }

  newestBefore(sender, epoch) {
    for (let each = epoch - 1; each > Math.max(0, epoch - SEED_EPOCHS); each -= 1) {
      const blocks = this.blocks(sender, each);
      if (blocks.size > 0) return blocks.get(Math.max(...blocks.keys())).chain;
    }
    return null;
  }

  /** Return the chain of an epoch before, carried on into an epoch, or null. */
  carried(sender, epoch) {
    let chain = this.newestBefore(sender, epoch);
    while (chain !== null && chain.epoch.number < epoch) chain = this.next(chain);
    return chain;
  }

  next({ sender, epoch, nextSeed, signingKeys }) {
    const found = this.epochs.get(epoch.number + 1);
    if (found === undefined || found.secret === null || signingKeys.length === 1) return null;
    const name = { groupId: this.groupId, number: epoch.number + 1, opening: found.opening };
    const began = beginChain(nextSeed, found.secret, name, sender);
    return new EpochChain(sender, name, { ...began, number: 0, signingKeys: signingKeys.slice(1), isFirst: true });
  }

  /** Save all chains in an epoch, because those before it are deleted. [GRP-41] */
  carryInto(epoch) {
    for (const epochs of this.kept.values()) {
      const newest = Math.max(0, ...epochs.keys());
      if (newest === 0 || newest >= epoch) continue;
      const { sender } = [...epochs.get(newest).values()][0].chain;
      const chain = this.carried(sender, epoch);
      if (chain !== null) this.save(sender, epoch, { chain, first: 0, until: null, before: 0 });
    }
  }

  /** Note what a text lacks: the secret of an epoch through which its chain goes, or the chain. [GRP-39] */
  note(wants, sender, epoch, number, now) {
    const newest = number < SEED_TEXTS ? this.newestBefore(sender, epoch) : null;
    for (let each = newest === null ? epoch : newest.epoch.number + 1; each <= epoch; each += 1) {
      if (this.epochs.get(each)?.secret !== null) continue;
      wants.note(sender, each, SECRET, now);
      if (each === epoch) return;
      break;
    }
    wants.note(sender, epoch, CHAIN, now);
  }

  /** [GRP-42] */
  makeRoom() {
    const counts = new Map();
    let total = 0;
    for (const { chain } of this.all()) {
      const user = toHex(chain.sender.userId);
      counts.set(user, (counts.get(user) ?? 0) + chain.skipped.size);
      total += chain.skipped.size;
    }
    for (const [user, count] of [...counts].sort((left, right) => right[1] - left[1])) {
      if (total <= GROUP_KEYS) return;
      total -= count;
      for (const { chain } of this.all()) if (toHex(chain.sender.userId) === user) chain.skipped.clear();
    }
  }

  all() {
    return [...this.kept.values()].flatMap((epochs) => [...epochs.values()].flatMap((blocks) => [...blocks.values()]));
  }
}

/** Keep the keys between an earlier state of a chain and the one that came first. */
function fill(known, { number, key }) {
  const count = known.first - number;
  if (count <= 0 || count > GROUP_SKIP) return;
  let step = kdf.chain(key);
  for (let at = number; at < known.first; at += 1) {
    known.chain.skipped.set(at, step.message);
    step = kdf.chain(step.chain);
  }
  known.first = number;
}
