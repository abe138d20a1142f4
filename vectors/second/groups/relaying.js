// What a relay answers about the texts of a group, by the group's log: null, or the code and number of an error.
// Not here: bodies (relay.js), databases.

import { equal, toHex } from "../bytes.js";
import { OF_GROUP, USER } from "../documents/entry.js";
import { Refusal } from "../errors.js";
import { decodeText } from "./text.js";

const WRITER = 2;
const UNKNOWN = { code: 2, number: 1 }; // the caller is known, and what it names is not there
const REFUSED = { code: 9, number: 0 };

const memberOf = (log, userId) => (log?.kind === OF_GROUP ? log.members.get(`${USER} ${toHex(userId)}`) : undefined);

function textOf(data) {
  try {
    return decodeText(data);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Say whether a text of the caller is stored. [RLY-46] */
export function answerToText(log, caller, data) {
  const text = textOf(data);
  if (text === null) return REFUSED;
  const { sender } = text;
  if (!equal(sender.userId, caller.userId) || sender.deviceId !== caller.deviceId) return REFUSED;
  const member = memberOf(log, sender.userId);
  if (member === undefined) return UNKNOWN;
  if (member.role < WRITER) return REFUSED;
  if (text.entry !== log.number) return { code: 3, number: log.number };
  const mayBeWritten = log.phase === "open" || log.phase === "parted";
  return text.epoch === log.epoch && mayBeWritten ? null : REFUSED;
}

/** Say whether the texts are shown to a user. [RLY-48] */
export const answerToReader = (log, userId) => (memberOf(log, userId) === undefined ? UNKNOWN : null);
