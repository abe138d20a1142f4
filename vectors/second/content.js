// Content: what the devices of users encrypt for each other, and the bodies of its kinds. [USR-23] to [USR-27]
// Not here: what a device does with it.

import * as addresses from "./address.js";
import { toHex, utf8 } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as deviceList from "./device-list.js";
import { refuse } from "./errors.js";
import { decodeChain } from "./groups/chain.js";
import * as limits from "./limits.js";
import * as typed from "./typed.js";

export const TEXT = 1;
export const RECEIPT = 2;
export const RETRY_REQUEST = 3;
export const LIST_NOTICE = 4;
export const SYNC_COPY = 5;
export const HISTORY_KEY = 6;
export const DOCUMENT_SEED = 7;

export const GROUP_SECRET = 9;
export const GROUP_CHAIN = 10;
export const GROUP_REQUEST = 11;
export const GROUP_RECEIPT = 12;
export const GROUP_HISTORY = 13;

const CONTROL = [
  RECEIPT, RETRY_REQUEST, LIST_NOTICE, SYNC_COPY, HISTORY_KEY, DOCUMENT_SEED, GROUP_SECRET, GROUP_CHAIN, GROUP_REQUEST,
  GROUP_RECEIPT, GROUP_HISTORY,
];
const OTHER_CAUSE = 0;
const LAST_CAUSE = 7;
const ID = 16;
const TAG_ITEM = 1 + limits.TAG_SIZE;

const NO_FILE_NAME = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}/\\\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
const MEDIA_TYPE = /^[ -~]+$/;

export const isForApplication = (kind) => kind === TEXT || (kind >= 64 && kind <= 255);

function different(items, read) {
  const keys = items.map((each) => toHex(read(each)));
  if (new Set(keys).size !== keys.length) refuse("MalformedMessage", "the same twice");
  return items;
}

const tag = (item) => typed.bytes(item, limits.TAG_SIZE);

/** [USR-27] */
function attachment(item) {
  const [name, mediaType, data] = typed.array(item, 3);
  const size = utf8(typed.text(name)).length;
  if (size < 1 || size > limits.ATTACHMENT_NAME_SIZE) refuse("MalformedMessage", "a name of another length");
  if (name === "." || name === ".." || NO_FILE_NAME.test(name)) refuse("MalformedMessage", "no plain file name");
  if (typed.text(mediaType).length > limits.MEDIA_TYPE_SIZE || !MEDIA_TYPE.test(mediaType)) refuse("MalformedMessage", "no media type");
  return { name, mediaType, data: typed.bytes(data, 0, limits.PLAINTEXT_SIZE) };
}

export function decode(data) {
  if (data.length > limits.PLAINTEXT_SIZE) refuse("MalformedMessage", "too many bytes");
  const items = typed.array(cbor.decode(data, { nesting: 3, items: limits.CONTENT_ITEMS }), 8);
  const [kind, id, sent, ownHead, theirHead, earlier, body, attachments] = items;
  typed.u32(kind);
  typed.bytes(id, ID);
  typed.u32(sent);
  typed.bytes(ownHead, limits.HEAD_SIZE);
  typed.bytes(theirHead, limits.HEAD_SIZE);
  different(typed.array(earlier, 0, limits.EARLIER), tag); // [USR-25]
  typed.bytes(body, 0, limits.PLAINTEXT_SIZE);
  const files = typed.array(attachments, 0, limits.ATTACHMENTS).map(attachment);
  const most = kind === SYNC_COPY ? limits.PLAINTEXT_SIZE : limits.CONTENT_SIZE + earlier.length * TAG_ITEM;
  if (data.length > most) refuse("MalformedMessage", "too many bytes for this kind");
  if (files.length > 0 && CONTROL.includes(kind)) refuse("MalformedMessage", "attachments of a control kind"); // [USR-23]
  return { kind, id, sent, ownHead, theirHead, earlier, body, attachments: files };
}

export function encode({ kind, id, sent, ownHead, theirHead, earlier, body, attachments }) {
  const files = attachments.map(({ name, mediaType, data }) => [name, mediaType, data]);
  const data = cbor.encode([kind, id, sent, ownHead, theirHead, earlier, body, files]);
  decode(data);
  return data;
}

// --- bodies ---------------------------------------------------------------------------------------

const elements = (body, count, limit = { nesting: 1, items: 1 + count }) => typed.array(cbor.decode(body, limit), count);

