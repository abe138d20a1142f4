// Claim what a user of the other implementation shared with an address: node claim-over-http.js
//
// The servers are processes: a relay that is server 1, and a key server. Standard input and output are lines of JSON. The first
// line that is read is
//
//     {"relay": URL, "key_server": URL, "name": ..., "invitation": hexadecimal, "document": hexadecimal}
//
// Then this program asks for tickets, each {"server": 1 or 2, "challenge": hexadecimal, "stranger": whether it is to be another
// person's}, and reads {"proof": hexadecimal}. It signs up under the name, takes both seeds, opens the grants and the document,
// grants the key to itself, and shows that to the granter. At the end it says
//
//     {"user_id", "granter", "content", "refused": how many calls and lies were refused}

import { randomBytes } from "@noble/hashes/utils.js";
import { createInterface } from "node:readline";
import { Disagreement } from "./asking.js";
import { concat, equal, fromHex, toHex } from "./bytes.js";
import * as grants from "./documents/grant.js";
import * as granting from "./documents/granting.js";
import { AUTHOR } from "./documents/parts.js";
import { openKey } from "./documents/readers.js";
import * as reading from "./documents/reading.js";
import { overBytes } from "./documents/run.js";
import { Lists, verify, verifyLeaf } from "./documents/signature.js";
import * as hpke from "./hpke.js";
import { decode, encode } from "./recovery/bodies.js";
import { codeOf, RecoveryServers } from "./recovery/http.js";
import { SERVERS } from "./recovery/password.js";
import * as provisional from "./recovery/provisional.js";
import { RelayClient } from "./relay-client.js";

const [UNKNOWN, REFUSED] = [2, 9]; // codes of spec/relay.md
const SHELF_OF_USER = 1;
const clock = () => Math.floor(Date.now() / 1000);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);

let refused = 0;

async function mustFail(work, code, what) {
  const found = await codeOf(work);
  if (found !== code) throw new Disagreement(`${what}: ${found === null ? "done" : `refused as ${found}`} instead of ${code}`);
  refused += 1;
}

/** Pass the checks of both servers by a ticket. */
async function identify(servers, stranger = false) {
  for (const server of SERVERS) {
    const { pass } = await servers.identify(server, "ticket", null, async (challenge) => {
      console.log(JSON.stringify({ server, stranger, challenge: toHex(challenge) }));
      return fromHex((await next()).proof);
    });
    if (pass === null) throw new Disagreement(`server ${server} gives no pass for a good ticket`);
  }
}

/** Ask both servers for the seeds of whoever was proven. Returns the seed that asked, and both answers. */
async function release(servers) {
  const asking = randomBytes(32);
  const body = encode("release", { key: hpke.publicOf(asking) });
  const answers = [];
  for (const server of SERVERS) answers.push(await servers.call(server, body, null));
  return { asking, answers };
}

const seedsIn = ({ asking, answers: [first, second] }) => provisional.seeds(asking, first, second);

/** The granter and the grants of an invitation. The relay has to know the granter under the name. [DOC-92] [PRV-9] */
async function met(relay, invitation) {
  const things = granting.readContents(invitation);
  const introduced = things.filter(({ kind }) => kind === granting.AN_INTRODUCTION).map(({ data }) => granting.readIntroduction(data));
  if (introduced.length !== 1) throw new Disagreement("an invitation of more than one granter");
  const [granter] = introduced;
  const snapshot = await relay.learn(granter.name);
  if (!equal(relay.user.contacts.get(granter.name).userId, granter.userId)) throw new Disagreement("another user under the granter's name");
  const lists = new Lists([relay.chains.get(granter.name).map((each) => each.snapshot)]);
  return { granter, snapshot, lists, found: things.filter(({ kind }) => kind === granting.A_GRANT).map(({ data }) => grants.decodeGrant(data)) };
}

