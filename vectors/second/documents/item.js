// Items of a session: small texts under one key. [DOC-46] [DOC-47]

import { hmac as nobleHmac } from "@noble/hashes/hmac.js";
import { sha512 } from "@noble/hashes/sha2.js";
import * as aead from "../aead.js";
import { ascii, concat, equal } from "../bytes.js";
import { refuse } from "../errors.js";
import { ITEM_SIZE } from "../limits.js";

const LABEL = ascii("letterlock-v1 item of a session");
const FORMAT = Uint8Array.of(1);
const NONCE = new Uint8Array(12);
const TEXT_AT = 65;
const LEAST = TEXT_AT + 32 + 16;
const STEP = 32;
const MARK = 0x80;

const keysOf = (key, itemId) => nobleHmac(sha512, key, concat(LABEL, itemId));

export function seal(key, session, itemId, content) {
  const both = keysOf(key, itemId);
  const text = new Uint8Array(Math.ceil((content.length + 1) / STEP) * STEP);
  text.set(content);
  text[content.length] = MARK;
  const head = concat(FORMAT, session, itemId, both.slice(32));
  return concat(head, aead.seal(both.slice(0, 32), NONCE, text, head));
}

function unpad(text) {
  let end = text.length - 1;
  while (end >= 0 && text[end] === 0) end -= 1;
  const sound = end >= 0 && text[end] === MARK && Math.ceil((end + 1) / STEP) * STEP === text.length && end <= ITEM_SIZE;
  return sound ? text.slice(0, end) : refuse("MalformedMessage", "another padding of an item");
}

export function open(key, item) {
  const most = TEXT_AT + Math.ceil((ITEM_SIZE + 1) / STEP) * STEP + 16;
  if (item.length < LEAST || item.length > most || item[0] !== FORMAT[0]) refuse("MalformedMessage", "not an item");
  const both = keysOf(key, item.slice(17, 33));
  if (!equal(both.slice(32), item.slice(33, TEXT_AT))) refuse("AuthenticationFailed", "the item is under another key");
  return unpad(aead.open(both.slice(0, 32), NONCE, item.slice(TEXT_AT), item.slice(0, TEXT_AT)));
}
