// How an encoding begins: version, kind, and the checks of spec/wire.md that come before its elements.

import * as cbor from "./cbor.js";
import { refuse } from "./errors.js";
import * as limits from "./limits.js";

export const INITIAL = 1;
export const RATCHET = 2;
export const BUNDLE = 3;
export const PUBLICATION = 4;
export const TRIPLE = 5;

/** The version of each kind. */
export const VERSIONS = {
  [INITIAL]: limits.VERSION, [RATCHET]: limits.VERSION, [TRIPLE]: limits.VERSION,
  [BUNDLE]: limits.BUNDLE_VERSION, [PUBLICATION]: limits.BUNDLE_VERSION,
};

/** Steps 1 to 5 of spec/wire.md: return the unchecked elements of an encoding of `kind`, and where the last one begins. */
export function elements(data, kind, { count, size, nesting = 1, items = count + 1 }) {
  const seen = cbor.peek(data, kind in VERSIONS ? VERSIONS : { [kind]: limits.VERSION }); // or a kind of the user layer
  if (seen.kind !== kind) refuse("MalformedMessage", "another kind");
  if (data.length > size) refuse("MalformedMessage", "too many bytes");
  if (seen.count !== count) refuse("MalformedMessage", "another number of elements");
  const { item, last } = cbor.decodeWithLast(data, { nesting, items });
  return { elements: item.slice(2), last };
}
