// What one device of a member keeps of the chain of another one, epoch by epoch. [GRP-6] to [GRP-8]

import * as aead from "../aead.js";
import { concat, equal } from "../bytes.js";
import { refuse } from "../errors.js";
import * as kdf from "../kdf.js";
import * as limits from "../limits.js";
import { unpad } from "../padding.js";
import { verifyEdwards } from "../xeddsa.js";
import { beginChain, firstHead, nextHead } from "./epoch.js";
import * as texts from "./text.js";

const UNKNOWN = "unknown";

/** The chain of a sender in one epoch: its next key, keys of texts that were skipped, and heads by how many texts they follow. */
export class EpochChain {
  constructor(sender, epoch, { number, key, nextSeed, signingKeys, isFirst }) {
    Object.assign(this, { sender, epoch, number, key, nextSeed, signingKeys });
    this.skipped = new Map();
    this.heads = new Map(isFirst ? [[number, firstHead(epoch, sender)]] : []);
  }

  open(text, entryHash) {
    verifyEdwards(this.signingKeys[0], texts.covered(entryHash, text.header, text.sealed), text.signature); // [GRP-7]
    const late = this.skipped.get(text.number);
    if (text.number < this.number && late === undefined) refuse("DuplicateMessage", "a text that was opened, or is from before"); // [GRP-8]
    const { message, passed, after } = late === undefined ? this.keysUpTo(text.number) : { message: late, passed: [], after: null };
    const nonce = concat(new Uint8Array(4), text.sealed.slice(0, limits.NONCE_SIZE));
    const padded = aead.open(message, nonce, text.sealed.slice(limits.NONCE_SIZE), texts.associated(entryHash, text.header));
    const content = texts.readContent(unpad(padded));
    for (const [number, key] of passed) this.skipped.set(number, key);
    this.skipped.delete(text.number);
    if (after !== null) Object.assign(this, { key: after, number: text.number + 1 });
    return { ...content, agreement: this.agree(text, content) };
  }

  /** Return the key of a text to come, those of the texts before it, and the chain key after it. */
  keysUpTo(number) {
    if (number - this.number > limits.GROUP_SKIP) refuse("TooManySkipped", "too many texts are missing");
    const passed = [];
    let step = kdf.chain(this.key);
    for (let at = this.number; at < number; at += 1) {
      passed.push([at, step.message]);
      step = kdf.chain(step.chain);
    }
    return { message: step.message, passed, after: step.chain };
  }

  /** Compare what a sender says of its own chain with what arrived. A head on record stays. */
  agree(text, { headBefore }) {
    const said = [[text.number, headBefore], [text.number + 1, nextHead(headBefore, text.encoded)]];
    const found = said.map(([count, head]) => this.compare(count, head));
    for (const [count, head] of said) if (!this.heads.has(count)) this.heads.set(count, head);
    if (found.includes("different")) return "different";
    return found.includes("same") ? "same" : UNKNOWN;
  }

  compare(count, head) {
    const known = this.heads.get(count);
    if (known === undefined) return UNKNOWN;
    return equal(known, head) ? "same" : "different";
  }
}

/** Return whether no text of the sender in the epoch came before the chain. */
export const isFirst = ({ number, before }) => [0, limits.SEED_TEXTS].includes(number) && before === 0;

export class Receiver {
  constructor(sender, { groupId, epoch, opening, ...chain }) {
    this.sender = sender;
    this.groupId = groupId;
    this.newest = new EpochChain(sender, { groupId, number: epoch, opening }, { ...chain, isFirst: isFirst(chain) });
    this.epochs = new Map([[epoch, this.newest]]);
  }

  /** Go on in the next epoch. Returns false if the sender has to hand out a new chain. [GRP-2] */
  next(secret, opening) {
    const signingKeys = this.newest.signingKeys.slice(1);
    if (signingKeys.length === 0) return false;
    const epoch = { groupId: this.groupId, number: this.newest.epoch.number + 1, opening };
    const began = beginChain(this.newest.nextSeed, secret, epoch, this.sender);
    this.newest = new EpochChain(this.sender, epoch, { ...began, number: 0, signingKeys, isFirst: true });
    this.epochs.set(epoch.number, this.newest);
    return true;
  }

  /** Return the chain of a text, which must be of this sender, group and one of the epochs. */
  of({ groupId, sender, epoch }) {
    const ours = equal(groupId, this.groupId) && equal(sender.userId, this.sender.userId) && sender.deviceId === this.sender.deviceId;
    return (ours ? this.epochs.get(epoch) : undefined) ?? refuse("UsageError", "a text of another chain");
  }

  open(text, entryHash) {
    return this.of(text).open(text, entryHash);
  }

  /** Compare a head that another member names with those of this chain. [GRP-6] */
  compare(epoch, { number, head }) {
    const chain = this.epochs.get(epoch) ?? refuse("UsageError", "no such epoch");
    return chain.compare(number + 1, head);
  }
}
