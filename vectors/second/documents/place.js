// Places of leaves in a tree whose root was signed. [DOC-32]

import { ascii, bigEndian, concat } from "../bytes.js";
import { U32, PATH } from "../limits.js";
import * as typed from "../typed.js";
import * as merkle from "./merkle.js";
import { verify } from "./signer.js";

export const LEAVES = ascii("letterlock-v1 grant signature");

export function readPlace(item) {
  const [index, size, path] = typed.array(item, 3);
  typed.integer(index, 0, U32 - 1);
  typed.integer(size, index + 1, U32);
  return { index, size, path: typed.array(path, 0, PATH).map((each) => typed.bytes(each, 32)) };
}

/** Return how the device that signed a leaf stands. */
export function verifyLeaf(lists, leaf, { index, size, path }, signedBy) {
  const root = merkle.rootFromPath(merkle.leafHash(leaf), index, size, path);
  return verify(lists, LEAVES, concat(bigEndian(size, 4), root), signedBy);
}
