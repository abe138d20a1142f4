// Histories of groups: what a newcomer is given of what was written before. [GRP-54]
// Not here: the document around the content; the letter that names it (content.js).

import { equal, readBigEndian, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import { refuse } from "../errors.js";
import { HISTORY_ITEM_SIZE, HISTORY_SIZE, HISTORY_TEXTS, PLAINTEXT_SIZE, U32 } from "../limits.js";
import * as typed from "../typed.js";

const LABEL = "letterlock-v1 history of a group";

function* items(content) {
  if (content.length > HISTORY_SIZE) refuse("MalformedMessage", "a history that is too long");
  for (let at = 0, count = 0; at < content.length; count += 1) {
    if (count > HISTORY_TEXTS) refuse("MalformedMessage", "too many texts");
    if (content.length - at < 4) refuse("MalformedMessage", "half a length");
    const length = readBigEndian(content.subarray(at, at + 4));
    if (length < 1 || length > HISTORY_ITEM_SIZE) refuse("MalformedMessage", "a length that no item has");
    at += 4 + Number(length);
    if (at > content.length) refuse("MalformedMessage", "an item that is cut short");
    yield content.subarray(at - Number(length), at);
  }
}

const elements = (item, count) => typed.array(cbor.decode(item, { nesting: 1, items: 1 + count }), count);

function decodeHead(item) {
  const [label, groupId, entry, entryHash] = elements(item, 4);
  if (typed.text(label) !== LABEL) refuse("MalformedMessage", "another label");
  return { groupId: typed.bytes(groupId, 16), entry: typed.integer(entry, 1, U32), entryHash: typed.bytes(entryHash, 32) };
}

function decodeTold(item) {
  const [userId, time, text] = elements(item, 3);
  return { userId: typed.bytes(userId, 32), time: typed.u32(time), text: typed.bytes(text, 0, PLAINTEXT_SIZE) };
}

/** The texts of a history that `author` sealed, by what the receiver has on record. Ids are sets of hexadecimal. */
export function readHistory(content, author, { groupId, entries, givers, writers }) {
  if (!givers.has(toHex(author))) refuse("InvalidGroupHistory", "sealed by somebody else");
  const [first, ...rest] = items(content);
  if (first === undefined) refuse("MalformedMessage", "no head");
  const head = decodeHead(first);
  if (!equal(head.groupId, groupId)) refuse("InvalidGroupHistory", "another group");
  const known = entries.get(head.entry);
  if (known === undefined || !equal(known, head.entryHash)) refuse("InvalidGroupHistory", "another log");
  return rest.map(decodeTold).map((told) => {
    if (!writers.has(toHex(told.userId))) refuse("InvalidGroupHistory", "an author who could not write");
    return { ...told, byGiver: equal(told.userId, author) };
  });
}
