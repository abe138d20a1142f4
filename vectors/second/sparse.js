// The sparse ratchet's chains: (state, input) -> (new state, output).
//
// A state has: root, latest (epoch), sending and receiving {epoch, key, last (n of the last message), next (the first key of the
// next epoch's chain, or null)}, previous (length of our last sending chain) and initiator.
// The caller keeps skipped keys in a map from slot to key. Not here: where epoch secrets come from (braid.js).

import { ascii, bigEndian, concat } from "./bytes.js";
import { refuse } from "./errors.js";
import { hkdf, hmac } from "./kdf.js";
import { SKIP, U32 } from "./limits.js";

const START = ascii("letterlock-v1 pq chain start");
const ADD_EPOCH = ascii("letterlock-v1 pq chain add epoch");

/** RK || A2B || B2A, as our root, sending and receiving key. [PQR-1] */
function derive(salt, secret, label, initiator) {
  const all = hkdf(salt, secret, label, 96);
  const [there, back] = [all.slice(32, 64), all.slice(64)];
  return { root: all.slice(0, 32), send: initiator ? there : back, receive: initiator ? back : there };
}

export function start(secret, initiator) {
  const { root, send, receive } = derive(new Uint8Array(32), secret, START, initiator);
  const chain = (key) => ({ epoch: 0, key, last: 0, next: null });
  return { root, latest: 0, sending: chain(send), receiving: chain(receive), previous: 0, initiator };
}

export function addEpoch(state, epoch, secret) {
  const { sending, receiving } = state;
  if (epoch !== state.latest + 1) refuse("UsageError", "not the next epoch");
  if (sending.next !== null || receiving.next !== null) refuse("UsageError", "the previous epoch has not been used");
  const { root, send, receive } = derive(state.root, secret, ADD_EPOCH, state.initiator);
  return { ...state, root, latest: epoch, sending: { ...sending, next: send }, receiving: { ...receiving, next: receive } };
}

function step({ key, last, ...chain }) {
  const number = bigEndian(last + 1, 4);
  const message = hmac(key, concat(number, Uint8Array.of(1)));
  return { message, chain: { ...chain, key: hmac(key, concat(number, Uint8Array.of(2))), last: last + 1 } };
}

const begun = ({ epoch, next }) => ({ epoch: epoch + 1, key: next, last: 0, next: null });

/** Return the key of the next message in `epoch`. The first message of a new epoch ends the chain before it. */
export function send(state, epoch) {
  let { sending, previous } = state;
  if (epoch === sending.epoch + 1 && sending.next !== null) {
    previous = sending.last;
    sending = begun(sending);
  }
  if (epoch !== sending.epoch) refuse("UsageError", "no chain of this epoch");
  if (sending.last >= U32) refuse("UsageError", "this chain has no number left");
  const { message, chain } = step(sending);
  return { state: { ...state, sending: chain, previous }, number: chain.last, previous, key: message };
}

const slot = (epoch, number) => `sparse ${epoch} ${number}`;

/** Return how many chain steps it takes to try a message: none if its epoch has no chain. */
export function cost({ receiving }, { epoch, number }) {
  if (epoch === receiving.epoch) return Math.max(0, number - receiving.last);
  return epoch === receiving.epoch + 1 && receiving.next !== null ? number : 0;
}

/** Refuse all that can be refused without a derivation. */
export function check(state, kept, { epoch, number, previous }) {
  if (kept.has(slot(epoch, number))) return;
  const { receiving } = state;
  const fresh = epoch === receiving.epoch + 1 && receiving.next !== null;
  if (epoch > receiving.epoch && !fresh) refuse("AuthenticationFailed", "an epoch without a chain"); // [PQR-4]
  const last = fresh ? 0 : receiving.last;
  if (epoch < receiving.epoch || number <= last) refuse("DuplicateMessage", "received before, or given up"); // [RAT-9]
  if (number - last - 1 > SKIP) refuse("TooManySkipped", "too far ahead"); // [RAT-5]
  if (fresh && previous - receiving.last > SKIP) refuse("TooManySkipped", "too far ahead"); // [RAT-5]
}

/** Return the chain after message `last`, and the slots and keys of the messages that were skipped. */
function skip(chain, last) {
  let at = chain;
  const keys = [];
  while (at.last < last) {
    const { message, chain: next } = step(at);
    keys.push([slot(next.epoch, next.last), message]);
    at = next;
  }
  return { at, keys };
}

/** Find the key of a received message. `commit` is as in ratchet.js. */
export function findMessageKey(state, kept, message) {
  check(state, kept, message);
  const place = slot(message.epoch, message.number);
  if (kept.has(place)) return { key: kept.get(place), commit: () => ({ state, used: place, passed: [] }) };
  const known = message.epoch === state.receiving.epoch;
  const passed = skip(known ? state.receiving : begun(state.receiving), message.number - 1);
  const { message: key, chain } = step(passed.at);
  const commit = () => {
    // Derive the rest of an ended chain only now. [RAT-11]
    const finished = known ? [] : skip(state.receiving, message.previous).keys; // [PQR-3]
    return { state: { ...state, receiving: chain }, used: null, passed: [...finished, ...passed.keys] };
  };
  return { key, commit };
}
