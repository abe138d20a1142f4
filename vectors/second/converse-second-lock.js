// A second lock of a user of ours, at the servers of the other implementation. converse-recovery.js runs it.

import { Disagreement, must } from "./asking.js";
import { equal } from "./bytes.js";
import { Refusal } from "./errors.js";
import { SERVERS } from "./recovery/password.js";
import { SecondLockClient } from "./recovery/second-lock-client.js";

const DELAY = 86_400;
const HOURS = 24;
const TAKE = 43;

/** Turn a second lock on, take both halves, and stop a wait. Returns how many calls were refused, here or there. */
export async function secondLock({ ask, call, refusedHere, userId, recoveryKey, device, lists }) {
  const client = new SecondLockClient(userId, call);
  const phone = { signing: device.signing, lists };
  const pass = (hours) => must(ask("recovery.pass_hours", { hours }), "hours that pass");
  let refused = await refusedHere(() => client.ask(), ["RecoveryRefused"], "a half of a user without a second lock");
  const [laid] = await client.turnOn(recoveryKey, DELAY, lists);
  refused += await refusedHere(() => client.stop(1, laid.number + 1, null, phone), ["RecoveryRefused"], "another number"); // [REC-37]

  const { waits, take } = await client.ask();
  if (!waits.every(({ told, left }) => told && left === DELAY)) throw new Disagreement("another delay");
  refused += await refusedHere(() => take(), ["HalfWaits"], "halves before the delay");
  await pass(HOURS - 1);
  refused += await refusedHere(() => take(), ["HalfWaits"], "halves an hour before the end of the delay");
  await pass(1);
  if (!equal(await take(), recoveryKey)) throw new Disagreement("another recovery key");
  refused += await lies(call, take, refusedHere);

  const thief = await client.ask();
  refused += await refusedHere(() => take(), ["RecoveryRefused"], "halves after another key has asked"); // [REC-40]
  for (const [at, server] of SERVERS.entries()) {
    const { number, wait } = (await client.watch(phone))[at];
    if (!equal(wait.wait_id, thief.waits[at].wait_id)) throw new Disagreement("another wait");
    await client.stop(server, number, wait.wait_id, phone); // [REC-41]
  }
  await pass(HOURS + 1);
  refused += await refusedHere(() => thief.take(), ["RecoveryRefused"], "halves after the wait was stopped");
  refused += await refusedHere(() => client.ask(), ["RecoveryRefused"], "a wait in the week after");
  for (const server of SERVERS) await client.stop(server, laid.number, null, phone);
  if ((await client.watch(phone)).some(({ deposits }) => deposits.length > 0)) throw new Disagreement("halves that were deleted");
  return refused;
}

/** Servers that lie about their halves, one at a time. */
async function lies(call, take, refusedHere) {
  let refused = 0;
  for (const liar of SERVERS) {
    for (const [at, what] of [[-1, "another tag"], [-1_000, "another encapsulation"], [60, "another commitment"]]) {
      const lying = async (server, body, lists) => {
        const answer = await call(server, body, lists);
        if (server !== liar || body[3] !== TAKE) return answer;
        const changed = answer.slice();
        changed[at < 0 ? changed.length + at : at] ^= 1;
        return changed;
      };
      refused += await refusedHere(() => take(lying), ["ServerAtFault"], `server ${liar}: ${what}`);
    }
  }
  return refused;
}
