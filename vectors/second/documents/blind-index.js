// Tokens of values, by which a server finds documents. [DOC-111] [DOC-112]

import { ascii, concat, utf8 } from "../bytes.js";
import { refuse } from "../errors.js";
import { hmac } from "../kdf.js";
import { INDEX_BITS, SECTION_NAME } from "../limits.js";
import { isPrintable } from "../typed.js";
import { parseField } from "./json-text.js";
import { number } from "./parts.js";

const LABEL = ascii("letterlock-v1 blind index");

/** Return the token of a value, as a number. */
export function token(key, name, bits, value) {
  if (!isPrintable(name, 1, SECTION_NAME) || bits < 1 || bits > INDEX_BITS) refuse("UsageError", "no such index");
  if (!/^["0-9-]/.test(parseField(value))) refuse("UsageError", "a value that is neither a string nor a number");
  const indexKey = hmac(key, concat(LABEL, Uint8Array.of(bits), utf8(name)));
  return Math.floor(number(hmac(indexKey, utf8(value)).slice(0, 3)) / 2 ** (INDEX_BITS - bits));
}
