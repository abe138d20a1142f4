// Recover a user of the other implementation, and have it recover ours: node converse-recovery.js [COMMAND...]
//
// COMMAND answers operations on standard input and output; the default is `python3 -m letterlock vectors serve`. It has both
// servers and a user, who sets a password and loses every device. Here the user comes back (recovery/client.js), with answers
// of the servers changed first. Another password is set here, and the other implementation recovers with that. Then a second
// lock is turned on here, and its halves are taken after a day of the servers (converse-second-lock.js).

import { Disagreement, elsewhere, must, mustRefuse } from "./asking.js";
import { equal, fromHex, toHex } from "./bytes.js";
import { secondLock } from "./converse-second-lock.js";
import * as deviceList from "./device-list.js";
import { Refusal, refuse } from "./errors.js";
import { comeBack, newBox, RecoveryClient } from "./recovery/client.js";

const [PASSWORD, ANOTHER] = ["correct horse", "battery staple"];
const SHOW = 30;
const EVALUATE = 31;
const FAULTS = ["ServerAtFault", "MalformedMessage", "UnsupportedVersion", "InvalidKey"];
const now = () => Math.floor(Date.now() / 1000);
const listsOf = async (ask, party) => (await must(ask("user.lists", { party }), "device lists")).lists;

/** How a client calls the servers. `change` may change what server `liar` answers to a call. */
function caller(ask, { liar = 0, call = 0, change = (body) => body } = {}) {
  return async (server, body, lists) => {
    const answer = await ask("recovery.call", { server, body: toHex(body), ...(lists === null ? {} : { lists: lists.map(toHex) }) });
    if (answer.error !== undefined) refuse(answer.error, `server ${server} refuses`);
    const found = fromHex(answer.out.body);
    return server === liar && body[3] === call ? change(found) : found;
  };
}

async function refusedHere(work, names, what) {
  try {
    await work();
  } catch (error) {
    if (error instanceof Refusal && names.includes(error.name)) return 1;
    throw error;
  }
  throw new Disagreement(`${what}: accepted`);
}

function flipped(body, at) {
  const changed = body.slice();
  changed[at] ^= 1;
  return changed;
}

/** Servers that lie, one at a time. None of it is taken for a wrong password. Returns how many lies were noticed. */
async function lies(ask, userId, password) {
  let refused = 0;
  for (const liar of [1, 2]) {
    for (const [call, at, what] of [
      [SHOW, 30, "another user"], [SHOW, 60, "another lock id"], [SHOW, 95, "another public key"], [SHOW, 200, "another sealed key"],
      [EVALUATE, 20, "another element"], [EVALUATE, 50, "another c"], [EVALUATE, 80, "another s"],
    ]) {
      const client = new RecoveryClient(userId, caller(ask, { liar, call, change: (body) => flipped(body, at) }));
      refused += await refusedHere(() => client.open(password), FAULTS, `server ${liar}: ${what}`);
    }
  }
  return refused;
}

/** How many uses of the lock are left at each server. */
async function usesLeft(client) {
  const shown = [];
  for (const server of [1, 2]) shown.push(await client.ask(server, "show", { user_id: client.userId }, "shown"));
  return shown.map(({ standing }) => standing.uses_left);
}

async function main(command) {
  const other = elsewhere(command);
  const { ask } = other;
  const { user_id: hex } = await must(ask("user.create", { party: "alice", name: "alice" }), "a user");
  const userId = fromHex(hex);
  await must(ask("user.create", { party: "bob", name: "bob" }), "a contact");
  await must(ask("user.learn", { party: "alice", name: "bob", lists: await listsOf(ask, "bob") }), "lists of a contact");
  const { box, card } = await must(ask("recovery.set_up", { party: "alice", password: PASSWORD }), "a lock");
  const lists = (await listsOf(ask, "alice")).map((each) => deviceList.decode(fromHex(each)));

  const client = new RecoveryClient(userId, caller(ask));
  let refused = await refusedHere(() => client.open("wrong"), ["WrongPassword"], "a wrong password");
  refused += await lies(ask, userId, PASSWORD);
  const spent = await usesLeft(client);
  const recoveryKey = await client.open(PASSWORD);
  const left = await usesLeft(client);
  if (!left.every((uses, at) => uses > spent[at])) throw new Disagreement("a success that gave no uses back"); // [REC-8]
  const signature = flipped(lists.at(-1).signature, 3_340); // of the Ed25519 half
  const forged = [...lists.slice(0, -1), { ...lists.at(-1), signature }];
  for (const [changes, name, what] of [
    [{ lists: forged }, "InvalidSignature", "a list with another signature"], [{ lists: lists.slice(1) }, "InvalidDeviceList", "a later part of the lists"],
    [{ recoveryKey: flipped(recoveryKey, 0) }, "InvalidDeviceList", "another recovery key"],
    [{ box: flipped(fromHex(box), 2_000) }, "BoxRefused", "a changed box"],
  ]) {
    refused += await refusedHere(() => comeBack({ recoveryKey, lists, box: fromHex(box), now: now(), ...changes }), [name], what);
  }
  const back = comeBack({ recoveryKey, lists, box: fromHex(box), now: now() });
  if (back.pins.map(({ name }) => name).join() !== "bob") throw new Disagreement("other contacts");
  refused += await refusedHere(
    () => comeBack({ recoveryKey, lists: back.lists, box: fromHex(box), now: now() }), ["BoxRefused"], "a box of an earlier generation",
  );

  const shown = back.lists.map((each) => toHex(deviceList.encode(each)));
  await must(ask("user.learn", { party: "bob", name: "alice", lists: shown }), "the list of the user who is back");
  const lock = await client.makeLock(ANOTHER, recoveryKey, back.lists);
  if (!equal((await client.lock()).encoded, lock.encoded)) throw new Disagreement("another lock than the new one");
  refused += await refusedHere(() => client.open(PASSWORD), ["WrongPassword"], "the password before");

  const newest = { lists: shown, box: toHex(newBox(back, fromHex(card))) };
  await mustRefuse(ask("recovery.recover", { party: "again", password: PASSWORD, ...newest }), ["WrongPassword"], "the password before, there");
  await mustRefuse(ask("recovery.recover", { party: "again", password: ANOTHER, ...newest, box }), ["BoxRefused"], "an old box, there");
  const again = await must(ask("recovery.recover", { party: "again", password: ANOTHER, ...newest }), "a recovery there");
  deviceList.verifyChain([...back.lists, deviceList.decode(fromHex(again.list))], back.lists.length);
  if (again.name !== "alice") throw new Disagreement("another name");
  refused += await secondLock({
    ask, call: caller(ask), refusedHere, userId, recoveryKey, device: back.keys, lists: [...back.lists, deviceList.decode(fromHex(again.list))],
  });
  other.end();
  console.log(`recovery: a user came back here as device ${back.id}, and there as device ${again.id}; ${refused + 2} refused`);
}

await main(process.argv.length > 2 ? process.argv.slice(2) : ["python3", "-m", "letterlock", "vectors", "serve"]);
