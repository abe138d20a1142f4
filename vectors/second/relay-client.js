// A device of a user at a relay, in memory: it registers, logs in, publishes, claims, sends, receives, and reads in groups.
// Not here: sockets, linking, retries, repair. A real client keeps what it does in a store, after spec/client.md.

import { randomBytes } from "@noble/hashes/utils.js";
import * as addresses from "./address.js";
import { equal, toHex } from "./bytes.js";
import * as content from "./content.js";
import * as deviceList from "./device-list.js";
import { refuse } from "./errors.js";
import { Member } from "./groups/member.js";
import { HEAD_SIZE, PQXDH } from "./limits.js";
import * as prekeys from "./prekeys.js";
import { Publisher } from "./publisher.js";
import * as relay from "./relay.js";
import { User } from "./user.js";

const PAIRS = 10; // of one-time prekeys in a publication
const SIGNING_HALF = 32; // where the Ed25519 half of a signing seed begins
const WAIT = 10;

/** An error that a relay answered: its code and number. */
export class RelayError extends Error {
  constructor(call, { code, number }) {
    super(`${call}: code ${code}, number ${number}`);
    Object.assign(this, { code, number });
  }
}

export class RelayClient {
  constructor(url, name, clock) {
    this.url = url;
    this.clock = clock;
    this.user = User.create(name, clock);
    this.account = new Publisher({ address: [name, this.user.id], identity: this.user.keys.identity, suites: [PQXDH], clock });
    this.token = null;
    this.chains = new Map(); // name -> device lists
    this.published = 0;
    this.groups = new Map(); // group id -> what this device knows of it, and the number of the last text that it was shown
  }

  /** Make one call. `answer` is the kind of the answer. */
  async call(kind, body, answer = "done") {
    const authorization = this.token === null ? {} : { authorization: `Bearer ${relay.tokenText(this.token)}` };
    const response = await fetch(`${this.url}/v1/${kind}`, {
      method: "POST", redirect: "error", body: relay.encode(kind, body), headers: { "content-type": "application/cbor", ...authorization },
    });
    const data = new Uint8Array(await response.arrayBuffer());
    if (response.status === 200) return relay.decode(answer, data);
    throw new RelayError(kind, relay.decode("error", data));
  }

  register() {
    return this.call("register", { name: this.user.name, lists: this.user.lists.map(deviceList.encode), ticket: null });
  }

  /** Get a token. `name` is that of the relay, which a test may change. */
  async logIn(name = new URL(this.url).host) {
    const ours = { name: this.user.name, device: this.user.id };
    const { challenge } = await this.call("challenge", ours, "challenge-answer");
    const login = { ...ours, challenge, counter: 0n };
    const signature = relay.signLogin(this.user.keys.signing.slice(SIGNING_HALF), name, login);
    const { token } = await this.call("authenticate", { ...login, signature }, "authenticate-answer");
    this.token = token;
  }

  async publish() {
    this.published += 1;
    const publication = this.account.publish(PAIRS);
    return (await this.call("publish", { number: this.published, publication }, "publish-answer")).stock;
  }

  /** Fetch and verify the device lists of a contact. Returns the newest snapshot. */
  async learn(name) {
    const { lists } = await this.call("lists", { name, after: 0 }, "lists-answer");
    const chain = lists.map((each) => deviceList.decode(each));
    this.user.learn(name, chain);
    this.chains.set(name, chain);
    const theirs = this.user.contacts.get(name).userId;
    for (const each of chain.at(-1).snapshot.devices) {
      this.account.users.set(addresses.key([name, each.id]), { ours: this.user.userId, theirs });
    }
    return chain.at(-1).snapshot;
  }

  newest(name) {
    return this.chains.get(name)?.at(-1).snapshot ?? this.learn(name);
  }

