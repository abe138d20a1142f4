// The sessions with one peer: an ordered list, the active one first. Every function answers a new list.
//
// A session has: suite, associatedData, repeat (the *opened* bytes of our initial message until it is answered, else
// null), handshakeId (of the peer's initial message; null if we initiated), promote_next, ratchet (the double one; in suite 2 with the
// skipped keys of both), beside ({sparse, braid} in suite 2, else null).
// Not here: identity keys and prekeys (account.js).

import { compare, concat, equal } from "./bytes.js";
import * as cbor from "./cbor.js";
import { Refusal, refuse } from "./errors.js";
import { ARCHIVED, PQXDH, TRIAL_STEPS } from "./limits.js";
import * as ratchet from "./ratchet.js";
import * as triple from "./triple.js";

export function initiated({ suite, associatedData, opened, signedPrekey, secret }, ours) {
  const begun = (suite === PQXDH ? triple : ratchet).initiator(secret, signedPrekey, ours);
  return moved({ suite, associatedData, repeat: opened, handshakeId: null, promote_next: false }, begun);
}

/** A session that the peer's first message begins, already open, with what that message said. */
export function answered({ suite, associatedData, handshakeId, secret, signedPrekey }, message) {
  const begun = (suite === PQXDH ? triple : ratchet).recipient(secret, signedPrekey);
  const session = moved({ suite, associatedData, repeat: null, handshakeId, promote_next: false }, begun);
  const { state, plaintext } = receive(session, message);
  return { session: moved(session, state), plaintext };
}

/** The session in another state of its ratchet, or ratchets. */
function moved(session, state) {
  if (session.suite !== PQXDH) return { ...session, ratchet: state, beside: null };
  const { double, ...beside } = state;
  return { ...session, ratchet: double, beside };
}

const tripleOf = ({ ratchet: double, beside }) => ({ double, ...beside });

function receive(session, message) {
  if (session.suite === PQXDH) return triple.receive(tripleOf(session), session.associatedData, message);
  return ratchet.receive(session.ratchet, session.associatedData, message);
}

/** How many steps it takes to try a message. */
function cost(session, message) {
  if (session.suite !== PQXDH || message.part === undefined) return message.number;
  return triple.cost(tripleOf(session), message);
}

function send(session, given) {
  if (session.suite !== PQXDH) return ratchet.send(session.ratchet, given);
  return triple.send(tripleOf(session), { ...given, around: session.repeat === null ? 0 : session.repeat.length });
}

/** Put a new session first; what falls off the end is gone with its keys. [SES-5] */
export function add(all, session) {
  return [session, ...all].slice(0, 1 + ARCHIVED);
}

/** Sessions of other suites are kept, and as if they were not there. [SES-8] */
function usable(all, suites) {
  return all.filter((session) => suites.includes(session.suite));
}

export function begunBy(all, suites, handshakeId) {
  return usable(all, suites).find((one) => one.handshakeId !== null && equal(one.handshakeId, handshakeId));
}

export function encrypt(all, suites, { plaintext, nonce, fresh, draw }) {
  const [active] = usable(all, suites);
  if (active === undefined) refuse("NoSession", "no session with this address");
  const { associatedData, repeat } = active;
  const { state, message } = send(active, { associatedData, plaintext, nonce, fresh, draw });
  const sent = all.map((session) => (session === active ? moved(active, state) : session));
  return { sessions: sent, message: repeat === null ? message : concat(repeat, cbor.encode(message)) };
}

function decryptIn(all, suites, session, message) {
  const { state, plaintext, late } = receive(session, message);
  return { sessions: authenticated(all, suites, session, { state, late }), plaintext };
}

/** Open a ratchet or triple message in the session that it belongs to; `among` are all sessions, or the one that may be used. [SES-3] */
export function decrypt(all, suites, message, among = all) {
  const waiting = among.find((session) => ratchet.hasSkipped(session.ratchet, message));
  if (waiting !== undefined) return decryptLate(all, suites, waiting, message);
  const candidates = usable(among, suites);
  if (candidates.length === 0) refuse("UnknownSession", "no session with this address");
  return tryEach(all, suites, message, candidates);
}

/** With the key that was kept for it, or not at all: a session of a suite that is not allowed keeps it, unused. */
function decryptLate(all, suites, session, message) {
  if (!suites.includes(session.suite)) refuse("AuthenticationFailed", "the session may not be used"); // [SES-8]
  return decryptIn(all, suites, session, message);
}

/** The active session is asked, then the one in which the key is at the head, or else the others in their order. */
function tryEach(all, suites, message, [active, ...others]) {
  const { ratchetKey } = message;
  const hearing = others.find((session) => ratchet.hears(session.ratchet, ratchetKey));
  let first = null;
  let left = TRIAL_STEPS;
  for (const session of [active, ...(hearing === undefined ? others : [hearing])]) {
    if (ratchet.hears(session.ratchet, ratchetKey)) return decryptIn(all, suites, session, message);
    if (ratchet.hasFinished(session.ratchet, ratchetKey)) refuse("DuplicateMessage", "of a finished chain");
    try {
      const steps = cost(session, message);
      if (steps > left) refuse("TooManySkipped", "too many sessions to try"); // [SES-9]
      left -= steps;
      return decryptIn(all, suites, session, message);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** What a message that authenticated does to the order of the sessions. */
function authenticated(all, suites, session, { state, late }) {
  const [active] = usable(all, suites);
  const next = { ...moved(session, state), repeat: null };
  const inPlace = (settled) => all.map((one) => (one === session ? settled : one));
  if (late || session === active) return inPlace(next);
  if (yields(active, session)) return inPlace({ ...next, promote_next: true });
  return [{ ...next, promote_next: false }, ...all.filter((one) => one !== session)];
}

/** Whether an archived session leaves the active one where it is, although it authenticated. [SES-4] */
function yields(active, session) {
  if (active.repeat !== null) return true;
  const crossed = (active.handshakeId === null) !== (session.handshakeId === null);
  return crossed && compare(active.associatedData, session.associatedData) < 0 && !session.promote_next;
}
