// Whom this device sends the secrets of epochs: after a change of its own, or because they ask. [GRP-30] [GRP-31] [GRP-32]
// Not here: when they go (member.js), sessions.

import { equal, toHex } from "../bytes.js";
import { ADD, USER } from "../documents/entry.js";

const byPlace = ([user, device, epoch], [otherUser, otherDevice, otherEpoch]) => {
  if (user !== otherUser) return user < otherUser ? -1 : 1;
  return device - otherDevice || epoch - otherEpoch;
};

export class Secrets {
  constructor() {
    this.change = null; // {entry, secret}: one that is not in the log yet
    this.letters = new Map(); // those on their way
    this.owed = new Set(); // users who are to get the secret of the newest epoch
  }

  keep(entry, secret) {
    this.change = { entry, secret };
  }

  /** Return our change and its step if it is among these steps; one whose place another entry took is forgotten. */
  decide(steps) {
    const { change } = this;
    const step = change && steps.find(({ entry }) => entry.number === change.entry.number);
    if (!step) return null;
    this.change = null;
    return equal(step.entry.hash, change.entry.hash) ? { secret: change.secret, ...step } : null;
  }

  /** Who is to get a secret after a change: all members if it began an epoch, or else whom it added. */
  static receivers({ secret, entry }, state) {
    const added = new Set(entry.action === ADD ? entry.changes.map(({ id }) => `${USER} ${toHex(id)}`) : []);
    return [...state.members.keys()].filter((each) => secret !== null || added.has(each)).map((each) => each.slice(`${USER} `.length));
  }

  /** Send the secret of an epoch to users. `devices` says which ones each has, null where no lists are known. */
  give(users, epoch, devices) {
    for (const user of users) {
      const ids = devices(user);
      if (ids === null) this.owed.add(user);
      else this.owed.delete(user);
      for (const id of ids ?? []) this.send(user, id, epoch);
    }
  }

  send(user, deviceId, epoch) {
    this.letters.set([user, deviceId, epoch].join(), [user, deviceId, epoch]);
  }

  /** Drop what is on its way to a user, and what the user is owed. */
  withdraw(user) {
    this.owed.delete(user);
    for (const [key, [receiver]] of this.letters) if (receiver === user) this.letters.delete(key);
  }

  shown() {
    return { given: [...this.letters.values()].sort(byPlace), owed: [...this.owed].sort() };
  }
}
