// The types of elements in what relays and clients send to each other: each reads an item and writes it again.
// Not here: the bodies (relay.js).

import * as addresses from "./address.js";
import { toHex } from "./bytes.js";
import { refuse } from "./errors.js";
import { DEVICES, HEAD_SIZE, U32, U63 } from "./limits.js";
import * as typed from "./typed.js";

const same = (value) => value;
const type = (form, items, read, write = same) => ({ form, items, read, write });

export const blob = (least, most = least) => type("bytes", 1, (item) => typed.bytes(item, least, most));
export const integer = (least, most) => type("integer", 1, (item) => typed.integer(item, least, most));
export const flag = type("flag", 1, (item) => typed.integer(item, 0, 1) === 1, (value) => (value ? 1 : 0));
export const wide = type("wide", 1, (item) => BigInt(typed.integer(item, 0, U63)));
export const text = type("text", 1, (item) => typed.text(item));
export const name = type("text", 1, (item) => addresses.checkName(item));
export const device = integer(1, U32);
export const u32 = integer(0, U32);
export const positive = integer(1, U32);
export const id = blob(16);
export const head = blob(HEAD_SIZE);
export const signature = blob(64);

export function nullable(of) {
  const given = (work) => (item) => (item === null ? null : work(item));
  return { ...of, form: "nullable", of, read: given(of.read), write: given(of.write) };
}

const keyOf = (value) => (value instanceof Uint8Array ? toHex(value) : `${value}`);

/** An array of `least` to `most` elements of one type, which differ in what `key` gives of them. */
export function list(of, least, most, key = null) {
  const read = (item) => {
    const found = typed.array(item, least, most).map((each) => of.read(each));
    if (key !== null && new Set(found.map((each) => keyOf(key(each)))).size !== found.length) refuse("MalformedMessage", "the same twice");
    return found;
  };
  return { ...type("list", 1 + most * of.items, read, (value) => value.map((each) => of.write(each))), of };
}

/** An array of named elements. */
export function record(elements) {
  const items = elements.reduce((total, [, each]) => total + each.items, 1);
  const read = (item) => {
    const found = typed.array(item, elements.length);
    return Object.fromEntries(elements.map(([key, each], at) => [key, each.read(found[at])]));
  };
  return { ...type("record", items, read, (value) => elements.map(([key, each]) => each.write(value[key]))), elements };
}

export const devices = list(device, 1, DEVICES, same);
