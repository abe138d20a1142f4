// RFC 6962 trees over SHA-256.

import { concat } from "../bytes.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(data) {
  return sha256.create().update(LEAF).update(data).digest();
}

function nodeHash(left, right) {
  return sha256(concat(NODE, left, right));
}

/** Return the root over at least one leaf hash. */
export function root(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2) above.push(at + 1 < level.length ? nodeHash(level[at], level[at + 1]) : level[at]);
    level = above;
  }
  return level[0];
}

/** Return the root to which an audit path leads. A path of another length than the place has is refused. [DOC-32] */
export function rootFromPath(leaf, index, size, path) {
  let [at, last, hash, used] = [index, size - 1, leaf, 0];
  while (last > 0) {
    // The last node of a level has no right neighbour if it stands alone: it goes up as it is.
    if (at % 2 === 1 || at < last) {
      if (used === path.length) refuse("MalformedMessage", "a path that is too short");
      hash = at % 2 === 1 ? nodeHash(path[used], hash) : nodeHash(hash, path[used]);
      used += 1;
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  if (used !== path.length) refuse("MalformedMessage", "a path that is too long");
  return hash;
}
