// Tickets: server 1 evaluates only what server 2 has let through. [REC-15]

import { ed25519 } from "@noble/curves/ed25519.js";
import { ascii, bigEndian, concat, readBigEndian } from "../bytes.js";
import * as cbor from "../cbor.js";
import { checkEdwards } from "../composite.js";
import { Refusal, refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import { TICKET_SECONDS, TICKET_SLACK } from "../limits.js";
import { verifyEdwards } from "../xeddsa.js";
import { decode } from "./bodies.js";

const LABEL = ascii("letterlock-v1 ticket of a recovery");
const END = 4;

const covered = ({ user_id: userId, lock_id: lockId }, companion, end) => concat(LABEL, cbor.encode([userId, lockId, companion, end]));

/** Return the ticket for a request to server 2, or null if it names no input of server 1. */
export function sign(seed, data, now) {
  const request = decode("evaluate", data);
  if (request.companion === null) return null;
  const end = now + TICKET_SECONDS;
  return concat(bigEndian(end, END), ed25519.sign(covered(request, request.companion, end), seed));
}

/** Check the ticket in a request to server 1. */
export function check(key, data, now) {
  checkEdwards(key);
  const request = decode("evaluate", data);
  const ticket = request.ticket ?? new Uint8Array(END);
  const end = Number(readBigEndian(ticket.slice(0, END)));
  const inTime = end >= now - TICKET_SLACK && end <= now + TICKET_SECONDS + TICKET_SLACK;
  if (!inTime) refuse("RecoveryRefused", "no ticket, or one of another time");
  try {
    verifyEdwards(key, covered(request, sha256(request.blinded), end), ticket.slice(END));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse("RecoveryRefused", "a ticket that is not for this input");
  }
}
