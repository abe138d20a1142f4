// Safety numbers: Signal's numeric fingerprints, version 0. [SES-6]

import { sha512 } from "@noble/hashes/sha2.js";
import * as addresses from "./address.js";
import { ascii, concat, equal, readBigEndian } from "./bytes.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";

const ROUNDS = 5200;
const KEY_TYPE = Uint8Array.of(0x05);
const SCANNED_VERSION = Uint8Array.of(0x08, 0x02);
const USER_SCANNED_VERSION = Uint8Array.of(0x08, 0x03);
const USER_LABEL = ascii("letterlock-v1 user fingerprint");
const SCANNED_OURS = Uint8Array.of(0x12, 0x22, 0x0a, 0x20);
const SCANNED_THEIRS = Uint8Array.of(0x1a, 0x22, 0x0a, 0x20);

function fingerprint({ address, identity }) {
  return fingerprintOf(concat(KEY_TYPE, curve.checkPublic(identity)), addresses.encode(address));
}

function fingerprintOf(key, identifier) {
  let hash = sha512(concat(Uint8Array.of(0, 0), key, identifier, key));
  for (let round = 1; round < ROUNDS; round += 1) hash = sha512(concat(hash, key));
  return hash.slice(0, 32);
}

function digitsOf(print) {
  const groups = [0, 5, 10, 15, 20, 25].map((at) => readBigEndian(print.subarray(at, at + 5)) % 100_000n);
  return groups.map((group) => String(group).padStart(5, "0")).join("");
}

function scannable(ours, theirs, version = SCANNED_VERSION) {
  return concat(version, SCANNED_OURS, ours, SCANNED_THEIRS, theirs);
}

/** Return the digits that both sides read and the code that the other side scans. Each side is {address, identity}. */
export function compute(ours, theirs) {
  const [our, their] = [fingerprint(ours), fingerprint(theirs)];
  return { digits: [digitsOf(our), digitsOf(their)].sort().join(""), scannable: scannable(our, their) };
}

/** The same for two user ids. [USR-18] */
export function computeOfUsers(ours, theirs) {
  const [our, their] = [ours, theirs].map((id) => fingerprintOf(id, USER_LABEL));
  return { digits: [digitsOf(our), digitsOf(their)].sort().join(""), scannable: scannable(our, their, USER_SCANNED_VERSION) };
}

/** Check that the scanned code is the one that the other side should show. [SES-10] */
export function verify(ours, theirs, scanned) {
  const expected = scannable(fingerprint(theirs), fingerprint(ours));
  if (!equal(scanned, expected)) refuse("SafetyNumberMismatch", "the scanned code shows other keys");
}
