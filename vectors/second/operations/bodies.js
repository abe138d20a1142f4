// Requests and answers of servers as operations are given them, and show them.

import { bigEndian, concat, fromHex, toHex } from "../bytes.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";

const SHOWN = 1_024; // bytes up to which a byte string is answered whole

export const shownBytes = (value) => (value.length <= SHOWN ? toHex(value) : { length: value.length, sha256: toHex(sha256(value)) });

/** Return a value of a type as JSON. A message of a send is a pair; every other record is an object. */
const SHOW = {
  bytes: (_, value) => shownBytes(value),
  integer: (_, value) => value,
  flag: (_, value) => value,
  text: (_, value) => value,
  wide: (_, value) => toHex(bigEndian(value, 8)),
  nullable: (type, value) => (value === null ? null : show(type.of, value)),
  list: (type, value) => value.map((each) => show(type.of, each)),
  record: (type, value) => {
    const shown = showAll(type.elements, value);
    return type.elements.length === 2 ? Object.values(shown) : shown;
  },
  embedded: (type, value) => showAll(type.elements, value),
};
const show = (type, value) => SHOW[type.form](type, value);
export const showAll = (elements, value) => Object.fromEntries(elements.map(([key, type]) => [key, show(type, value[key])]));

export const hex = (value) => (typeof value === "string" && fromHex(value)) || refuse("UsageError", "no bytes in lower-case hexadecimal");

/** Return `data`, or the `parts`, each as often as it says, joined. */
export function bodyOf(given) {
  const parts = given.optional("parts", given.list);
  if (parts === null) return given.bytes("data");
  const pieces = parts.map(([piece, times]) => {
    const bytes = hex(piece);
    return bytes.length === 1 ? new Uint8Array(times).fill(bytes[0]) : concat(...Array.from({ length: times }, () => bytes));
  });
  return concat(...pieces);
}
