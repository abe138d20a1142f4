// The double ratchet: (state, input) -> (new state, output). No state is changed in place. [RAT-6]
//
// A state has: name, root, ours {private, public}, theirs (the peer's ratchet key; in Unanswered the signed prekey),
// sending {key, next}, receiving {key, next}, previous (PN), skipped (a map from slot to message key, oldest first)
// and past (the ratchet keys of finished chains).
// Not here: sealing, and which of several sessions a message belongs to (sessions.js).

import { equal, toHex } from "./bytes.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import * as kdf from "./kdf.js";
import { SKIP, SKIPPED_KEPT, U32 } from "./limits.js";
import * as sealing from "./sealing.js";

export const WAITING = "Waiting";
export const UNANSWERED = "Unanswered";
export const HEARING = "Hearing";
export const SPEAKING = "Speaking";

const EMPTY = { sending: null, receiving: null, previous: 0, skipped: new Map(), past: new Set() };

export function initiator(secret, signedPrekey, ours) {
  const step = kdf.root(secret, curve.agree(ours.private, signedPrekey));
  const sending = { key: step.chain, next: 0 };
  return { ...EMPTY, name: UNANSWERED, root: step.root, ours, theirs: signedPrekey, sending };
}

export function recipient(secret, signedPrekey) {
  return { ...EMPTY, name: WAITING, root: secret, ours: signedPrekey, theirs: null };
}

/** Return header and key of the next message. `fresh` makes a key pair and is called only if one is needed. */
export function step(state, fresh) {
  if (state.name === WAITING) refuse("UsageError", "nothing can be sent before something was received");
  const ready = state.name === HEARING ? speak(state, fresh()) : state;
  const { key, next } = ready.sending;
  if (next >= U32) refuse("UsageError", "this chain has no number left"); // [RAT-10]
  const { chain, message } = kdf.chain(key);
  const header = { ratchetKey: ready.ours.public, previousLength: ready.previous, number: next };
  return { state: { ...ready, sending: { key: chain, next: next + 1 } }, header, key: message };
}

/** Seal one message. */
export function send(state, { associatedData, plaintext, nonce, fresh }) {
  const stepped = step(state, fresh);
  const message = sealing.seal(stepped.key, associatedData, stepped.header, plaintext, nonce);
  return { state: stepped.state, message };
}

function speak(state, ours) {
  const step = kdf.root(state.root, curve.agree(ours.private, state.theirs));
  return { ...state, name: SPEAKING, root: step.root, ours, sending: { key: step.chain, next: 0 } };
}

function slot(ratchetKey, number) {
  return `${toHex(ratchetKey)} ${number}`;
}

export function hasSkipped(state, { ratchetKey, number }) {
  return state.skipped.has(slot(ratchetKey, number));
}

/** Return whether the receiving chain belongs to this ratchet key. */
export function hears(state, ratchetKey) {
  return state.receiving !== null && equal(state.theirs, ratchetKey);
}

/** Return whether the ratchet key belongs to a finished chain, or to one with skipped keys. */
export function hasFinished(state, ratchetKey) {
  const named = toHex(ratchetKey);
  return state.past.has(named) || [...state.skipped.keys()].some((place) => place.startsWith(named));
}

/** Open a decoded ratchet message. Returns the new state, the plaintext, and whether a skipped key was used. */
export function receive(state, associatedData, message) {
  if (message.pqHeader !== undefined) refuse("AuthenticationFailed", "a triple message"); // [PQR-8]
  const { key, late, commit } = findMessageKey(state, message);
  const plaintext = sealing.open(key, associatedData, message);
  const committed = commit();
  return { state: { ...committed.state, skipped: keep(state.skipped, [committed], SKIPPED_KEPT) }, plaintext, late };
}

/**
 * Find the key of a received message. Call `commit` after its tag has verified: it returns the new state and the skipped
 * keys to store and to delete.
 */
export function findMessageKey(state, message) {
  check(state, message);
  if (hasSkipped(state, message)) {
    const place = slot(message.ratchetKey, message.number);
    return { key: state.skipped.get(place), late: true, commit: () => ({ state, used: place, passed: [] }) };
  }
  const known = hears(state, message.ratchetKey);
  const ready = known ? state : hear(state, message);
  const passed = skipTo(ready, message.number);
  const { chain, message: key } = kdf.chain(passed.key);
  const commit = () => {
    // Derive the rest of a finished chain only after the tag has verified. [RAT-11]
    const finished = known || state.receiving === null ? [] : skipTo(state, message.previousLength).keys;
    const receiving = { key: chain, next: message.number + 1 };
    return { state: { ...ready, receiving }, used: null, passed: [...finished, ...passed.keys] };
  };
  return { key, late: false, commit };
}

/** Return the skipped keys after a message. Above the limit `most`, the oldest are deleted. [RAT-7] */
export function keep(skipped, changes, most) {
  const kept = new Map([...skipped, ...changes.flatMap(({ passed }) => passed)]);
  for (const { used } of changes) kept.delete(used);
  return kept.size > most ? new Map([...kept].slice(kept.size - most)) : kept;
}

/** Refuse all that can be refused without an agreement or a derivation. */
export function check(state, message) {
  if (!hasSkipped(state, message)) checkHeader(state, message);
}

function checkHeader(state, { ratchetKey, previousLength, number }) {
  if (hears(state, ratchetKey)) {
    if (number >= U32) refuse("AuthenticationFailed", "a number that no message has"); // [RAT-10]
    if (number < state.receiving.next) refuse("DuplicateMessage", "received before, or given up"); // [RAT-9]
    if (number - state.receiving.next > SKIP) refuse("TooManySkipped", "too far ahead"); // [RAT-5]
    return;
  }
  if (hasFinished(state, ratchetKey)) refuse("DuplicateMessage", "of a finished chain"); // [RAT-9]
  if (state.name === UNANSWERED && equal(ratchetKey, state.theirs)) {
    refuse("AuthenticationFailed", "the signed prekey has no chain"); // [RAT-3]
  }
  if (state.name === HEARING) refuse("AuthenticationFailed", "a new key before ours was used"); // [RAT-4]
  const missing = state.receiving === null ? 0 : previousLength - state.receiving.next;
  if (missing > SKIP || number > SKIP) refuse("TooManySkipped", "too far ahead"); // [RAT-5]
}

/** Return the state at the beginning of the receiving chain of a new key. */
function hear(state, { ratchetKey }) {
  const past = new Set(state.past);
  if (state.receiving !== null) past.add(toHex(state.theirs));
  const step = kdf.root(state.root, curve.agree(state.ours.private, ratchetKey));
  return {
    name: HEARING,
    root: step.root,
    ours: null,
    theirs: ratchetKey,
    sending: null,
    receiving: { key: step.chain, next: 0 },
    previous: state.sending === null ? 0 : state.sending.next,
    skipped: state.skipped,
    past,
  };
}

/** Return the receiving chain's key at `number`, and the slots and message keys before it. */
function skipTo(state, number) {
  let { key, next } = state.receiving;
  const keys = [];
  while (next < number) {
    const step = kdf.chain(key);
    keys.push([slot(state.theirs, next), step.message]);
    key = step.chain;
    next += 1;
  }
  return { key, keys };
}
