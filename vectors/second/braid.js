// The braid: the two sides agree on one ML-KEM secret an epoch, in pieces. (state, input) -> (new state, output).
//
// A state has: name, epoch, root and key (the authenticator's), and what its name asks for: seed, m, header, ct1, ct2 (with its
// MAC), sending (the text), sent (the index of its next codeword), got (a map from index to codeword).
// Not here: chains (sparse.js), the messages around the parts (triple.js).

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
/** Those that carry no codewords. */
export const BARE = [NONE, CT1_ACK];

const SENT = {
  KeysSampled: HDR, HeaderSent: EK, Ct1Received: EK_CT1_ACK, EkSentCt1Received: CT1_ACK, NoHeaderReceived: NONE,
  Ct1Sampled: CT1, EkReceivedCt1Sampled: CT1, Ct1Acknowledged: NONE, Ct2Sampled: CT2,
};
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

/** What a state keeps when the rest of it is given up. */
const bare = ({ epoch, root, key }) => ({ epoch, root, key });
const awaitHeader = (state) => ({ ...bare(state), name: "NoHeaderReceived", got: new Map() });

/** The epoch's secret, and the state that the authenticator is in after it. */
function agreed(state, shared) {
  const secret = hkdf(new Uint8Array(32), shared, concat(EPOCH_SECRET, wide(state.epoch)), 32);
  return { secret, state: { ...state, ...authenticator(state.root, secret, state.epoch) } };
}

/** One message's part. `room` is how many codewords it may have; `draw(length)` gives random bytes, if any are due. */
export function send(state, room, draw) {
  const { state: ready, secret } = prepare(state, draw);
  const part = { epoch: ready.epoch, type: SENT[ready.name], first: null, codewords: null };
  if (BARE.includes(part.type)) return { state: ready, part, secret };
  const { sending, sent } = ready;
  const count = Math.min(Math.max(room, 1), erasure.pieces(sending.length), erasure.INDICES - sent); // [PQR-7]
  const next = { ...ready, sent: (sent + count) % erasure.INDICES };
  return { state: next, part: { ...part, first: sent, codewords: erasure.codewords(sending, sent, count) }, secret };
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
    return { state: { ...next, name: "Ct1Sampled", header, m, ct1, sending: ct1, sent: 0, got: new Map() }, secret };
  }
  return { state, secret: null };
}

/** Refuse an epoch that no honest side is in; before anything is derived. [PQR-4] */
export function check(state, { epoch }) {
  const most = state.epoch + (state.name === "Ct2Sampled" ? 1 : 0);
  if (epoch > most) refuse("AuthenticationFailed", "an epoch that has not begun");
}

/** Take an authentic part: the new state, and the epoch's secret if this was the last of it. */
export function receive(state, part) {
  check(state, part);
  if (part.epoch > state.epoch) {
    return { state: { ...bare(state), epoch: part.epoch, name: "KeysUnsampled" }, secret: null };
  }
  const take = part.epoch === state.epoch ? RECEIVED[state.name]?.[part.type] : undefined;
  return take === undefined ? { state, secret: null } : take(state, part);
}

const without = (secretless) => ({ state: secretless, secret: null });

/** What is there after this part, and the whole text once it is. */
function gather(got, { first, codewords }, length) {
  const most = erasure.pieces(length);
  const more = erasure.collect(got, first, codewords, most);
  return { got: more, text: more.size === most ? erasure.text(length, more) : null };
}

function takeHeader(state, part) {
  const { got, text } = gather(state.got, part, HEADER_TEXT);
  if (text === null) return without({ ...state, got });
  const header = text.slice(0, kemSplit.HEADER_SIZE);
  if (!equal(headerMac(state, state.epoch, header), text.subarray(kemSplit.HEADER_SIZE))) {
    refuse("BraidFailed", "a header with another MAC"); // [PQR-5]
  }
  return without({ ...bare(state), name: "HeaderReceived", header });
}

function firstCt1(state, part) {
  const { vector } = kemSplit.fromSeed(state.seed);
  const next = { ...bare(state), name: "HeaderSent", seed: state.seed, sending: vector, sent: 0, got: new Map() };
  return takeCt1(next, part);
}

function takeCt1(state, part) {
  const { got, text: ct1 } = gather(state.got, part, kemSplit.CT1_SIZE);
  if (ct1 === null) return without({ ...state, got });
  const { seed, sending, sent } = state;
  return without({ ...bare(state), name: "Ct1Received", seed, sending, sent, ct1 });
}

function firstCt2(state, part) {
  const { seed, ct1 } = state;
  return takeCt2({ ...bare(state), name: "EkSentCt1Received", seed, ct1, got: new Map() }, part);
}

function takeCt2(state, part) {
  const { got, text } = gather(state.got, part, CT2_TEXT);
  if (text === null) return without({ ...state, got });
  const ct2 = text.slice(0, kemSplit.CT2_SIZE);
  const { secret, state: next } = agreed(bare(state), kemSplit.decapsulate(state.seed, state.ct1, ct2));
  if (!equal(ciphertextMac(next, state.epoch, state.ct1, ct2), text.subarray(kemSplit.CT2_SIZE))) {
    refuse("BraidFailed", "a ciphertext with another MAC"); // [PQR-5]
  }
  return { state: awaitHeader({ ...next, epoch: state.epoch + 1 }), secret };
}

/** Codewords of the vector, with or without an acknowledgement; ct2 is made as soon as the vector is whole. */
function takeVector(state, part) {
  const acknowledged = state.name === "Ct1Acknowledged" || part.type === EK_CT1_ACK;
  const { got, text: vector } = gather(state.got, part, kemSplit.VECTOR_SIZE);
  if (vector === null) return without(acknowledged ? acknowledge({ ...state, got }) : { ...state, got });
  const { header, m, ct1, sending, sent } = state;
  const made = refusingAs("BraidFailed", () => kemSplit.encapsulateVector(header, vector, m)); // [PQR-5] [PRIM-11]
  const ct2 = concat(made, ciphertextMac(state, state.epoch, ct1, made));
  const next = { ...bare(state), name: "EkReceivedCt1Sampled", ct2, sending, sent };
  return without(acknowledged ? sendCt2(next) : next);
}

const acknowledge = ({ header, m, ct1, got, ...state }) => ({ ...bare(state), name: "Ct1Acknowledged", header, m, ct1, got });
const sendCt2 = (state) => ({ ...bare(state), name: "Ct2Sampled", sending: state.ct2, sent: 0 });
const toCt2 = (state) => without(sendCt2(state));

/** What each state takes of its own epoch; the rest changes nothing. */
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
