// The chain of this device, and who has it: as far as others see when it goes on and when it begins anew. [GRP-33] to [GRP-36]

import { toHex } from "../bytes.js";
import { SEED_EPOCHS, SEED_TEXTS } from "../limits.js";
import { isWorn } from "./sender.js";

export class Audience {
  constructor() {
    this.has = new Map(); // user id -> devices that have the chain
    this.chain = null; // {epoch, number, sent, begun, epochsLeft}
  }

  isIn(epoch) {
    return this.chain?.epoch === epoch;
  }

  add({ userId, deviceId }) {
    const known = this.has.get(toHex(userId)) ?? [];
    this.has.set(toHex(userId), [...known.filter((each) => each !== deviceId), deviceId]);
  }

  withdraw(user) {
    this.has.delete(user);
  }

  restore() {
    this.chain = null;
  }

  /** Carry the chain on into an epoch, if its seed serves in it and no secret is missing. */
  carryInto(epoch, epochs) {
    while (this.chain !== null && this.chain.epoch < epoch) {
      const next = epochs.get(this.chain.epoch + 1);
      const goesOn = next !== undefined && next.secret !== null && this.chain.epochsLeft > 1;
      const { epoch: before, epochsLeft } = this.chain;
      this.chain = goesOn ? { ...this.chain, epoch: before + 1, number: 0, epochsLeft: epochsLeft - 1 } : null;
    }
  }

  /** Count one text for devices by their users. Returns where it stands, and who has the chain then. */
  send(devices, epoch, epochs, now) {
    this.carryInto(epoch, epochs);
    const isGone = ([user, ids]) => devices.has(user) && ids.some((each) => !devices.get(user).includes(each));
    if (this.chain === null || isWorn(this.chain, now) || [...this.has].some(isGone)) this.begin(epoch, now); // [GRP-4] [GRP-35]
    this.has = new Map([...devices].filter(([, ids]) => ids.length > 0)); // [GRP-34]
    const { number } = this.chain;
    Object.assign(this.chain, { number: number + 1, sent: this.chain.sent + 1 });
    return { underSeed: number % SEED_TEXTS, carriedOn: number < SEED_TEXTS };
  }

  /** Begin with a new seed at the next multiple of 5,000. Which one it is nobody else sees here. [GRP-36] */
  begin(epoch, now) {
    const before = this.chain?.epoch === epoch ? this.chain.number : 0;
    const number = (Math.floor(before / SEED_TEXTS) + 1) * SEED_TEXTS;
    this.chain = { epoch, number, sent: 0, begun: now, epochsLeft: SEED_EPOCHS };
  }
}
