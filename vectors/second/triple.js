// The triple ratchet: a double ratchet, sparse chains and a braid that move together. (state, input) -> (new state, output).
//
// A state has: double (ratchet.js; its map of skipped keys holds those of both ratchets, oldest first), sparse, braid.
// Not here: which of several sessions a message belongs to (sessions.js).

import { ascii } from "./bytes.js";
import * as braid from "./braid.js";
import { CODEWORD } from "./erasure.js";
import { Refusal, refuse } from "./errors.js";
import { hkdf } from "./kdf.js";
import { TRIPLE_KEPT } from "./limits.js";
import { paddedLength } from "./padding.js";
import * as ratchet from "./ratchet.js";
import * as sealing from "./sealing.js";
import * as sparse from "./sparse.js";

const SPLIT = ascii("letterlock-v1 pq split");
const HYBRID = ascii("letterlock-v1 pq hybrid");

/** Derive SKec and SKscka. [PQR-6] */
function split(secret) {
  const both = hkdf(new Uint8Array(32), secret, SPLIT, 64);
  return [both.slice(0, 32), both.slice(32)];
}

function begin(double, secret, initiator) {
  return { double, sparse: sparse.start(secret, initiator), braid: braid.start(secret, initiator) };
}

export function initiator(secret, signedPrekey, ours) {
  const [ec, scka] = split(secret);
  return begin(ratchet.initiator(ec, signedPrekey, ours), scka, true);
}

export function recipient(secret, signedPrekey) {
  const [ec, scka] = split(secret);
  return begin(ratchet.recipient(ec, signedPrekey), scka, false);
}

const hybrid = (double, sparseKey) => hkdf(sparseKey, double, HYBRID, 32); // [PQR-2]

function mixed(chains, epoch, secret) {
  return secret === null ? chains : sparse.addEpoch(chains, epoch, secret);
}

/** Return how many computed codewords a message of this number in its chain may carry. [PQR-9] */
function maxComputed(number) {
  if (number <= 4) return Infinity;
  return number % 4 === 0 ? 1 : 0;
}

/** Seal one message. `draw` returns random bytes for the braid; `headerLength` is that of an initial message around it, or 0. */
export function send(state, { associatedData, plaintext, nonce, fresh, draw, headerLength = 0 }) {
  const stepped = ratchet.step(state.double, fresh);
  const maxCodewords = Math.floor((paddedLength(plaintext.length) + headerLength) / 4 / CODEWORD); // [PQR-7]
  const { state: moved, pqHeader, secret } = braid.send(state.braid, maxCodewords, draw, maxComputed(stepped.header.number));
  const { state: chains, number, previous, key } = sparse.send(state.sparse, pqHeader.epoch - 1);
  const header = { ...stepped.header, pqHeader: { ...pqHeader, number, previous } };
  const message = sealing.seal(hybrid(stepped.key, key), associatedData, header, plaintext, nonce);
  return { state: { double: stepped.state, sparse: mixed(chains, pqHeader.epoch, secret), braid: moved }, message };
}

const ofChain = ({ epoch, ...pqHeader }) => ({ ...pqHeader, epoch: epoch - 1 });

/** Return how many chain steps a trial takes. [SES-9] */
export function cost(state, { number, pqHeader }) {
  return number + sparse.cost(state.sparse, ofChain(pqHeader));
}

/** A missing sparse key makes a message a duplicate only if its ratchet key belongs to this session. */
function checkChain(state, message, inChain) {
  const { double } = state;
  const ours = ratchet.hears(double, message.ratchetKey) || ratchet.hasSkipped(double, message);
  try {
    sparse.check(state.sparse, double.skipped, inChain);
  } catch (error) {
    if (!(error instanceof Refusal) || error.name !== "DuplicateMessage" || ours) throw error;
    refuse("AuthenticationFailed", error.message);
  }
}

/** Return what a function returns, or null if it refuses with BraidFailed. */
function ended(receive) {
  try {
    return receive();
  } catch (error) {
    if (error instanceof Refusal && error.name === "BraidFailed") return null;
    throw error;
  }
}

/**
 * Open a decoded triple message. Returns the new state, the plaintext, and whether a skipped key was used. The state is null if
 * the message contradicts earlier ones: the session has ended.
 */
export function receive(state, associatedData, message) {
  if (message.pqHeader === undefined) refuse("AuthenticationFailed", "a message without the post-quantum half"); // [PQR-8]
  const kept = state.double.skipped;
  const inChain = ofChain(message.pqHeader);
  ratchet.check(state.double, message);
  braid.check(state.braid, message.pqHeader); // [PQR-4]
  checkChain(state, message, inChain);
  const [double, sparseKey] = [ratchet.findMessageKey(state.double, message), sparse.findMessageKey(state.sparse, kept, inChain)];
  const plaintext = sealing.open(hybrid(double.key, sparseKey.key), associatedData, message);
  const moving = ended(() => braid.receive(state.braid, message.pqHeader));
  if (moving === null) return { state: null, plaintext, late: double.late }; // [PQR-5]
  const { state: moved, secret } = moving;
  const [left, right] = [double.commit(), sparseKey.commit()];
  const next = {
    double: { ...left.state, skipped: ratchet.keep(kept, [left, right], TRIPLE_KEPT) },
    sparse: mixed(right.state, message.pqHeader.epoch, secret),
    braid: moved,
  };
  return { state: next, plaintext, late: double.late };
}
