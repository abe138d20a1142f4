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

/** SKec and SKscka. [PQR-6] */
function split(secret) {
  const both = hkdf(new Uint8Array(32), secret, SPLIT, 64);
  return [both.slice(0, 32), both.slice(32)];
}

function beside(double, secret, initiator) {
  return { double, sparse: sparse.start(secret, initiator), braid: braid.start(secret, initiator) };
}

export function initiator(secret, signedPrekey, ours) {
  const [ec, scka] = split(secret);
  return beside(ratchet.initiator(ec, signedPrekey, ours), scka, true);
}

export function recipient(secret, signedPrekey) {
  const [ec, scka] = split(secret);
  return beside(ratchet.recipient(ec, signedPrekey), scka, false);
}

const hybrid = (double, beneath) => hkdf(beneath, double, HYBRID, 32); // [PQR-2]

function mixed(chains, epoch, secret) {
  return secret === null ? chains : sparse.addEpoch(chains, epoch, secret);
}

/** Seal one message. `draw` gives the braid's random bytes; `around` is how many bytes are *opened* of an initial message. */
export function send(state, { associatedData, plaintext, nonce, fresh, draw, around = 0 }) {
  const stepped = ratchet.step(state.double, fresh);
  const room = Math.floor((paddedLength(plaintext.length) + around) / 4 / CODEWORD); // [PQR-7]
  const { state: moved, part, secret } = braid.send(state.braid, room, draw);
  const { state: chains, number, previous, key } = sparse.send(state.sparse, part.epoch - 1);
  const header = { ...stepped.header, part: { ...part, number, previous } };
  const message = sealing.seal(hybrid(stepped.key, key), associatedData, header, plaintext, nonce);
  return { state: { double: stepped.state, sparse: mixed(chains, part.epoch, secret), braid: moved }, message };
}

const ofChain = ({ epoch, ...part }) => ({ ...part, epoch: epoch - 1 });

/** How many steps a trial takes. [SES-9] */
export function cost(state, { number, part }) {
  return number + sparse.cost(state.sparse, ofChain(part));
}

/** A sparse key that is gone makes a duplicate only of a message that is this session's by its ratchet key. */
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

/** Open a decoded triple message: the new state, the plaintext, and whether it was a late one. */
export function receive(state, associatedData, message) {
  if (message.part === undefined) refuse("AuthenticationFailed", "a message without the post-quantum half"); // [PQR-8]
  const kept = state.double.skipped;
  const inChain = ofChain(message.part);
  ratchet.check(state.double, message);
  braid.check(state.braid, message.part); // [PQR-4]
  checkChain(state, message, inChain);
  const [double, beneath] = [ratchet.keyOf(state.double, message), sparse.keyOf(state.sparse, kept, inChain)];
  const plaintext = sealing.open(hybrid(double.key, beneath.key), associatedData, message);
  const { state: moved, secret } = braid.receive(state.braid, message.part);
  const [left, right] = [double.settle(), beneath.settle()];
  const next = {
    double: { ...left.state, skipped: ratchet.keep(kept, [left, right], TRIPLE_KEPT) },
    sparse: mixed(right.state, message.part.epoch, secret),
    braid: moved,
  };
  return { state: next, plaintext, late: double.late };
}