/** The key in a grant, by both seeds; and what one server alone could do with its own. [PRV-5] */
async function keyOf(grant, lists, person) {
  verifyLeaf(lists, grant.leaf, grant.place, grant.signedBy);
  if (grant.terms.validUntil < clock()) throw new Disagreement("a grant that is over");
  const [first, second] = person.seeds;
  for (const seeds of [[first, first], [second, second], [second, first]]) {
    if (openKey(grant, { kind: "provisional", id: person.id, seeds }) !== null) throw new Disagreement("half of the seeds opens a grant");
    refused += 1;
  }
  const key = openKey(grant, { kind: "provisional", ...person });
  return key ?? Promise.reject(new Disagreement("both seeds open nothing"));
}

function read(document, key, lists) {
  const [opened, contents] = [reading.openFront(overBytes(reading.readFront(), document), key), []];
  const sound = (message, signedBy) => verify(lists, AUTHOR, message, signedBy);
  const whole = overBytes(reading.openSeekable(opened, document.length, sound), document);
  overBytes(reading.readContent(whole), document, (content) => { contents.push(content.slice()); });
  return concat(...contents);
}

/** Put own grants on this user's shelf, and show them to the granter. Both have to be there before a server is told. [PRV-11] */
async function shelve(relay, { granter, snapshot }, made) {
  const { user } = relay;
  const things = made.map((each) => [granting.A_GRANT, each]);
  const own = granting.parcelFor(user.userId, user.lists.at(-1).snapshot.documentKey, things);
  const shown = granting.parcelFor(granter.userId, snapshot.documentKey, [granting.introduction(user), ...things]);
  const parcels = [[user.userId, own], [granter.userId, shown]].map(([id, parcel]) => ({ kind: SHELF_OF_USER, id, parcel }));
  const { outcomes } = await relay.call("shelve", { parcels }, "shelve-answer");
  if (outcomes.some((each) => each !== 0)) throw new Disagreement("a parcel that is on no shelf");
}

async function claim(servers, userId, ids) {
  const body = encode("claimed", { user_id: userId, ids });
  for (const server of SERVERS) decode("done", await servers.call(server, body, null));
}

async function main() {
  const given = await next();
  const relay = new RelayClient(given.relay, given.name, clock);
  await relay.register();
  await relay.logIn();
  const from = await met(relay, fromHex(given.invitation));
  const servers = new RecoveryServers([given.relay, given.key_server]);
  for (const server of SERVERS) {
    const body = encode("release", { key: hpke.publicOf(randomBytes(32)) });
    await mustFail(servers.call(server, body, null), UNKNOWN, "seeds without a pass"); // [PRV-5]
  }
  await identify(servers, true);
  if (seedsIn(await release(servers)).length !== 0) throw new Disagreement("seeds for somebody else");
  await identify(servers);
  const released = await release(servers);
  await mustFail((async () => provisional.seeds(released.asking, ...[...released.answers].reverse()))(), "ServerAtFault", "one server's seed for that of the other");
  await mustFail((async () => provisional.seeds(randomBytes(32), ...released.answers))(), "ServerAtFault", "seeds for another key");
  const people = new Map(seedsIn(released).map((each) => [toHex(each.id), each]));
  const made = [];
  let content = null;
  for (const grant of from.found) {
    const key = await keyOf(grant, from.lists, people.get(toHex(grant.terms.recipient.id)));
    content = read(fromHex(given.document), key, from.lists);
    made.push(granting.grantToSelf(relay.user, grant.terms.subject, key, clock()));
  }
  await shelve(relay, from, made);
  const ids = [...people.values()].map(({ id }) => id);
  await claim(servers, relay.user.userId, ids);
  await mustFail(claim(servers, randomBytes(32), ids), REFUSED, "a claim by another user"); // [PRV-7]
  await claim(servers, relay.user.userId, ids); // the same again changes nothing
  if (seedsIn(await release(servers)).length !== 0) throw new Disagreement("seeds that were claimed");
  console.log(JSON.stringify({ user_id: toHex(relay.user.userId), granter: from.granter.name, content: new TextDecoder().decode(content), refused }));
  process.stdin.destroy();
}

await main();
