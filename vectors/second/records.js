// Stored records. A record that cannot be read is damaged. [STO-3]
// Not here: the encryption around them (store.js).

import * as addresses from "./address.js";
import * as braid from "./braid.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { CODEWORD } from "./erasure.js";
import { refuse, refusingAs } from "./errors.js";
import { SEED_SIZE } from "./kem.js";
import { M_SIZE, VECTOR_SIZE } from "./kem-split.js";
import { CROSSED, HEADER_SIZE, PQXDH, U32, USED, X3DH } from "./limits.js";
import { isKem } from "./prekeys.js";
import * as ratchet from "./ratchet.js";
import * as typed from "./typed.js";

const LIMITS = { nesting: 4, items: 64 };
const TIME = 2n ** 63n - 1n;
const FORMAT = 1;
const PREKEY_FORMAT = 2; // [STO-25]
const SESSION_FORMAT = 2; // [STO-6]
const ENTRY = 2 + CODEWORD; // index and codeword

const key = (item) => typed.bytes(item, 32);
const publicKey = curve.fromItem;

function read(data, readItem) {
  return refusingAs("CorruptStore", () => readItem(cbor.decode(data, LIMITS)));
}

function formatted(item, length) {
  typed.array(item, length);
  typed.integer(item[0], FORMAT, FORMAT);
  return item.slice(1);
}

export function account(data) {
  return read(data, (item) => {
    const [address, secret, open, nextId, signedId, lastResortId, rotated] = formatted(item, 8);
    return {
      address: addresses.fromItem(address),
      private: key(secret),
      public: publicKey(open),
      nextId: typed.integer(nextId, 0, U32 + 1),
      signedId: typed.u32(signedId),
      lastResortId: typed.u32(lastResortId),
      rotated: typed.integer(rotated, 0, TIME),
    };
  });
}

function checkUsed(names) {
  const { length } = typed.bytes(names, 32, 32 * USED);
  if (length % 32 !== 0) refuse("MalformedMessage", "names of used prekeys that are cut short");
}

export function peer(data) {
  return read(data, (item) => {
    typed.array(item, 3, 4);
    typed.integer(item[0], item.length - 2, item.length - 2); // format 2 has the used prekeys as well
    const [, address, identity, used] = item;
    if (used !== undefined) checkUsed(used);
    return { address: addresses.fromItem(address), identity: publicKey(identity) };
  });
}

export function prekey(kind, data) {
  return read(data, (item) => {
    const old = typed.array(item, 2, 3).length === 2; // format 1 has no number, and a signature [STO-25]
    if (!old) typed.integer(item[0], PREKEY_FORMAT, PREKEY_FORMAT);
    const [secret, rest] = item.slice(old ? 0 : 1);
    typed.bytes(secret, isKem(kind) ? SEED_SIZE : 32);
    if (old) typed.bytes(rest, 64);
    if (isKem(kind)) {
      if (!old && rest !== null) refuse("MalformedMessage", "a public key beside a seed");
      return { secret, public: null };
    }
    return { secret, public: old ? curve.publicOf(secret) : publicKey(rest) };
  });
}

/** Read fields of fixed length, one after the other. [STO-20] */
class Reader {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  bytes(length) {
    if (this.at + length > this.data.length) refuse("MalformedMessage", "a record that is cut short");
    this.at += length;
    return this.data.slice(this.at - length, this.at);
  }

  /** Return an unsigned integer of so many bytes, as a BigInt. */
  wide(length) {
    return this.bytes(length).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  }

  integer(length, most = 2 ** (8 * length) - 1) {
    return Number(typed.integer(this.wide(length), 0, most));
  }

  end() {
    if (this.at !== this.data.length) refuse("MalformedMessage", "bytes after the end of a record");
  }
}

const present = (wanted, bytes, check = () => {}) => {
  if (wanted) check(bytes);
  else if (bytes.some((byte) => byte !== 0)) refuse("MalformedMessage", "a field that does not go with the state");
};

const ENDED = "Ended";
const DOUBLE_STATES = [ratchet.UNANSWERED, ratchet.HEARING, ratchet.SPEAKING, ENDED];
const FLAGS = { [X3DH]: 1, [PQXDH]: 3 };

