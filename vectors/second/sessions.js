// The sessions with one peer: an ordered list, the active one first. Every function returns a new list.
//
// A session has: suite, born (greater in each later session), yields (messages for which it waits before no session that crossed it
// can take its place), associatedData, repeatedHeader (the header bytes of our initial message until it is answered, else
// null), handshakeId (of the peer's initial message; null if we initiated), promoteNext, ratchet (the double one; in suite 2 with the
// skipped keys of both), pqState ({sparse, braid} in suite 2, else null). A session that ended has null for both. [PQR-5]
// Not here: identity keys and prekeys (account.js).

import { compare, concat, equal } from "./bytes.js";
import * as cbor from "./cbor.js";
import { Refusal, refuse } from "./errors.js";
import { ARCHIVED, CROSSED, PQXDH, TRIAL_STEPS } from "./limits.js";
import * as ratchet from "./ratchet.js";
import * as triple from "./triple.js";

export function initiated({ suite, associatedData, headerBytes, signedPrekey, secret }, ours) {
  const begun = (suite === PQXDH ? triple : ratchet).initiator(secret, signedPrekey, ours);
  return moved({ suite, associatedData, repeatedHeader: headerBytes, handshakeId: null, promoteNext: false, yields: 0 }, begun);
}

/** Begin the session of a peer's initial message. Returns the session and the plaintext of that message. */
export function answered({ suite, associatedData, handshakeId, secret, signedPrekey }, message) {
  if (message.previousLength !== 0) refuse("AuthenticationFailed", "a first message of a later chain"); // [SES-15]
  const begun = (suite === PQXDH ? triple : ratchet).recipient(secret, signedPrekey);
  const session = moved({ suite, associatedData, repeatedHeader: null, handshakeId, promoteNext: false, yields: 0 }, begun);
  const { state, plaintext } = receive(session, message);
  return { session: moved(session, state), plaintext };
}

/** Return the session with another ratchet state. */
function moved(session, state) {
  if (state === null) return { ...session, repeatedHeader: null, promoteNext: false, yields: 0, ratchet: null, pqState: null };
  if (session.suite !== PQXDH) return { ...session, ratchet: state, pqState: null };
  const { double, ...pqState } = state;
  return { ...session, ratchet: double, pqState };
}

const hasEnded = (session) => session.ratchet === null;
const tripleOf = ({ ratchet: double, pqState }) => ({ double, ...pqState });

function receive(session, message) {
  if (session.suite === PQXDH) return triple.receive(tripleOf(session), session.associatedData, message);
  return ratchet.receive(session.ratchet, session.associatedData, message);
}

/** Return how many chain steps it takes to try a message. */
function cost(session, message) {
  if (session.suite !== PQXDH || message.pqHeader === undefined) return message.number;
  return triple.cost(tripleOf(session), message);
}

function send(session, given) {
  if (session.suite !== PQXDH) return ratchet.send(session.ratchet, given);
  return triple.send(tripleOf(session), { ...given, headerLength: session.repeatedHeader === null ? 0 : session.repeatedHeader.length });
}

/** Put a new session first, or behind the active one if that is of a stronger suite [SES-11]. Delete those beyond the limit. [SES-5] */
export function add(all, suites, begun) {
  const kept = all.slice(0, ARCHIVED);
  const [active] = usable(kept, suites);
  const both = begun.repeatedHeader === null && active !== undefined && active.repeatedHeader !== null;
  const session = { ...begun, born: 1 + Math.max(0, ...all.map((one) => one.born)), yields: both ? CROSSED : 0 }; // [SES-12]
  if (!isWeaker(kept, suites, session)) return [session, ...kept.filter((one) => one !== active || !hasEnded(one))];
  return [active, session, ...kept.filter((one) => one !== active)];
}

/** Return whether the active session is of a stronger suite. [SES-11] */
export function isWeaker(all, suites, session) {
  const [active] = usable(all, suites);
  return active !== undefined && session.suite < active.suite;
}

/** Return the sessions of allowed suites. The others are kept, but ignored. [SES-8] One that ended counts only as the active one. */
function usable(all, suites) {
  return all.filter((session) => suites.includes(session.suite)).filter((session, at) => at === 0 || !hasEnded(session));
}

export function begunBy(all, suites, handshakeId) {
  return usable(all, suites).find((one) => one.handshakeId !== null && equal(one.handshakeId, handshakeId));
}