function receipt(body) {
  const [ids] = elements(body, 1);
  typed.bytes(ids, ID, ID * limits.RECEIPT_IDS);
  if (ids.length % ID !== 0) refuse("MalformedMessage", "half an id");
  const starts = Array.from({ length: ids.length / ID }, (_, index) => ID * index);
  return { ids: different(starts.map((at) => ids.slice(at, at + ID)), (each) => each) };
}

function retryRequest(body) {
  const [found, cause] = elements(body, 2);
  tag(found);
  typed.integer(cause, 0, 255);
  return { tag: found, cause: cause <= LAST_CAUSE ? cause : OTHER_CAUSE };
}

function listNotice(body) {
  const [lists] = elements(body, 1, { nesting: 2, items: 2 + limits.NOTICE_LISTS });
  const encoded = typed.array(lists, 1, limits.NOTICE_LISTS);
  return { lists: encoded.map((each) => deviceList.decode(typed.bytes(each, 0, limits.DEVICE_LIST_SIZE))) };
}

/** [USR-26] */
function syncCopy(body) {
  const [name, userId, encoded] = elements(body, 3);
  addresses.fromItem([typed.text(name), 1]);
  typed.bytes(userId, 32);
  const content = decode(typed.bytes(encoded, 1, limits.CONTENT_SIZE));
  if (CONTROL.includes(content.kind) || content.earlier.length > 0) refuse("MalformedMessage", "no application sent this");
  return { name, userId, content };
}

function historyKey(body) {
  const [archiveId, key] = elements(body, 2);
  return { archiveId: typed.bytes(archiveId, 16), key: typed.bytes(key, 32) };
}

function documentSeed(body) {
  const [generation, seed] = elements(body, 2);
  return { generation: typed.integer(generation, 1, limits.U32), seed: typed.bytes(seed, 32) };
}

function groupSecret(body) {
  const [groupId, epoch, opening, secret] = elements(body, 4);
  return {
    groupId: typed.bytes(groupId, 16), epoch: typed.integer(epoch, 1, limits.U32), opening: typed.bytes(opening, 32),
    secret: typed.bytes(secret, 32),
  };
}

function groupRequest(body) {
  const [groupId, epoch, what] = elements(body, 3);
  return { groupId: typed.bytes(groupId, 16), epoch: typed.integer(epoch, 1, limits.U32), what: typed.integer(what, 1, 2) };
}

/** [GRP-45] */
function groupReceipt(body) {
  const [groupId, epoch, since, number, head] = elements(body, 5);
  return {
    groupId: typed.bytes(groupId, 16), epoch: typed.integer(epoch, 1, limits.U32),
    since: typed.integer(since, 0, typed.u32(number)), number, head: typed.bytes(head, 32),
  };
}

/** [GRP-55] */
function historyGiver(item) {
  const [userId, deviceId] = typed.array(item, 2);
  return { userId: typed.bytes(userId, 32), deviceId: typed.integer(deviceId, 1, limits.U32) };
}

/** [GRP-53] */
function groupHistory(body) {
  const [groupId, epoch, entry, document, ...rest] = typed.array(cbor.decode(body, { nesting: 2, items: 8 }), 4, 5);
  return {
    groupId: typed.bytes(groupId, 16), epoch: typed.integer(epoch, 1, limits.U32), entry: typed.integer(entry, 1, limits.U32),
    document: typed.bytes(document, 16), giver: rest.length === 0 ? null : historyGiver(rest[0]),
  };
}

const BODIES = {
  [RECEIPT]: receipt, [RETRY_REQUEST]: retryRequest, [LIST_NOTICE]: listNotice, [SYNC_COPY]: syncCopy, [HISTORY_KEY]: historyKey,
  [DOCUMENT_SEED]: documentSeed, [GROUP_SECRET]: groupSecret, [GROUP_CHAIN]: decodeChain, [GROUP_REQUEST]: groupRequest,
  [GROUP_RECEIPT]: groupReceipt, [GROUP_HISTORY]: groupHistory,
};

export const readBody = (kind, body) => BODIES[kind](body);

/** The name of a message: its authentication tag. [USR-25] */
export function messageTag(message) {
  if (message.length < limits.TAG_SIZE) refuse("MalformedMessage", "no message");
  return message.slice(-limits.TAG_SIZE);
}
