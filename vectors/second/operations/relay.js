// Operations on what relays and clients send to each other.

import { readBigEndian, toHex } from "../bytes.js";
import { refuse, refusingAs } from "../errors.js";
import { U32 } from "../limits.js";
import { answerToReader, answerToText, KeptTexts } from "../groups/relaying.js";
import * as relay from "../relay.js";
import { bodyOf, hex, showAll } from "./bodies.js";
import { stateOf } from "./collections.js";
import { Input } from "./input.js";
import { playSteps } from "./plays.js";

/** Return a value of a type from JSON. */
const TAKE = {
  bytes: (_, json) => hex(json),
  integer: (_, json) => (Number.isSafeInteger(json) ? json : refuse("UsageError", "no integer")),
  flag: (_, json) => json === true,
  text: (_, json) => (typeof json === "string" ? json : refuse("UsageError", "no text")),
  wide: (_, json) => readBigEndian(hex(json)),
  nullable: (type, json) => (json === null ? null : take(type.of, json)),
  list: (type, json) => (Array.isArray(json) ? json.map((each) => take(type.of, each)) : refuse("UsageError", "no list")),
  record: (type, json) => {
    const keyed = Array.isArray(json) ? Object.fromEntries(type.elements.map(([key], at) => [key, json[at] ?? null])) : json;
    return takeAll(type.elements, new Input(keyed));
  },
};
const take = (type, json) => TAKE[type.form](type, json);
const takeAll = (elements, given) => Object.fromEntries(elements.map(([key, type]) => [key, take(type, given.get(key))]));

function kindOf(given) {
  const kind = given.text("kind");
  return Object.hasOwn(relay.BODIES, kind) ? kind : refuse("UsageError", "no such body");
}

const shownBody = (kind, body) => showAll(relay.BODIES[kind].elements, body);

function decode(given) {
  const kind = kindOf(given);
  return shownBody(kind, relay.decode(kind, bodyOf(given)));
}

function encode(given) {
  const kind = kindOf(given);
  const body = takeAll(relay.BODIES[kind].elements, given.object("body"));
  return { data: toHex(refusingAs("UsageError", () => relay.encode(kind, body))) };
}

const shownFrame = ({ kind, body }) => ({ kind, body: shownBody(kind, body) });

function signLogin(given) {
  const login = {
    name: given.text("name"), device: given.integer("device", 1, U32), challenge: given.bytes("challenge"),
    counter: readBigEndian(given.sized("counter", 8)),
  };
  const [seed, name] = [given.sized("seed", 32), given.text("relay")];
  return { signed: toHex(relay.loginInput(name, login)), signature: toHex(relay.signLogin(seed, name, login)) };
}

function signNewer(given) {
  const asked = {
    name: given.text("name"), device: given.integer("device", 1, U32), challenge: given.bytes("challenge"),
    after: given.integer("after", 1, U32),
  };
  const [seed, name] = [given.sized("seed", 32), given.text("relay")];
  return { signed: toHex(relay.newerInput(name, asked)), signature: toHex(relay.signNewer(seed, name, asked)) };
}

function verifyLogin(given) {
  relay.verifyLogin(given.bytes("key"), given.text("relay"), given.bytes("request"));
  return {};
}

function signTicket(given) {
  const ticket = {
    name: given.text("name"), not_after: given.integer("not_after", 0, U32), nonce: given.sized("nonce", 16),
    may_replace: given.flag("may_replace"),
  };
  return { ticket: toHex(refusingAs("UsageError", () => relay.signTicket(given.sized("seed", 32), ticket))) };
}

function verifyTicket(given) {
  relay.verifyTicket(given.bytes("key"), given.bytes("ticket"));
  return {};
}

function groupKeys(given) {
  const { log, texts } = relay.groupKeys(given.sized("group_id", 16));
  return { log: toHex(log), texts: toHex(texts) };
}

const callerOf = (given) => ({ userId: given.sized("user_id", 32), deviceId: given.integer("device_id", 1, U32) });

const groupSend = (given) => answerToText(stateOf(given), callerOf(given), given.bytes("text")) ?? {};

/** The texts that a relay keeps of one group, whose log goes on. */
function playGroup(given) {
  const kept = new KeptTexts({ texts: given.integer("texts"), bytes: given.integer("bytes") });
  let log = null;
  return playSteps(given, {
    log(step) {
      log = stateOf(step);
      return {};
    },
    send: (step) => kept.send(log, callerOf(step), bodyOf(step)),
    show: (step) => kept.after(step.integer("after")),
  });
}

export const relays = {
  "relay.account_key": (given) => ({ key: toHex(refusingAs("UsageError", () => relay.accountKey(given.text("name")))) }),
  "relay.decode": decode,
  "relay.encode": encode,
  "relay.group_keys": groupKeys,
  "relay.group_play": playGroup,
  "relay.group_send": groupSend,
  "relay.group_texts": (given) => answerToReader(stateOf(given), given.sized("user_id", 32)) ?? {},
  "relay.read_frame": (given) => shownFrame(relay.readFrame(bodyOf(given))),
  "relay.read_sent_frame": (given) => shownFrame(relay.readSentFrame(bodyOf(given))),
  "relay.read_token": (given) => ({ token: toHex(relay.readToken(given.text("text"))) }),
  "relay.sign_login": signLogin,
  "relay.sign_newer": signNewer,
  "relay.sign_ticket": signTicket,
  "relay.verify_login": verifyLogin,
  "relay.verify_ticket": verifyTicket,
  "relay.write_token": (given) => ({ text: relay.tokenText(given.bytes("token")) }),
};
