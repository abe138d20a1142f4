// crypto_secretstream_xchacha20poly1305 of libsodium: frames that open in their order only.

import { poly1305 } from "@noble/ciphers/_poly1305.js";
import { chacha20, hchacha } from "@noble/ciphers/chacha.js";
import { ascii, bigEndian, concat, equal } from "./bytes.js";
import { refuse } from "./errors.js";

export const HEADER_SIZE = 24;
export const OVERHEAD = 17;
export const MESSAGE = 0;
const REKEY = 2; // a bit: FINAL has it too
export const FINAL = 3;
const BLOCK = 64;
const MAC = 16;

const words = (bytes) => new Uint32Array(Uint8Array.from(bytes).buffer);
const little = (value, width) => bigEndian(value, width).reverse();
const zeros = (size) => new Uint8Array(size);

/** Return the state of a stream before its first frame: a key, and a nonce of a counter and 8 bytes. */
export function begin(key, header) {
  const derived = new Uint32Array(8);
  hchacha(words(ascii("expand 32-byte k")), words(key), words(header.slice(0, 16)), derived);
  return { key: new Uint8Array(derived.buffer), counter: 1, inner: header.slice(16) };
}

const nonceOf = ({ counter, inner }) => concat(little(counter, 4), inner);
const keystream = (state, data, block) => chacha20(state.key, nonceOf(state), data, undefined, block);

function macOf(state, associated, tagBlock, sealed) {
  const padding = zeros((16 - (associated.length % 16)) % 16);
  const after = zeros((16 - BLOCK + sealed.length) & 15); // not what RFC 8439 has, but what libsodium does
  const lengths = concat(little(associated.length, 8), little(BLOCK + sealed.length, 8));
  return poly1305(concat(associated, padding, tagBlock, sealed, after, lengths), keystream(state, zeros(BLOCK), 0).slice(0, 32));
}

function next({ key, counter, inner }, mac, tag) {
  const moved = { key, counter: (counter + 1) >>> 0, inner: inner.map((byte, at) => byte ^ mac[at]) };
  if ((tag & REKEY) === 0 && moved.counter !== 0) return moved;
  const fresh = keystream(moved, concat(moved.key, moved.inner), 0);
  return { key: fresh.slice(0, 32), counter: 1, inner: fresh.slice(32) };
}

export function push(state, text, associated, tag) {
  const tagBlock = keystream(state, concat(Uint8Array.of(tag), zeros(BLOCK - 1)), 1);
  const sealed = keystream(state, text, 2);
  const mac = macOf(state, associated, tagBlock, sealed);
  return { frame: concat(tagBlock.slice(0, 1), sealed, mac), state: next(state, mac, tag) };
}

export function pull(state, frame, associated) {
  if (frame.length < OVERHEAD) refuse("AuthenticationFailed", "a frame that is too short");
  const first = keystream(state, concat(frame.slice(0, 1), zeros(BLOCK - 1)), 1);
  const tag = first[0];
  const tagBlock = concat(frame.slice(0, 1), first.slice(1));
  const sealed = frame.slice(1, -MAC);
  const mac = macOf(state, associated, tagBlock, sealed);
  if (!equal(mac, frame.slice(-MAC))) refuse("AuthenticationFailed", "a frame that does not open");
  return { text: keystream(state, sealed, 2), tag, state: next(state, mac, tag) };
}
