// Linking: codes, bundles, and the six digits.
// Not here: offers, answers and packages (linking-exchange.js).

import { ascii, concat, equal, readBigEndian } from "./bytes.js";
import * as cbor from "./cbor.js";
import { checkEdwards, ML_DSA_KEY } from "./composite.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import * as hpke from "./hpke.js";
import { hkdf, sha256 } from "./kdf.js";
import * as limits from "./limits.js";
import { elements } from "./messages.js";
import * as typed from "./typed.js";

const BUNDLE = 10;
const CODE = 11;
const DIGITS = ascii("letterlock-v1 linking digits");
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const CHECKSUM = 4;

const checksum = (data) => sha256(data).slice(0, CHECKSUM);

export function encodeCode({ bundleHash, secret, expires, place }) {
  return cbor.encode([limits.VERSION, CODE, bundleHash, secret, expires, place]);
}

export function decodeCode(data) {
  const [bundleHash, secret, expires, place] = elements(data, CODE, { count: 6, size: limits.LINKING_CODE_SIZE }).elements;
  typed.bytes(bundleHash, 32);
  typed.bytes(secret, 32);
  typed.u32(expires);
  if (new TextEncoder().encode(typed.text(place)).length > limits.PLACE_SIZE) refuse("MalformedMessage", "a place that is too long");
  return { bundleHash, secret, expires, place };
}

export function text(data) {
  const bits = [...concat(data, checksum(data))].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const fives = bits.match(/.{1,5}/g).map((five) => LETTERS[Number.parseInt(five.padEnd(5, "0"), 2)]);
  return fives.join("").match(/.{1,5}/g).join("-");
}

/** Read a typed code: case, white space and hyphens do not matter; 0, 1 and 8 stand for O, I and B. */
export function fromText(typedText) {
  const letters = typedText.replace(/[\s-]/g, "").toUpperCase().replaceAll("0", "O").replaceAll("1", "I").replaceAll("8", "B");
  const values = [...letters].map((letter) => LETTERS.indexOf(letter));
  if (values.includes(-1)) refuse("MalformedMessage", "a character that no code has");
  const bits = values.map((value) => value.toString(2).padStart(5, "0")).join("");
  const bytes = (bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2));
  const data = Uint8Array.from(bytes.slice(0, -CHECKSUM));
  const found = Uint8Array.from(bytes.slice(-CHECKSUM));
  if (!equal(checksum(data), found)) refuse("MalformedMessage", "a mistyped code");
  return decodeCode(data);
}

export function encodeBundle({ identity, edwards, mlDsaKey, receiving, nonceHash }) {
  return cbor.encode([limits.VERSION, BUNDLE, identity, edwards, mlDsaKey, receiving, nonceHash]);
}

export function decodeBundle(data) {
  const size = { count: 7, size: limits.LINKING_BUNDLE_SIZE };
  const [identity, edwards, mlDsaKey, receiving, nonceHash] = elements(data, BUNDLE, size).elements;
  curve.fromItem(identity);
  checkEdwards(typed.bytes(edwards, 32));
  typed.bytes(mlDsaKey, ML_DSA_KEY);
  hpke.checkPublic(typed.bytes(receiving, hpke.KEY_SIZE));
  typed.bytes(nonceHash, 32);
  return { identity, edwards, mlDsaKey, receiving, nonceHash };
}

/** [USR-19] */
export function digits({ secret, bundleHash, sealedOffer, nonce }) {
  const info = concat(DIGITS, bundleHash, sha256(sealedOffer), nonce);
  const number = readBigEndian(hkdf(new Uint8Array(32), secret, info, 8)) % 1_000_000n;
  return String(number).padStart(6, "0");
}