  /** Begin a session with each device that has none. */
  async claim(name, snapshot, devices) {
    const absent = devices.filter((each) => this.account.peer([name, each.id]).sessions.length === 0);
    if (absent.length === 0) return;
    const asked = { id: randomBytes(16), name, version: snapshot.version, head: snapshot.hash.slice(0, HEAD_SIZE) };
    const { bundles } = await this.call("claim", { ...asked, devices: absent.map((each) => each.id) }, "claim-answer");
    absent.forEach((device, at) => {
      if (bundles[at] === null) refuse("NoSession", "a device that has published nothing");
      const { identity } = prekeys.decodeBundle(bundles[at]);
      if (!equal(identity, device.identity)) refuse("UntrustedIdentity", "a bundle with another key than the listed one");
      this.account.initiate([name, device.id], bundles[at], { suite: PQXDH });
    });
  }

  /** Send a text to every device of a user. */
  async send(name, text) {
    const snapshot = await this.newest(name);
    const devices = snapshot.devices.filter((each) => deviceList.rights(each).getsMessages);
    await this.claim(name, snapshot, devices);
    const head = snapshot.hash.slice(0, HEAD_SIZE);
    const written = content.encode({
      kind: content.TEXT, id: randomBytes(16), sent: this.clock(), ownHead: this.user.lists.at(-1).snapshot.hash.slice(0, HEAD_SIZE),
      theirHead: head, earlier: [], body: text, attachments: [],
    });
    const messages = devices.map(({ id }) => ({ device: id, message: this.account.encrypt([name, id], written) }));
    const send = { id: randomBytes(16), name, version: snapshot.version, head, messages };
    await this.call("send", send);
    return send;
  }

  /** Fetch what has arrived, decrypt it, and acknowledge it. Returns contents with their senders. */
  async receive() {
    const { deliveries } = await this.call("fetch", { most: 100, wait: WAIT, skip: [] }, "fetch-answer");
    const found = [];
    for (const { name, device, message } of deliveries) {
      const snapshot = await this.newest(name);
      const listed = snapshot.devices.find((each) => each.id === device);
      if (listed === undefined) refuse("InvalidDeviceList", "a message of a device that is not listed");
      const read = content.decode(this.account.decrypt([name, device], message));
      if (!equal(this.account.peer([name, device]).identity, listed.identity)) refuse("UntrustedIdentity", "another key than the listed one");
      found.push({ name, device, ...read });
    }
    for (const each of found) this.keepLetter(each);
    if (deliveries.length > 0) await this.call("ack", { ids: deliveries.map((each) => each.id) });
    return found;
  }

  // --- groups -----------------------------------------------------------------------------------------

  /** Keep a letter about a group until the log and the texts are asked for. */
  keepLetter({ name, device, kind, body }) {
    if (![content.GROUP_SECRET, content.GROUP_CHAIN].includes(kind)) return;
    const { groupId } = content.readBody(kind, body);
    const group = this.group(groupId);
    group.member.learn(this.chains.get(name).map((each) => each.snapshot));
    group.member.letter({ userId: this.user.contacts.get(name).userId, deviceId: device }, kind, body);
  }

  group(groupId) {
    const key = toHex(groupId);
    if (!this.groups.has(key)) this.groups.set(key, { member: new Member({ userId: this.user.userId, groupId, now: this.clock() }), after: 0 });
    return this.groups.get(key);
  }

  /** Read the texts of a group that were not read before, after its log. A text that has to wait is asked for again. */
  async readGroup(groupId) {
    const group = this.group(groupId);
    const { entries } = await this.call("log", { collection: groupId, after: group.member.states.length }, "log-answer");
    if (entries.length > 0) group.member.take(entries);
    const { texts } = await this.call("group-texts", { group: groupId, after: group.after, most: 100, wait: 0 }, "group-texts-answer");
    const read = [];
    for (const { number, text } of texts) {
      read.push(group.member.open(text).text);
      group.after = number;
    }
    return read;
  }
}
