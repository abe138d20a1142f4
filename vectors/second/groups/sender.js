// The chain of a device that writes to a group. [GRP-4]

import { ed25519 } from "@noble/curves/ed25519.js";
import * as aead from "../aead.js";
import { concat } from "../bytes.js";
import * as cbor from "../cbor.js";
import { refuse } from "../errors.js";
import * as kdf from "../kdf.js";
import * as limits from "../limits.js";
import { pad } from "../padding.js";
import { nextHead } from "./epoch.js";
import * as texts from "./text.js";

/** Return whether a new seed is due before the next text. */
export const isWorn = ({ sent, begun }, now) => sent >= limits.SEED_TEXTS || now - begun >= limits.SEED_SECONDS;

/** Seal a text. `place` says where it stands. Returns it, and the chain key and head after it. */
export function seal({ key, head, signingSeed }, place, entryHash, { heard, text }, nonce) {
  if (heard.length > limits.HEARD) refuse("UsageError", "too many heads of others");
  const { chain, message } = kdf.chain(key);
  const header = texts.headerOf(place);
  const padded = pad(texts.encodeContent({ headBefore: head, heard, text }));
  const full = concat(new Uint8Array(4), nonce);
  const sealed = concat(nonce, aead.seal(message, full, padded, texts.associated(entryHash, header)));
  const signature = ed25519.sign(texts.covered(entryHash, header, sealed), signingSeed);
  const encoded = concat(header, cbor.encode(sealed), cbor.encode(signature));
  return { text: encoded, key: chain, head: nextHead(head, encoded) };
}
