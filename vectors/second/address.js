// Addresses: a name and the number of a device. [WIRE-8]

import { decode as decodeCbor, encode as encodeCbor } from "./cbor.js";
import { utf8 } from "./bytes.js";
import { refuse } from "./errors.js";
import { NAME_SIZE, U32 } from "./limits.js";
import * as typed from "./typed.js";

const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const INVISIBLE =
  /[\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u3164\uFE00-\uFE0F\uFFA0\u{E0100}-\u{E01EF}]/u;
const BLANK = /[\u2800\u2D7F\uFFFC\u{1107F}\u{13441}\u{13442}\u{16FE4}\u{1D159}]/u;
const SPACED = /^ | $/;

/** Check a text that must be the name of an address, and return it. */
export function checkName(name) {
  typed.text(name);
  const size = utf8(name).length;
  if (size < 1 || size > NAME_SIZE) refuse("MalformedMessage", "a name has 1 to 255 bytes");
  if ([FORBIDDEN, INVISIBLE, BLANK].some((each) => each.test(name))) refuse("MalformedMessage", "a character that no name may have");
  if (SPACED.test(name)) refuse("MalformedMessage", "white space around a name");
  if (name.normalize("NFC") !== name) refuse("MalformedMessage", "a name that is not in normal form C");
  return name;
}

/** Read [name, device id]. */
export function fromItem(item) {
  const [name, device] = typed.array(item, 2);
  checkName(name);
  typed.integer(device, 1, U32);
  return [name, device];
}

export function decode(data) {
  return fromItem(decodeCbor(data, { nesting: 1, items: 3 }));
}

export function encode(address) {
  return encodeCbor(address);
}

export function same(left, right) {
  return left[0] === right[0] && left[1] === right[1];
}

/** A key for maps. */
export function key(address) {
  return `${address[1]} ${address[0]}`;
}
