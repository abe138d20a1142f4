// The braid: both sides agree on one ML-KEM secret in each epoch, codeword by codeword. (state, input) -> (new state, output).
//
// A state has: name, epoch, root and key (the authenticator's), and the fields of that state among: seed, m, header, ct1, ct2 (with its
// MAC), sending (the text), sent (the index of its next codeword), collected (a map from index to codeword).
// Not here: chains (sparse.js), the messages that carry the post-quantum headers (triple.js).

import { ascii, bigEndian, concat, equal } from "./bytes.js";
import * as erasure from "./erasure.js";
import { refuse, refusingAs } from "./errors.js";
import { hkdf, hmac } from "./kdf.js";
import * as kemSplit from "./kem-split.js";
import { SEED_SIZE } from "./kem.js";

export const STATES = [
  "KeysUnsampled", "KeysSampled", "HeaderSent", "Ct1Received", "EkSentCt1Received", "NoHeaderReceived", "HeaderReceived",
  "Ct1Sampled", "EkReceivedCt1Sampled", "Ct1Acknowledged", "Ct2Sampled",
];
export const [NONE, HDR, EK, EK_CT1_ACK, CT1_ACK, CT1, CT2] = [0, 1, 2, 3, 4, 5, 6];
export const TYPES = [NONE, HDR, EK, EK_CT1_ACK, CT1_ACK, CT1, CT2];
/** The types without codewords. */
export const BARE = [NONE, CT1_ACK];

const SENT = {
  KeysSampled: HDR, HeaderSent: EK, Ct1Received: EK_CT1_ACK, EkSentCt1Received: CT1_ACK, NoHeaderReceived: NONE,
  Ct1Sampled: CT1, EkReceivedCt1Sampled: CT1, Ct1Acknowledged: NONE, Ct2Sampled: CT2,
};
/** What a state sends in a message without codewords, where it is not type 0. [PQR-9] */
const SPARED = { Ct1Received: CT1_ACK };
const UPDATE = ascii("letterlock-v1 pq authenticator update");
const EPOCH_SECRET = ascii("letterlock-v1 pq epoch secret");
const HEADER_MAC = ascii("letterlock-v1 pq header");
const CIPHERTEXT_MAC = ascii("letterlock-v1 pq ciphertext");
const MAC_SIZE = 32;
const HEADER_TEXT = kemSplit.HEADER_SIZE + MAC_SIZE;
const CT2_TEXT = kemSplit.CT2_SIZE + MAC_SIZE;

const wide = (epoch) => bigEndian(epoch, 8);

function authenticator(root, secret, epoch) {
  const both = hkdf(root, secret, concat(UPDATE, wide(epoch)), 64);
  return { root: both.slice(0, 32), key: both.slice(32) };
}

const headerMac = ({ key }, epoch, header) => hmac(key, concat(HEADER_MAC, wide(epoch), header));
const ciphertextMac = ({ key }, epoch, ct1, ct2) => hmac(key, concat(CIPHERTEXT_MAC, wide(epoch), ct1, ct2));

export function start(secret, initiator) {
  const began = { epoch: 1, ...authenticator(new Uint8Array(32), secret, 1) };
  return initiator ? { ...began, name: "KeysUnsampled" } : awaitHeader(began);
}

/** Return the fields that every state has. */
const bare = ({ epoch, root, key }) => ({ epoch, root, key });
const awaitHeader = (state) => ({ ...bare(state), name: "NoHeaderReceived", collected: new Map() });

/** Return the epoch's secret, and the state with the authenticator updated by it. */
function agreed(state, shared) {
  const secret = hkdf(new Uint8Array(32), shared, concat(EPOCH_SECRET, wide(state.epoch)), 32);
  return { secret, state: { ...state, ...authenticator(state.root, secret, state.epoch) } };
}

/**
 * Return the pqHeader of the next message, with at most `maxCodewords` codewords, and at most `maxComputed` beyond the
 * pieces of the text. `draw(length)` returns random bytes.
 */
export function send(state, maxCodewords, draw, maxComputed = erasure.INDICES) {
  const { state: ready, secret } = prepare(state, draw);
  const pqHeader = { epoch: ready.epoch, type: SENT[ready.name], first: null, codewords: null };
  if (BARE.includes(pqHeader.type)) return { state: ready, pqHeader, secret };
  const { sending, sent } = ready;
  const pieces = erasure.codewordCount(sending.length);
  const most = Math.min(Math.max(maxCodewords, 1), pieces, erasure.INDICES - sent); // [PQR-7]
  const count = Math.min(most, Math.max(pieces - sent, 0) + maxComputed); // [PQR-9]
  if (count === 0) return { state: ready, pqHeader: { ...pqHeader, type: SPARED[ready.name] ?? NONE }, secret };
  const next = { ...ready, sent: (sent + count) % erasure.INDICES };
  return { state: next, pqHeader: { ...pqHeader, first: sent, codewords: erasure.codewords(sending, sent, count) }, secret };
}

function prepare(state, draw) {
  if (state.name === "KeysUnsampled") {
    const seed = draw(SEED_SIZE);
    const { header } = kemSplit.fromSeed(seed);
    const sending = concat(header, headerMac(state, state.epoch, header));
    return { state: { ...bare(state), name: "KeysSampled", seed, sending, sent: 0 }, secret: null };
  }
  if (state.name === "HeaderReceived") {
    const { header } = state;
    const m = draw(kemSplit.M_SIZE);
    const { secret: shared, ct1 } = kemSplit.encapsulateHeader(header, m);
    const { secret, state: next } = agreed(bare(state), shared);
    return { state: { ...next, name: "Ct1Sampled", header, m, ct1, sending: ct1, sent: 0, collected: new Map() }, secret };
  }
  return { state, secret: null };
}

