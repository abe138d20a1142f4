// Be a client of the other implementation's relay: node vectors/second/converse-relay.js [COMMAND...]
//
// COMMAND is that implementation's `letterlock`. The default is `python3 -m letterlock`. It runs a relay on this machine and
// one of its users, bob. Alice runs here (relay-client.js). They register, claim bundles and exchange texts in both
// directions, alice reads what bob writes in a group, and calls that the relay must refuse are refused under their codes.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Disagreement } from "./asking.js";
import { fromHex, utf8 } from "./bytes.js";
import * as content from "./content.js";
import { RelayClient, RelayError } from "./relay-client.js";

const [UNKNOWN, STALE, TAKEN] = [2, 3, 5]; // codes of spec/relay.md
const ROUNDS = 2;
const clock = () => Math.floor(Date.now() / 1000);

/** Run a command to its end. Returns what it printed. */
function run(command, given = "") {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    const printed = [];
    child.stdout.on("data", (data) => printed.push(data));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(printed).toString("utf8"));
      else reject(new Error(`${command.join(" ")} ended with ${code}`));
    });
    child.stdin.end(given);
  });
}

/** Start a relay. Returns its URL, and a function that ends it. */
async function startRelay(command, folder) {
  const options = ["--json", "--listen", "127.0.0.1:0", "--store", `sqlite:///${join(folder, "relay.db")}`, "--log-level", "error"];
  const child = spawn(command[0], [...command.slice(1), "relay", "serve", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const line = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the relay ended with ${code}`)));
    createInterface({ input: child.stdout }).once("line", resolve);
  });
  const end = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return { url: `http://${JSON.parse(line).listening}`, end };
}

async function mustFail(call, code, what) {
  try {
    await call;
  } catch (error) {
    if (error instanceof RelayError && error.code === code) return 1;
    throw error;
  }
  throw new Disagreement(`${what}: the relay did it`);
}

function same(found, expected, what) {
  if (found !== expected) throw new Disagreement(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

/** Read until a text arrives: receipts and the like come too. */
async function nextText(client) {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const texts = (await client.receive()).filter((each) => each.kind === content.TEXT);
    if (texts.length > 0) return texts.map((each) => new TextDecoder().decode(each.body));
  }
  throw new Disagreement("no text arrived");
}

async function talk(alice, bob) {
  let texts = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const [there, back] = [`to bob, ${round}: gr\u00fc\u00dfe`, `to alice, ${round}: \u{1F600}`];
    await alice.send("bob", utf8(there));
    const [line] = (await bob(["receive", "--json", "--wait", "1"])).trim().split("\n");
    const got = JSON.parse(line);
    same(got.text, there, "the text of alice");
    await bob(["send", "alice"], back);
    same((await nextText(alice)).join("; "), back, "the text of bob");
    texts += 2;
  }
  return texts;
}

/** Be a member of a group of bob. Returns how many texts of it were read. */
async function readInGroup(alice, bob) {
  const { id } = JSON.parse(await bob(["group", "create", "ward 3", "alice", "--json"]));
  const groupId = fromHex(id);
  const said = ["round at nine", "gr\u00fc\u00dfe"];
  await mustFail(alice.call("group-texts", { group: new Uint8Array(16), after: 0, most: 1, wait: 0 }, "group-texts-answer"), UNKNOWN, "no group");
  for (const text of said) {
    await bob(["group", "send", id], text);
    await alice.receive();
    const read = await alice.readGroup(groupId);
    same(read.map((each) => new TextDecoder().decode(each)).join("; "), text, "a text in the group of bob");
  }
  return said.length;
}

/** Make calls that must be refused. Returns how many were. */
async function refusals(alice, url) {
  const other = new RelayClient(url, "alice", clock);
  let refused = await mustFail(other.register(), TAKEN, "a name that somebody has");
  refused += await mustFail(other.logIn(), UNKNOWN, "a login with another key");
  refused += await mustFail(alice.logIn("relay.example"), UNKNOWN, "a login that was signed for another relay");
  refused += await mustFail(other.learn("bob"), UNKNOWN, "a call without a token");
  refused += await mustFail(alice.learn("nobody"), UNKNOWN, "the lists of nobody");
  const sent = await alice.send("bob", utf8("once"));
  await alice.call("send", sent); // the same send again is done already
  refused += await mustFail(alice.call("send", { ...sent, version: sent.version + 1 }), STALE, "a send for another version");
  refused += await mustFail(alice.call("send", { ...sent, head: new Uint8Array(8) }), STALE, "a send for another list");
  return refused;
}

async function main(command) {
  const folder = mkdtempSync(join(tmpdir(), "letterlock-relay-"));
  const { url, end } = await startRelay(command, folder);
  try {
    const bob = (given, input) => run([...command, "--home", join(folder, "bob"), ...given], input);
    await bob(["register", "bob", "--relay", url]);
    const alice = new RelayClient(url, "alice", clock);
    await alice.register();
    await alice.register(); // the same again is done already
    await alice.logIn();
    const stock = await alice.publish();
    const texts = await talk(alice, bob);
    const inGroup = await readInGroup(alice, bob);
    const refused = await refusals(alice, url);
    const once = (await bob(["receive", "--json", "--wait", "1"])).trim().split("\n");
    same(once.length, 1, "how often a repeated send arrives");
    console.log(`a relay: ${stock} single-use bundles in stock, ${texts} texts in both directions, ${inGroup} in a group, ${refused} calls refused`);
  } finally {
    same(await end(), 0, "the exit status of the relay");
    rmSync(folder, { recursive: true });
  }
}

await main(process.argv.length > 2 ? process.argv.slice(2) : ["python3", "-m", "letterlock"]);
