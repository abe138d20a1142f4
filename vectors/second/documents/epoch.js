// The keys of epochs: what commits to them, links to earlier epochs, and names. [DOC-73] to [DOC-75]

import * as aead from "../aead.js";
import { ascii, bigEndian, concat, equal } from "../bytes.js";
import { Refusal, refuse } from "../errors.js";
import { hkdf, hmac } from "../kdf.js";

const EPOCH_KEY = ascii("letterlock-v1 epoch key commitment");
const HISTORY_KEY = ascii("letterlock-v1 history key commitment");
const LINK = ascii("letterlock-v1 epoch link");
const NAME = ascii("letterlock-v1 collection name");
const NOTHING = new Uint8Array(0);
const NONCE = new Uint8Array(12);
const NAME_SIZE = 256;

const four = (epoch) => bigEndian(epoch, 4);
const wrong = () => refuse("WrongEpochKey", "keys to which the log does not commit");

/** Return the keys if they are those of an opening: E || H, or E alone. */
export function check(epoch, keys, { commitment, history }) {
  if (keys.length !== 32 && keys.length !== 64) wrong();
  const [first, second] = [keys.slice(0, 32), keys.slice(32)];
  const sound = equal(hmac(first, concat(EPOCH_KEY, four(epoch))), commitment)
    && (second.length === 0 || equal(hmac(second, concat(HISTORY_KEY, four(epoch))), history));
  return sound ? keys : wrong();
}

/** Return the keys of the earlier epoch to which a link leads, and which `opening` began. */
export function earlier(epoch, keys, { epoch: number, sealed }, opening) {
  if (keys.length !== 64) wrong();
  const context = concat(four(epoch), four(number), opening.commitment);
  const under = hkdf(NOTHING, keys.slice(32), LINK, 32);
  return check(number, opened(under, NONCE, sealed, context) ?? wrong(), opening);
}

/** Return the name of a collection, or null for one that does not open. */
export function name(epoch, keys, sealed) {
  return openName(hkdf(NOTHING, keys.slice(0, 32), NAME, 32), epoch, sealed);
}

/** Return a name that was sealed under this key. */
export function openName(under, epoch, sealed) {
  const padded = opened(under, sealed.slice(0, 12), sealed.slice(12), four(epoch));
  if (padded === null || padded.length !== NAME_SIZE || padded.slice(1 + padded[0]).some((byte) => byte !== 0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(padded.slice(1, 1 + padded[0]));
  } catch {
    return null;
  }
}

function opened(key, nonce, sealed, associated) {
  try {
    return aead.open(key, nonce, sealed, associated);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
