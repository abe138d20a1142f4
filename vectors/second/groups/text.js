// A text for a group: its encoding, what it holds, and what is sealed and signed of it. [GRP-1] [GRP-6]

import { ascii, concat } from "../bytes.js";
import * as cbor from "../cbor.js";
import { elements } from "../envelope.js";
import { refuse } from "../errors.js";
import * as limits from "../limits.js";
import * as typed from "../typed.js";

const KIND = 28;
const SIGNATURE = 64;
const LEAST = limits.NONCE_SIZE + limits.PADDED_LEAST + limits.TAG_SIZE;
const SEALED = ascii("letterlock-v1 text of a group");
const SIGNED = ascii("letterlock-v1 signature of a group text");

const positive = (item) => typed.integer(item, 1, limits.U32);

export function headerOf({ groupId, epoch, entry, sender, number }) {
  const fields = [limits.VERSION, KIND, groupId, epoch, entry, sender.userId, sender.deviceId, number];
  return concat(cbor.head(4, 10), ...fields.map(cbor.encode));
}

export const associated = (entryHash, header) => concat(SEALED, entryHash, header);

export const covered = (entryHash, header, sealed) => concat(SIGNED, entryHash, header, cbor.encode(sealed));

export function decodeText(data) {
  const found = elements(data, KIND, { count: 10, size: limits.GROUP_TEXT_SIZE }).elements;
  const [groupId, epoch, entry, userId, deviceId, number, sealed, signature] = found;
  const read = {
    groupId: typed.bytes(groupId, 16),
    epoch: positive(epoch),
    entry: positive(entry),
    sender: { userId: typed.bytes(userId, 32), deviceId: positive(deviceId) },
    number: typed.u32(number),
    sealed: typed.bytes(sealed, LEAST, limits.GROUP_TEXT_SIZE),
    signature: typed.bytes(signature, SIGNATURE),
    encoded: data,
  };
  return { ...read, header: headerOf(read) };
}

// --- content ------------------------------------------------------------------------------------------

function readHeard(item) {
  const [member, deviceId, since, number, head] = typed.array(item, 5);
  return {
    member: typed.integer(member, 0, limits.MEMBERS - 1), deviceId: positive(deviceId),
    since: typed.integer(since, 0, typed.u32(number)), number, head: typed.bytes(head, 32),
  };
}

const placeOf = ({ member, deviceId }) => member * 2 ** 32 + deviceId;

export function readContent(data) {
  const items = 4 + 6 * limits.HEARD;
  const [headBefore, heard, text] = typed.array(cbor.decode(data, { nesting: 3, items }), 3);
  const others = typed.array(heard, 0, limits.HEARD).map(readHeard);
  const ascending = others.every((each, at) => at === 0 || placeOf(others[at - 1]) < placeOf(each));
  if (!ascending) refuse("MalformedMessage", "heads of others twice, or out of order");
  return { headBefore: typed.bytes(headBefore, 32), heard: others, text: typed.bytes(text, 0, limits.PLAINTEXT_SIZE) };
}

export function encodeContent({ headBefore, heard, text }) {
  return cbor.encode([headBefore, heard.map(({ member, deviceId, since, number, head }) => [member, deviceId, since, number, head]), text]);
}
