// History archives: the items of an application, as a stream of frames of one size. [USR-44]

import { ascii, bigEndian, concat, equal, readBigEndian } from "./bytes.js";
import { refuse } from "./errors.js";
import { PLAINTEXT_SIZE } from "./limits.js";
import * as secretstream from "./secretstream.js";

export const MARK = ascii("letterlock-v1 history archive\n");
const ID_SIZE = 16;
const FRAME_TEXT = 65_536;
const FRAME_SIZE = FRAME_TEXT + secretstream.OVERHEAD;
const START_SIZE = MARK.length + ID_SIZE + secretstream.HEADER_SIZE;
const END = new Uint8Array(4).fill(0xff);

function malformed(problem) {
  refuse("MalformedMessage", problem);
}

function frames(data, { key, archiveId }) {
  if (data.length < START_SIZE) malformed("no beginning of an archive");
  const associated = data.slice(0, MARK.length + ID_SIZE);
  if (!equal(associated, concat(MARK, archiveId))) malformed("another archive, or something else");
  let state = secretstream.begin(key, data.slice(associated.length, START_SIZE));
  const texts = [];
  let tag = null;
  for (let at = START_SIZE; at < data.length; at += FRAME_SIZE) {
    if (tag === secretstream.FINAL) malformed("bytes after the last frame");
    if (data.length - at < FRAME_SIZE) malformed("a frame that was cut");
    const opened = secretstream.pull(state, data.slice(at, at + FRAME_SIZE), associated);
    ({ state, tag } = opened);
    if (tag !== secretstream.MESSAGE && tag !== secretstream.FINAL) malformed("a frame with another tag");
    texts.push(opened.text);
  }
  if (tag !== secretstream.FINAL) malformed("an archive without its last frame");
  return texts;
}

/** Return the items of a whole archive. */
export function read(data, { key, archiveId }) {
  const text = concat(...frames(data, { key, archiveId }));
  const items = [];
  let at = 0;
  for (;;) {
    if (text.length - at < END.length) malformed("a text without its end");
    const head = text.slice(at, at + END.length);
    at += END.length;
    if (equal(head, END)) break;
    const length = Number(readBigEndian(head));
    if (length > PLAINTEXT_SIZE) malformed("an item that is too long");
    if (text.length - at < length) malformed("an item that is not whole");
    items.push(text.slice(at, at + length));
    at += length;
  }
  if (text.length - at >= FRAME_TEXT || text.slice(at).some((byte) => byte !== 0)) malformed("something after the end");
  return items;
}

/** Return the archive of items. */
export function seal(items, { key, archiveId }, header) {
  const associated = concat(MARK, archiveId);
  const text = concat(...items.flatMap((item) => [bigEndian(item.length, 4), item]), END);
  const parts = [associated, header];
  let state = secretstream.begin(key, header);
  for (let at = 0; at < text.length; at += FRAME_TEXT) {
    const padded = concat(text.slice(at, at + FRAME_TEXT), new Uint8Array(Math.max(0, at + FRAME_TEXT - text.length)));
    const tag = at + FRAME_TEXT >= text.length ? secretstream.FINAL : secretstream.MESSAGE;
    const made = secretstream.push(state, padded, associated, tag);
    state = made.state;
    parts.push(made.frame);
  }
  return concat(...parts);
}