export function session(data) {
  return refusingAs("CorruptStore", () => {
    const reader = new Reader(data);
    typed.integer(reader.integer(1), SESSION_FORMAT, SESSION_FORMAT);
    const suite = typed.integer(reader.integer(1), X3DH, PQXDH);
    const state = DOUBLE_STATES[reader.integer(1, 3)];
    const initiated = state === ratchet.UNANSWERED;
    const flags = reader.integer(1);
    const ended = state === ENDED;
    if (flags & ~FLAGS[suite] || (initiated && flags & 1) || (ended && flags)) refuse("MalformedMessage", "unknown flags");
    reader.integer(4, initiated || ended ? 0 : CROSSED); // yields
    if (reader.wide(8) > TIME) refuse("MalformedMessage", "born too late");
    const archived = reader.wide(8);
    if (archived > TIME || (ended && archived !== 0n)) refuse("MalformedMessage", "archived too late, or although it ended");
    const associatedData = reader.bytes(32);
    const length = doubleState(reader, state);
    const braidName = suite === PQXDH && !ended ? tripleState(reader) : null;
    if (initiated ? length > HEADER_SIZE : length !== 0 && length !== 32) refuse("MalformedMessage", "a handshake of another length");
    const handshake = reader.bytes(length);
    reader.end();
    return { suite, associatedData, handshake, promoteNext: (flags & 1) === 1, state, braid: braidName };
  });
}

/** Check the double ratchet; return the length of the handshake, which ends the head. */
function doubleState(reader, state) {
  const sends = state === ratchet.UNANSWERED || state === ratchet.SPEAKING;
  const hears = state === ratchet.HEARING || state === ratchet.SPEAKING;
  present(state !== ENDED, reader.bytes(32)); // RK
  present(sends, reader.bytes(32));
  present(sends, reader.bytes(32), publicKey);
  present(sends, reader.bytes(32 + 4)); // CKs, Ns
  present(hears, reader.bytes(4)); // PN
  present(state !== ENDED, reader.bytes(32), publicKey);
  present(hears, reader.bytes(32 + 4)); // CKr, Nr
  return reader.integer(4);
}

const [HEADER_TEXT, CT1, CT2_TEXT] = [96, 960, 160];
const HEADER = 64;
/** What each state of the braid holds: bytes of the secret, of outgoing, of the text that arrives, of kept. */
const HELD = [
  [0, 0, 0, 0],
  [SEED_SIZE, HEADER_TEXT, 0, 0],
  [SEED_SIZE, VECTOR_SIZE, CT1, 0],
  [SEED_SIZE, VECTOR_SIZE, 0, CT1],
  [SEED_SIZE, 0, CT2_TEXT, CT1],
  [0, 0, HEADER_TEXT, 0],
  [0, 0, 0, HEADER],
  [M_SIZE, CT1, VECTOR_SIZE, HEADER],
  [0, CT1, 0, CT2_TEXT],
  [M_SIZE, 0, VECTOR_SIZE, HEADER],
  [0, CT2_TEXT, 0, 0],
];
const WITH_SECRET = [7, 8, 9, 10]; // the epoch's secret is already known

/** Check the sparse chains and the braid; return the name of the braid's state. */
function tripleState(reader) {
  reader.bytes(32); // RK
  const [latest, sends, hears] = [reader.wide(8), reader.wide(8), reader.wide(8)];
  reader.bytes(3 * 4); // both n, pn
  const state = reader.integer(4, HELD.length - 1);
  reader.bytes(2 * 32);
  present(sends !== latest, reader.bytes(32));
  present(hears !== latest, reader.bytes(32));
  checkEpochs(state, reader.wide(8), latest, sends, hears);
  reader.bytes(2 * 32); // the authenticator
  const [secret, outgoing, arriving, kept] = HELD[state];
  present(false, reader.bytes(SEED_SIZE).slice(secret));
  present(outgoing > 0, reader.bytes(2)); // sent
  const lengths = [reader.integer(2), reader.integer(2), reader.integer(2)];
  if (lengths[0] !== outgoing || lengths[2] !== kept) refuse("MalformedMessage", "a text of another length");
  reader.bytes(outgoing);
  collected(reader.bytes(lengths[1]), arriving / CODEWORD);
  reader.bytes(kept);
  return braid.STATES[state];
}

/** Refuse sparse chains in epochs that the braid's state rules out. [STO-8] */
function checkEpochs(state, epoch, latest, sends, hears) {
  const begun = epoch - 1n;
  const behind = (allowed) => (allowed.includes(state) ? [begun, begun - 1n] : [begun]);
  const fits =
    epoch <= BigInt(U32) &&
    latest === (WITH_SECRET.includes(state) ? epoch : begun) &&
    behind([0, 5, 6]).includes(sends) &&
    behind([5]).includes(hears);
  if (!fits) refuse("MalformedMessage", "the chains and the braid are in different epochs");
}

/** Check collected codewords: whole, of different indices, and fewer than the text has. [RAT-12] */
function collected(entries, share) {
  const count = entries.length / ENTRY;
  if (!Number.isInteger(count) || count > Math.max(0, share - 1)) refuse("MalformedMessage", "codewords too many or not whole");
  const indices = Array.from({ length: count }, (_, at) => (entries[ENTRY * at] << 8) | entries[ENTRY * at + 1]);
  if (new Set(indices).size !== indices.length) refuse("MalformedMessage", "an index that repeats");
}
