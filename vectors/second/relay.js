// What relays and clients send to each other, after spec/relay.md: requests, answers, frames, tickets and logins.
// Not here: what a relay does, HTTP.

import { ed25519 } from "@noble/curves/ed25519.js";
import * as addresses from "./address.js";
import * as bodies from "./bodies.js";
import { ascii, concat, toHex, utf8 } from "./bytes.js";
import * as cbor from "./cbor.js";
import { checkEdwards } from "./composite.js";
import { refuse } from "./errors.js";
import { sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import * as types from "./relay-types.js";
import { verifyEdwards } from "./xeddsa.js";

const { blob, device, flag, head, id, integer, list, name, nullable, positive, record, signature, u32, wide } = types;

const { answer, request } = bodies;
const PACKAGE = 4;
const [USER, TEAM] = [1, 2];

const message = blob(1, limits.RELAYED_SIZE);
const challengeBytes = blob(1, limits.CHALLENGE_SIZE);
const deviceList = blob(1, limits.DEVICE_LIST_SIZE);
const address = [["name", name], ["device", device]];
const newest = [["version", positive], ["head", head]];
const delivery = record([["id", id], ["time", u32], ...address, ["message", message]]);
const mail = [["stock", u32], ["deliveries", list(delivery, 0, limits.FETCHED, (each) => each.id)]];
const lists = (least) => list(deviceList, least, limits.CHAIN_LISTS);
const ids = (least) => list(id, least, limits.ACKNOWLEDGED, (each) => each);
const sent = list(record([["device", device], ["message", message]]), 1, limits.DEVICES, (each) => each.device);

const collection = id;
const shelf = [["kind", integer(USER, TEAM)], ["id", blob(16, 32)]];
const parcel = blob(1, limits.PARCEL_SIZE);
const numbered = record([["number", positive], ["parcel", parcel]]);
const entry = blob(1, limits.ENTRY_SIZE);
const entries = list(entry, 0, limits.LOG_ENTRIES);
const text = blob(1, limits.RELAYED_SIZE);
const storedText = record([["number", positive], ["time", u32], ["text", text]]);
const shelved = record([...shelf, ["parcel", parcel]]);

function checkShelf({ kind, id: found }) {
  if (found.length !== (kind === USER ? 32 : 16)) refuse("MalformedMessage", "an id of another kind");
}

const checkShelved = ({ parcels }) => parcels.forEach(checkShelf);

function checkNumbers(last, found) {
  const numbers = [...found.map(({ number }) => number), last];
  const falls = (each, at) => at > 0 && each < numbers[at - 1] + (at < found.length ? 1 : 0);
  if (numbers.some(falls)) refuse("MalformedMessage", "numbers that do not grow");
}

const checkParcels = ({ newest: last, parcels }) => checkNumbers(last, parcels);
const checkTexts = ({ newest: last, texts }) => checkNumbers(last, texts); // [RLY-49]

function checkTaken({ is_taken: taken, newest: last, entries: found }) {
  if (taken && (last === 0 || found.length > 0)) refuse("MalformedMessage", "an entry that was taken, and others");
}

const partsOf = (step) => (step === PACKAGE ? limits.PLACE_PARTS : 1);

function checkPut({ step, part, parts, data }) {
  const most = step === PACKAGE ? limits.PLACE_PART_SIZE : limits.STRANGERS_PART_SIZE;
  if (part >= parts || parts > partsOf(step) || data.length > most) refuse("MalformedMessage", "no part of this step");
}

function checkGet({ step, part }) {
  if (part >= partsOf(step)) refuse("MalformedMessage", "no part of this step");
}

function checkGot({ parts, data }) {
  if ((parts === 0) !== (data === null)) refuse("MalformedMessage", "a part that is not there, with bytes, or the reverse");
}

const SMALL = limits.SMALL_BODY;

/** The bodies, by the names of their rules in spec/relay.cddl. */
export const BODIES = {
  challenge: request(1, SMALL, address),
  "challenge-answer": answer(SMALL, [["challenge", challengeBytes]]),
  authenticate: request(2, SMALL, [...address, ["challenge", challengeBytes], ["counter", wide], ["signature", signature]]),
  "authenticate-answer": answer(SMALL, [
    ["token", blob(1, limits.TOKEN_SIZE)], ["seconds", u32], ["highest", wide], ["version", positive],
  ]),
  register: request(3, limits.REGISTER_SIZE, [["name", name], ["lists", lists(1)], ["ticket", nullable(blob(0, SMALL))]]),
  lists: request(4, SMALL, [["name", name], ["after", u32]]),
  "lists-answer": answer(limits.LISTS_ANSWER_SIZE, [["version", positive], ["lists", lists(0)]]),
  append: request(5, limits.APPEND_SIZE, [["encoded", deviceList]]),
  publish: request(6, limits.PUBLISH_SIZE, [["number", positive], ["publication", blob(1, limits.UPLOAD_SIZE)]]),
  "publish-answer": answer(SMALL, [["stock", u32]]),
  claim: request(7, SMALL, [["id", id], ["name", name], ...newest, ["devices", types.devices]]),
  "claim-answer": answer(limits.CLAIM_ANSWER_SIZE, [
    ["bundles", list(nullable(blob(1, limits.BUNDLE_SIZE)), 0, limits.DEVICES)],
  ]),
  send: request(8, limits.SEND_SIZE, [["id", id], ["name", name], ...newest, ["messages", sent]]),
  fetch: request(9, limits.IDS_SIZE, [["most", integer(1, limits.FETCHED)], ["wait", integer(0, limits.WAIT)], ["skip", ids(0)]]),
  "fetch-answer": answer(limits.FETCH_ANSWER_SIZE, mail),
  "mail-frame": request(9, limits.FETCH_ANSWER_SIZE, mail),
  ack: request(10, limits.IDS_SIZE, [["ids", ids(1)]]),
  state: request(11, SMALL, []),
  "state-answer": answer(SMALL, [["version", positive], ["number", u32], ["stock", u32], ["messages", u32], ["size", wide]]),
  "open-place": request(12, SMALL, [["place", id]]),
  put: request(13, limits.PLACE_BODY_SIZE, [
    ["place", id], ["step", integer(1, PACKAGE)], ["part", integer(0, limits.PLACE_PARTS - 1)],
    ["parts", integer(1, limits.PLACE_PARTS)], ["data", blob(1, limits.PLACE_PART_SIZE)],
  ], checkPut),
  get: request(14, SMALL, [
    ["place", id], ["step", integer(0, PACKAGE)], ["part", integer(0, limits.PLACE_PARTS - 1)], ["wait", integer(0, limits.WAIT)],
  ], checkGet),
  newer: request(21, SMALL, [
    ...address, ["challenge", challengeBytes], ["after", positive], ["signature", signature],
  ]),
  "get-answer": answer(limits.PLACE_BODY_SIZE, [
    ["parts", integer(0, limits.PLACE_PARTS)], ["data", nullable(blob(0, limits.PLACE_PART_SIZE))],
  ], checkGot),
  shelve: request(15, limits.SHELVE_SIZE, [
    ["parcels", list(shelved, 1, limits.SHELVED, (each) => `${each.kind} ${toHex(each.id)} ${toHex(each.parcel)}`)],
  ], checkShelved),
  "shelve-answer": answer(SMALL, [["outcomes", list(integer(0, 2), 0, limits.SHELVED)]]),
  shelf: request(16, SMALL, [...shelf, ["after", u32], ["most", integer(1, limits.SHELF_PARCELS)]], checkShelf),
  "shelf-answer": answer(limits.SHELF_ANSWER_SIZE, [["newest", u32], ["parcels", list(numbered, 0, limits.SHELF_PARCELS)]], checkParcels),
  "shelf-frame": request(16, SMALL, [["newest", u32]]),
  unshelve: request(17, limits.HASHES_SIZE, [...shelf, ["hashes", list(blob(32), 1, limits.UNSHELVED, (each) => each)]], checkShelf),
  log: request(18, SMALL, [["collection", collection], ["after", integer(0, limits.COLLECTION_LOG)]]),
  "log-answer": answer(limits.LOG_ANSWER_SIZE, [["newest", integer(1, limits.COLLECTION_LOG)], ["entries", entries]]),
  "log-append": request(19, limits.LOG_APPEND_SIZE, [["entry", entry]]),
  "log-append-answer": answer(limits.LOG_ANSWER_SIZE, [
    ["is_taken", flag], ["newest", integer(0, limits.COLLECTION_LOG)], ["entries", entries],
  ], checkTaken),
  user: request(20, SMALL, [["user_id", blob(32)], ["after", u32]]),
  "group-send": request(22, limits.GROUP_SEND_SIZE, [["text", text]]),
  "group-send-answer": answer(SMALL, [["number", positive]]),
  "group-texts": request(23, SMALL, [["group", id], ["after", u32], ["most", integer(1, limits.FETCHED)], ["wait", integer(0, limits.WAIT)]]),
  "group-texts-answer": answer(limits.GROUP_TEXTS_ANSWER_SIZE, [["newest", u32], ["texts", list(storedText, 0, limits.FETCHED)]], checkTexts),
  "follow-frame": request(24, limits.FOLLOW_SIZE, [["groups", list(id, 0, limits.FOLLOWED, (each) => each)]]), // [RLY-51]
  "group-frame": request(24, SMALL, [["group", id], ["newest", u32]]),
  done: answer(SMALL, []),
  error: answer(SMALL, [["code", integer(1, limits.RELAY_CODES)], ["number", u32]]),
  ticket: answer(SMALL, [["name", name], ["not_after", u32], ["nonce", id], ["may_replace", flag], ["signature", signature]]),
};

/** Read a body of a kind. */
export const decode = (kind, data) => bodies.decode(BODIES[kind], data);

/** Write a body of a kind. Refuses what `decode` refuses. */
export const encode = (kind, values) => bodies.encode(BODIES[kind], values);

/** Read a frame, which is one of these kinds. */
function frameOf(kinds, data) {
  const { value } = cbor.readHead(data, bodies.checkVersion(data), false);
  const kind = kinds.find((each) => BODIES[each].number === value);
  if (kind === undefined) refuse("MalformedMessage", "neither mail nor an acknowledgement, nor news");
  return { kind, body: decode(kind, data) };
}

/** Read what a relay pushed into a socket: mail, ids of what it deleted, or the newest number on a shelf or in a group. */
export const readFrame = (data) => frameOf(["mail-frame", "ack", "shelf-frame", "group-frame"], data);

/** Read what a client sent into a socket: an acknowledgement, or the groups that it follows. */
export const readSentFrame = (data) => frameOf(["ack", "follow-frame"], data);

// --- signatures -----------------------------------------------------------------------------------

const LOGIN = ascii("letterlock-v1 relay login");
const NEWER = ascii("letterlock-v1 relay newer lists");
const TICKET = ascii("letterlock-v1 relay ticket");
const COLLECTION_SHELF = ascii("letterlock-v1 relay shelf of a collection");
const GROUP_TEXTS = ascii("letterlock-v1 relay texts of a group");
const ACCOUNT = ascii("letterlock-v1 relay account");

function verify(key, signed, found) {
  if (key.length !== 32) refuse("InvalidKey", "an Ed25519 key of another length");
  checkEdwards(key);
  verifyEdwards(key, signed, found);
}

/** What a device signs to get a token of a relay, which is known by this name. [RLY-5] */
export function loginInput(relay, { name: ours, device: number, challenge, counter }) {
  return concat(LOGIN, cbor.encode([relay, ours, number, challenge, counter]));
}

export const signLogin = (seed, relay, login) => ed25519.sign(loginInput(relay, login), seed);

/** Verify a login, a body of the kind `authenticate`, for a relay of this name. [RLY-5] */
export function verifyLogin(key, relay, data) {
  const login = decode("authenticate", data);
  verify(key, loginInput(relay, login), login.signature);
}

/** What a device signs to ask for the lists after a version that lists it, without a token. [RLY-45] */
export function newerInput(relay, { name: ours, device: number, challenge, after }) {
  return concat(NEWER, cbor.encode([relay, ours, number, challenge, after]));
}

export const signNewer = (seed, relay, asked) => ed25519.sign(newerInput(relay, asked), seed);

const ticketInput = (ticket) =>
  concat(TICKET, cbor.encode([limits.RELAY_VERSION, ticket.name, ticket.not_after, ticket.nonce, ticket.may_replace ? 1 : 0]));

/** Return an encoded ticket. [RLY-9] */
export const signTicket = (seed, ticket) => encode("ticket", { ...ticket, signature: ed25519.sign(ticketInput(ticket), seed) });

/** Verify a ticket, but not when it ends, nor whether it was used. [RLY-9] */
export function verifyTicket(key, data) {
  const ticket = decode("ticket", data);
  verify(key, ticketInput(ticket), ticket.signature);
}

// --- names and tokens -----------------------------------------------------------------------------

/** What stands for a name in a relay's database. [RLY-1] */
export const accountKey = (text) => sha256(concat(ACCOUNT, utf8(addresses.checkName(text)))).slice(0, 16);

const shelfOfCollection = (id) => sha256(concat(COLLECTION_SHELF, id)).slice(0, 16);

/** What stands for a group's log and for its texts in a relay's database: half of both is the same. */
export const groupKeys = (id) => ({
  log: shelfOfCollection(id),
  texts: concat(shelfOfCollection(id).slice(0, 8), sha256(concat(GROUP_TEXTS, id)).slice(0, 8)),
});

export const tokenText = (token) => Buffer.from(token).toString("base64url");

/** Return the token that a header holds. It has one text only. */
export function readToken(text) {
  const token = new Uint8Array(Buffer.from(text, "base64url"));
  if (token.length < 1 || token.length > limits.TOKEN_SIZE || tokenText(token) !== text) refuse("MalformedMessage", "no token");
  return token;
}
