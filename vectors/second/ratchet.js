// The double ratchet: (state, input) -> (new state, output). No state is ever changed in place. [RAT-6]
//
// A state has: name, root, ours {private, public}, theirs (the peer's ratchet key; in Opening the signed prekey),
// sending {key, next}, receiving {key, next}, previous (PN), skipped (a map from slot to message key, oldest first)
// and past (the ratchet keys that headed finished chains).
// Not here: sealing, and which of several sessions a message belongs to (sessions.js).

import { equal, toHex } from "./bytes.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import * as kdf from "./kdf.js";
import { SKIP, SKIPPED_KEPT, U32 } from "./limits.js";
import * as sealing from "./sealing.js";

export const WAITING = "Waiting";
export const OPENING = "Unanswered";
export const HEARING = "Hearing";
export const SPEAKING = "Speaking";

const EMPTY = { sending: null, receiving: null, previous: 0, skipped: new Map(), past: new Set() };

export function initiator(secret, signedPrekey, ours) {
  const step = kdf.root(secret, curve.agree(ours.private, signedPrekey));
  const sending = { key: step.chain, next: 0 };
  return { ...EMPTY, name: OPENING, root: step.root, ours, theirs: signedPrekey, sending };
}

export function recipient(secret, signedPrekey) {
  return { ...EMPTY, name: WAITING, root: secret, ours: signedPrekey, theirs: null };
}

/** The header and key of the next message. `fresh` makes a key pair, and is called only if one is due. */
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

/** Whether this ratchet key is at the head of the receiving chain. */
export function hears(state, ratchetKey) {
  return state.receiving !== null && equal(state.theirs, ratchetKey);
}

/** Whether the key headed a chain that is finished, or one of which a skipped key is kept. */
export function hasFinished(state, ratchetKey) {
  const named = toHex(ratchetKey);
  return state.past.has(named) || [...state.skipped.keys()].some((place) => place.startsWith(named));
}

/** Open a decoded ratchet message: the new state, the plaintext, and whether it was a late one. */
export function receive(state, associatedData, message) {
  if (message.part !== undefined) refuse("AuthenticationFailed", "a triple message"); // [PQR-8]
  const { key, late, settle } = keyOf(state, message);
  const plaintext = sealing.open(key, associatedData, message);
  const settled = settle();
  return { state: { ...settled.state, skipped: keep(state.skipped, [settled], SKIPPED_KEPT) }, plaintext, late };
}

/** The key of a message that came, and `settle`, for after its tag has verified: the new state, and what to keep and delete. */
export function keyOf(state, message) {
  check(state, message);
  if (hasSkipped(state, message)) {
    const place = slot(message.ratchetKey, message.number);
    return { key: state.skipped.get(place), late: true, settle: () => ({ state, used: place, passed: [] }) };
  }
  const known = hears(state, message.ratchetKey);
  const ready = known ? state : hear(state, message);
  const passed = skipTo(ready, message.number);
  const { chain, message: key } = kdf.chain(passed.key);
  const settle = () => {
    // The rest of a finished chain is not derived before the tag has verified. [RAT-11]
    const finished = known || state.receiving === null ? [] : skipTo(state, message.previousLength).keys;
    const receiving = { key: chain, next: message.number + 1 };
    return { state: { ...ready, receiving }, used: null, passed: [...finished, ...passed.keys] };
  };
  return { key, late: false, settle };
}

/** The kept keys after a message; at most so many are kept, the oldest go. [RAT-7] */
export function keep(skipped, changes, most) {
  const kept = new Map([...skipped, ...changes.flatMap(({ passed }) => passed)]);
  for (const { used } of changes) kept.delete(used);
  return kept.size > most ? new Map([...kept].slice(kept.size - most)) : kept;
}

/** Everything that can be refused without an agreement or a derivation. */
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
  if (state.name === OPENING && equal(ratchetKey, state.theirs)) {
    refuse("AuthenticationFailed", "the signed prekey heads no chain"); // [RAT-3]
  }
  if (state.name === HEARING) refuse("AuthenticationFailed", "a new key before ours was used"); // [RAT-4]
  const missing = state.receiving === null ? 0 : previousLength - state.receiving.next;
  if (missing > SKIP || number > SKIP) refuse("TooManySkipped", "too far ahead"); // [RAT-5]
}

/** The state in which the receiving chain of a new key begins. */
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

/** The receiving chain's key at `number`, and the slots and message keys that were passed. */
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
