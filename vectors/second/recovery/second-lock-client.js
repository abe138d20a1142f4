// A second lock at both servers: a device turns it on and watches it, and somebody without a device asks for the halves.
// Not here: HTTP. `call` is that of client.js.

import { randomBytes } from "@noble/hashes/utils.js";
import { encode as encodeList } from "../device-list.js";
import { decode } from "./bodies.js";
import * as devices from "./device.js";
import { SERVERS } from "./password.js";
import * as secondLock from "./second-lock.js";

export class SecondLockClient {
  constructor(userId, call) {
    this.userId = userId;
    this.call = call;
  }

  async #signed(server, kind, values, { signing, lists }, answer) {
    const body = devices.signChange(server, kind, values, signing);
    return decode(answer, await this.call(server, body, lists.map(encodeList)));
  }

  /** What both servers hold, as any device of the user sees it. [REC-41] */
  async watch(by) {
    const shown = [];
    for (const server of SERVERS) shown.push(await this.#signed(server, "watch", { user_id: this.userId }, by, "watched"));
    return shown;
  }

  /** Lay a half at each server, and have both keep it alone, server 1 first. The user must have chosen that. [REC-44] */
  async turnOn(recoveryKey, delay, lists) {
    const by = { signing: devices.keysOf(recoveryKey).signing, lists };
    const laid = secondLock.cut(recoveryKey, this.userId, delay, await this.watch(by), randomBytes(32));
    for (const [at, server] of SERVERS.entries()) await this.#signed(server, "lay", laid[at], by, "done");
    const kept = secondLock.keep(this.userId, await this.watch(by));
    for (const [at, server] of SERVERS.entries()) await this.#signed(server, "keep", kept[at], by, "done");
    return laid;
  }

  /** End the wait at a server, or delete its half if there is no `waitId`. */
  async stop(server, number, waitId, by) {
    return this.#signed(server, "stop", { user_id: this.userId, number, wait_id: waitId }, by, "done");
  }

  /** Ask both servers for their halves. Returns a function that takes them, or is refused until both delays are over. [REC-38] */
  async ask(seed = randomBytes(32)) {
    const asking = new secondLock.Asking(this.userId, seed);
    const waits = [];
    for (const server of SERVERS) waits.push(decode("asked", await this.call(server, asking.request(), null)).wait);
    const take = async (call = this.call) => {
      const given = [];
      for (const [at, server] of SERVERS.entries()) given.push(await call(server, asking.take(waits[at]), null));
      return asking.finish(...given);
    };
    return { waits, take };
  }
}
