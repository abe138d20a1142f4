// What a device waits for, and what it answered. [GRP-39] [GRP-40]

import { toHex } from "../bytes.js";
import { GROUP_REQUESTS, GROUP_WANTS, HOUR } from "../limits.js";

const FIRST_PAUSE = 60; // seconds before the first request

const keyOf = ({ userId, deviceId }, epoch, what) => [toHex(userId), deviceId, epoch, what].join();

export class Wants {
  constructor() {
    this.wanted = new Map();
    this.answered = new Map();
  }

  note(sender, epoch, what, now) {
    const key = keyOf(sender, epoch, what);
    if (this.wanted.has(key) || this.wanted.size >= GROUP_WANTS) return;
    this.wanted.set(key, { place: [toHex(sender.userId), sender.deviceId, epoch, what], asked: 0, due: now + FIRST_PAUSE });
  }

  /** Forget what came: a chain of a sender, or the secret of an epoch, whoever was asked. */
  settle(epoch, what, sender = null) {
    for (const [key, { place }] of this.wanted) {
      const isIt = place[2] === epoch && place[3] === what;
      if (isIt && (sender === null || key === keyOf(sender, epoch, what))) this.wanted.delete(key);
    }
  }

  /** Forget what is wanted of an epoch that is deleted. [GRP-41] */
  forget(epoch) {
    for (const [key, { place }] of this.wanted) if (place[2] === epoch) this.wanted.delete(key);
  }

  /** Return what is to be asked for now. */
  due(now) {
    const found = [];
    for (const [key, want] of this.wanted) {
      if (want.due > now) continue;
      if (want.asked >= GROUP_REQUESTS) {
        this.wanted.delete(key);
        continue;
      }
      want.due = now + HOUR * 2 ** want.asked;
      want.asked += 1;
      found.push(want.place);
    }
    return found;
  }

  /** Return whether a request was answered within an hour, and note that it is now. */
  wasAnswered(sender, epoch, what, now) {
    const key = keyOf(sender, epoch, what);
    if ((this.answered.get(key) ?? 0) > now) return true;
    this.answered.set(key, now + HOUR);
    return false;
  }
}