/** Refuse an epoch that no honest peer can be in, before anything is derived. [PQR-4] */
export function check(state, { epoch }) {
  const most = state.epoch + (state.name === "Ct2Sampled" ? 1 : 0);
  if (epoch > most) refuse("AuthenticationFailed", "an epoch that has not begun");
}

/** Process an authenticated pqHeader. Returns the new state, and the epoch's secret if it is now complete. */
export function receive(state, pqHeader) {
  check(state, pqHeader);
  if (pqHeader.epoch > state.epoch) {
    return { state: { ...bare(state), epoch: pqHeader.epoch, name: "KeysUnsampled" }, secret: null };
  }
  const take = pqHeader.epoch === state.epoch ? RECEIVED[state.name]?.[pqHeader.type] : undefined;
  return take === undefined ? { state, secret: null } : take(state, pqHeader);
}

const without = (secretless) => ({ state: secretless, secret: null });

/** Add the codewords of a pqHeader. Returns the collected codewords, and the text if it is complete. */
function gather(collected, { first, codewords }, length) {
  const most = erasure.codewordCount(length);
  const more = erasure.collect(collected, first, codewords, most);
  return { collected: more, text: more.size === most ? erasure.text(length, more) : null };
}

function takeHeader(state, pqHeader) {
  const { collected, text } = gather(state.collected, pqHeader, HEADER_TEXT);
  if (text === null) return without({ ...state, collected });
  const header = text.slice(0, kemSplit.HEADER_SIZE);
  if (!equal(headerMac(state, state.epoch, header), text.subarray(kemSplit.HEADER_SIZE))) {
    refuse("BraidFailed", "a header with another MAC"); // [PQR-5]
  }
  return without({ ...bare(state), name: "HeaderReceived", header });
}

function firstCt1(state, pqHeader) {
  const { vector } = kemSplit.fromSeed(state.seed);
  const next = { ...bare(state), name: "HeaderSent", seed: state.seed, sending: vector, sent: 0, collected: new Map() };
  return takeCt1(next, pqHeader);
}

function takeCt1(state, pqHeader) {
  const { collected, text: ct1 } = gather(state.collected, pqHeader, kemSplit.CT1_SIZE);
  if (ct1 === null) return without({ ...state, collected });
  const { seed, sending, sent } = state;
  return without({ ...bare(state), name: "Ct1Received", seed, sending, sent, ct1 });
}

function firstCt2(state, pqHeader) {
  const { seed, ct1 } = state;
  return takeCt2({ ...bare(state), name: "EkSentCt1Received", seed, ct1, collected: new Map() }, pqHeader);
}

function takeCt2(state, pqHeader) {
  const { collected, text } = gather(state.collected, pqHeader, CT2_TEXT);
  if (text === null) return without({ ...state, collected });
  const ct2 = text.slice(0, kemSplit.CT2_SIZE);
  const { secret, state: next } = agreed(bare(state), kemSplit.decapsulate(state.seed, state.ct1, ct2));
  if (!equal(ciphertextMac(next, state.epoch, state.ct1, ct2), text.subarray(kemSplit.CT2_SIZE))) {
    refuse("BraidFailed", "a ciphertext with another MAC"); // [PQR-5]
  }
  return { state: awaitHeader({ ...next, epoch: state.epoch + 1 }), secret };
}

/** Take codewords of the vector, with or without an acknowledgement. When the vector is complete, make ct2. */
function takeVector(state, pqHeader) {
  const acknowledged = state.name === "Ct1Acknowledged" || pqHeader.type === EK_CT1_ACK;
  const { collected, text: vector } = gather(state.collected, pqHeader, kemSplit.VECTOR_SIZE);
  if (vector === null) return without(acknowledged ? acknowledge({ ...state, collected }) : { ...state, collected });
  const { header, m, ct1, sending, sent } = state;
  const made = refusingAs("BraidFailed", () => kemSplit.encapsulateVector(header, vector, m)); // [PQR-5] [PRIM-11]
  const ct2 = concat(made, ciphertextMac(state, state.epoch, ct1, made));
  const next = { ...bare(state), name: "EkReceivedCt1Sampled", ct2, sending, sent };
  return without(acknowledged ? sendCt2(next) : next);
}

const acknowledge = ({ header, m, ct1, collected, ...state }) => ({ ...bare(state), name: "Ct1Acknowledged", header, m, ct1, collected });
const sendCt2 = (state) => ({ ...bare(state), name: "Ct2Sampled", sending: state.ct2, sent: 0 });
const toCt2 = (state) => without(sendCt2(state));

/** The types that each state accepts in its own epoch. Other types change nothing. */
const RECEIVED = {
  KeysSampled: { [CT1]: firstCt1 },
  HeaderSent: { [CT1]: takeCt1 },
  Ct1Received: { [CT2]: firstCt2 },
  EkSentCt1Received: { [CT2]: takeCt2 },
  NoHeaderReceived: { [HDR]: takeHeader },
  Ct1Sampled: { [EK]: takeVector, [EK_CT1_ACK]: takeVector },
  EkReceivedCt1Sampled: { [CT1_ACK]: toCt2, [EK_CT1_ACK]: toCt2 },
  Ct1Acknowledged: { [EK]: takeVector, [EK_CT1_ACK]: takeVector },
};