export function encrypt(all, suites, { plaintext, nonce, fresh, draw }) {
  const [active] = usable(all, suites);
  if (active === undefined) refuse("NoSession", "no session with this address");
  if (hasEnded(active)) refuse("SessionEnded", "the session ended");
  const { associatedData, repeatedHeader } = active;
  const { state, message } = send(active, { associatedData, plaintext, nonce, fresh, draw });
  const sent = all.map((session) => (session === active ? moved(active, state) : session));
  return { sessions: sent, message: repeatedHeader === null ? message : concat(repeatedHeader, cbor.encode(message)) };
}

function decryptIn(all, suites, session, message, isRepeat) {
  const { state, plaintext, late } = receive(session, message);
  const firstChain = session.handshakeId !== null && message.previousLength === 0;
  if (firstChain !== isRepeat) refuse("AuthenticationFailed", "a handshake that was stripped or added"); // [SES-15]
  return { sessions: authenticated(all, suites, session, { state, late, isRepeat }), plaintext };
}

/** Decrypt a ratchet or triple message in the session that it belongs to, which must be one of `among`. [SES-3] */
export function decrypt(all, suites, message, among = all) {
  const isRepeat = among !== all;
  const waiting = among.find((session) => !hasEnded(session) && ratchet.hasSkipped(session.ratchet, message));
  if (waiting !== undefined) return decryptLate(all, suites, waiting, message, isRepeat);
  const candidates = usable(among, suites);
  if (candidates.length === 0) refuse("UnknownSession", "no session with this address");
  return tryEach(all, suites, message, candidates, isRepeat);
}

/** Decrypt with the skipped key. A session of a suite that is not allowed keeps the key unused. */
function decryptLate(all, suites, session, message, isRepeat) {
  if (!suites.includes(session.suite)) refuse("AuthenticationFailed", "the session may not be used"); // [SES-8]
  return decryptIn(all, suites, session, message, isRepeat);
}

/** Try the active session, then the one whose receiving chain has this ratchet key, or else the others in order. */
function tryEach(all, suites, message, [active, ...others], isRepeat) {
  const { ratchetKey } = message;
  const tried = hasEnded(active) ? [] : [active];
  const hearing = others.find((session) => ratchet.hears(session.ratchet, ratchetKey));
  let first = null;
  let left = TRIAL_STEPS;
  for (const session of [...tried, ...(hearing === undefined ? others : [hearing])]) {
    if (ratchet.hears(session.ratchet, ratchetKey)) return decryptIn(all, suites, session, message, isRepeat);
    if (ratchet.hasFinished(session.ratchet, ratchetKey)) refuse("DuplicateMessage", "of a finished chain");
    try {
      const steps = cost(session, message);
      if (steps > left) refuse("TooManySkipped", "too many sessions to try"); // [SES-9]
      left -= steps;
      return decryptIn(all, suites, session, message, isRepeat);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      first ??= error;
    }
  }
  if (first === null || hasEnded(active)) refuse("AuthenticationFailed", "the session ended");
  throw first;
}

/** Return the sessions in their order after a message has authenticated. */
function authenticated(all, suites, session, { state, late, isRepeat }) {
  const [active] = usable(all, suites);
  const inPlace = (committed) => all.map((one) => (one === session ? committed : one));
  if (state === null) return session === active ? inPlace(moved(session, null)) : all.filter((one) => one !== session);
  const next = { ...moved(session, state), repeatedHeader: null };
  if (late) return inPlace(next);
  next.yields = isRepeat ? next.yields : Math.max(0, next.yields - 1); // [SES-12]
  const place = session === active ? "stays" : placeOf(active, session);
  if (place === "deferred") return inPlace({ ...next, promoteNext: true });
  next.promoteNext = false;
  const superseded = (one) => one === session || (one === active && hasEnded(one));
  return place === "first" ? [next, ...all.filter((one) => !superseded(one))] : inPlace(next);
}

/** Return whether a session that was not answered has been used. */
const hasSent = ({ ratchet: double }) => double.sending.next > 0;

/** Return what becomes of an archived session in which a message has authenticated. [SES-4] [SES-11] [SES-12] */
function placeOf(active, archived) {
  if (archived.suite < active.suite) return "stays";
  const isLater = archived.suite > active.suite || archived.born > active.born;
  if (active.repeatedHeader !== null && !isLater) return hasSent(active) ? "first" : "deferred";
  const later = isLater ? archived : active;
  const crossed = archived.suite === active.suite && (active.handshakeId === null) !== (archived.handshakeId === null);
  if (crossed && later.yields > 0) {
    const preferred = compare(active.associatedData, archived.associatedData) < 0;
    return preferred && !archived.promoteNext ? "deferred" : "first";
  }
  return isLater ? "first" : "stays";
}
