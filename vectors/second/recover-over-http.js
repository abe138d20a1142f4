// Come back as a user of the other implementation, at two servers that are processes: node recover-over-http.js
//
// Standard input and output are lines of JSON. The first line that is read is
//
//     {"relay": URL, "key_server": URL, "name": ..., "password": ..., "new_password": ..., "address": of a mailbox}
//
// Then this program asks for proofs, each {"kind": "ticket" or "mail", "server": 1 or 2, "challenge": hexadecimal}, and reads
// {"proof": hexadecimal}. At the end it says who came back: {"name", "id", "seeds", "refused": how many calls were refused}.
// The servers know the user by a ticket of the application. A code from a mail is what the fresh device binds in the end.

import { createInterface } from "node:readline";
import { Disagreement } from "./asking.js";
import { equal, fromHex, toHex, utf8 } from "./bytes.js";
import * as deviceList from "./device-list.js";
import { comeBack, RecoveryClient } from "./recovery/client.js";
import { encode } from "./recovery/bodies.js";
import * as devices from "./recovery/device.js";
import { codeOf, RecoveryServers } from "./recovery/http.js";
import * as identities from "./recovery/identity.js";
import * as keeping from "./recovery/keeping.js";
import { RelayClient } from "./relay-client.js";

const [UNKNOWN, STALE, CONFLICT, REFUSED] = [2, 3, 4, 9]; // codes of spec/relay.md
const clock = () => Math.floor(Date.now() / 1000);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);

async function prove(kind, server, challenge) {
  console.log(JSON.stringify({ kind, server, challenge: toHex(challenge) }));
  return fromHex((await next()).proof);
}

let refused = 0;

async function mustFail(call, code, what) {
  const found = await codeOf(call);
  if (found !== code) throw new Disagreement(`${what}: ${found === null ? "done" : `refused as ${found}`} instead of ${code}`);
  refused += 1;
}

/** What a stranger gets: a user id for every name, and nothing else. */
async function strange(servers, userId) {
  const find = (name) => new RecoveryClient(null, servers.call.bind(servers)).ask(1, "find", { name }, "found");
  const [nobody, again] = [await find("nobody at all"), await find("nobody at all")];
  if (!equal(nobody.user_id, again.user_id)) throw new Disagreement("another id for the same name"); // [REC-12]
  const client = new RecoveryClient(userId, servers.call.bind(servers));
  await mustFail(client.open("a password"), UNKNOWN, "an evaluation without a pass"); // [REC-31]
  await mustFail(client.remains(new Uint8Array(32), clock()), UNKNOWN, "a box for another recovery key"); // [REC-22]
  const wrong = await servers.identify(2, "ticket", null, async (challenge) => prove("ticket", 1, challenge));
  if (wrong.pass !== null) throw new Disagreement("a pass for a ticket of the other server"); // [REC-30]
  refused += 1;
}

/** Have the relay take the version that the recovery device signed, and log in as the fresh device. */
async function upload(url, name, back, recoveryKey) {
  const directory = new RelayClient(url, name, clock);
  const { snapshot } = back.lists.at(-1);
  directory.user = { name, id: devices.listed(snapshot).id, keys: devices.keysOf(recoveryKey) };
  await directory.logIn();
  await directory.call("append", { encoded: deviceList.encode(back.lists.at(-1)) });
  directory.user = { name, id: back.id, keys: back.keys };
  await directory.logIn();
}

/** What a server refuses of the device that is back. */
async function refusals(client, servers, back, recoveryKey, kept) {
  const { signing } = devices.keysOf(recoveryKey);
  const whole = back.lists.map(deviceList.encode);
  const begin = { user_id: client.userId, lock_id: new Uint8Array(16), blinded: (await client.lock()).public_1 };
  const change = (server, signer) => devices.signChange(server, "begin", begin, signer);
  const older = whole.slice(0, -1);
  await mustFail(servers.call(1, change(1, signing), older), STALE, "a change by older lists"); // [REC-19]
  await mustFail(servers.call(2, change(1, signing), whole), REFUSED, "a change that was signed for the other server");
  await mustFail(servers.call(2, change(2, back.keys.signing), whole), REFUSED, "a change by the fresh device"); // [REC-10]
  await mustFail(client.keep(back, kept.number, kept.card), CONFLICT, "a box under a number that was used"); // [REC-21]
  const asked = { user_id: client.userId, after: 0, time: clock() - 100_000, device_id: back.id };
  await mustFail(servers.call(1, keeping.sign(1, "get-box", asked, back.keys.signing), whole), UNKNOWN, "a question of yesterday");
}

/** Bind a mailbox at the key server, by a code, as the fresh device. [REC-32] */
async function bind(servers, address, userId, back) {
  const lists = back.lists.map(deviceList.encode);
  const { pass } = await servers.identify(2, "mail", utf8(address), (challenge) => prove("mail", 2, challenge));
  if (pass === null) throw new Disagreement("no pass for a code");
  const call = { user_id: userId, pass, device_id: back.id };
  const request = identities.bind(2, call, back.keys.signing);
  await mustFail(servers.call(1, request, lists), UNKNOWN, "a binding by a pass of the other server");
  await mustFail(servers.call(2, identities.bind(1, call, back.keys.signing), lists), REFUSED, "a binding that was signed for the other one");
  await servers.call(2, request, lists);
  const again = await servers.identify(2, "mail", utf8(address), async () => utf8("1")).catch((error) => ({ pass: null, error }));
  if (again.pass !== null) throw new Disagreement("a pass for a wrong code");
  refused += 1;
}

async function main() {
  const { relay, key_server: keyServer, name, password, new_password: newPassword, address } = await next();
  const servers = new RecoveryServers([relay, keyServer]);
  const call = servers.call.bind(servers);
  const { user_id: userId } = await new RecoveryClient(null, call).ask(1, "find", { name }, "found");
  await strange(servers, userId);
  const named = await servers.identifyAtBoth("ticket", (server, challenge) => prove("ticket", server, challenge));
  if (!equal(named, userId)) throw new Disagreement("another user than the one of this name");
  const client = new RecoveryClient(userId, call);
  const recoveryKey = await client.open(password);
  const kept = await client.remains(recoveryKey, clock());
  const back = comeBack({ recoveryKey, lists: kept.lists, box: kept.box, now: clock() });
  if (back.name !== name) throw new Disagreement("a box of another name");
  await upload(relay, name, back, recoveryKey);
  await refusals(client, servers, back, recoveryKey, kept);
  await client.makeLock(newPassword, recoveryKey, back.lists);
  await client.keep(back, kept.number + 1, kept.card);
  await bind(servers, address, userId, back);
  console.log(JSON.stringify({ name: back.name, id: back.id, user_id: toHex(userId), seeds: back.seeds.length, refused }));
  process.stdin.destroy();
}

await main();
