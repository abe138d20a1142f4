// What a relay answers about the texts of a group, by the group's log: null, or the code and number of an error.
// And the texts that it keeps. Not here: bodies (relay.js).

import { equal, toHex } from "../bytes.js";
import { OF_GROUP, USER } from "../documents/entry.js";
import { Refusal } from "../errors.js";
import { sha256 } from "../kdf.js";
import { decodeText } from "./text.js";

const WRITER = 2;
const UNKNOWN = { code: 2, number: 1 }; // the caller is known, and what it names is not there
const REFUSED = { code: 9, number: 0 };
const FULL = { code: 8, number: 0 };
const MEMBERS_PART = 4; // a member gets a quarter of the room
const MOST_SHOWN = 100;

const memberOf = (log, userId) => (log?.kind === OF_GROUP ? log.members.get(`${USER} ${toHex(userId)}`) : undefined);

function textOf(data) {
  try {
    return decodeText(data);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function isOf(text, { userId, deviceId }) {
  return text !== null && equal(text.sender.userId, userId) && text.sender.deviceId === deviceId;
}

/** Say whether a text of the caller is stored. [RLY-46] */
export function answerToText(log, caller, data) {
  const text = textOf(data);
  if (!isOf(text, caller)) return REFUSED;
  const { sender } = text;
  const member = memberOf(log, sender.userId);
  if (member === undefined) return UNKNOWN;
  if (member.role < WRITER) return REFUSED;
  if (text.entry !== log.number) return { code: 3, number: log.number };
  const mayBeWritten = log.phase === "open" || log.phase === "parted";
  return text.epoch === log.epoch && mayBeWritten ? null : REFUSED;
}

/** Say whether the texts are shown to a user. [RLY-48] */
export const answerToReader = (log, userId) => (memberOf(log, userId) === undefined ? UNKNOWN : null);

const sizeOf = (texts) => texts.reduce((total, { data }) => total + data.length, 0);
const hasRoom = (texts, room, data) => texts.length < room.texts && sizeOf(texts) + data.length <= room.bytes;

/** The texts of one group at a relay that has room for so many texts and bytes. */
export class KeptTexts {
  constructor({ texts, bytes }) {
    this.room = { texts, bytes };
    this.part = { texts: Math.floor(texts / MEMBERS_PART), bytes: Math.floor(bytes / MEMBERS_PART) };
    this.kept = []; // the number of a text is its place, from 1
  }

  /** Take a text of the caller: {stored}, or the code and number of an error. */
  send(log, caller, data) {
    if (!isOf(textOf(data), caller)) return REFUSED;
    const hash = toHex(sha256(data));
    const known = this.kept.findIndex((each) => each.hash === hash);
    if (known >= 0) return { stored: known + 1 }; // [RLY-47]
    const refused = answerToText(log, caller, data);
    if (refused !== null) return refused;
    const user = toHex(caller.userId);
    const ofMember = this.kept.filter((each) => each.user === user);
    if (!hasRoom(this.kept, this.room, data) || !hasRoom(ofMember, this.part, data)) return FULL; // [RLY-50]
    this.kept.push({ hash, user, data });
    return { stored: this.kept.length };
  }

  /** Show what follows a number. */
  after(number) {
    const texts = this.kept.map(({ hash }, at) => [at + 1, hash]).slice(number, number + MOST_SHOWN);
    return { newest: this.kept.length, texts };
  }
}
