// Requests and answers of servers: arrays whose first element is the version, the second of a request its number.
// Not here: which bodies there are (relay.js, recovery/bodies.js).

import * as cbor from "./cbor.js";
import { refuse } from "./errors.js";
import { RELAY_VERSION } from "./limits.js";
import { integer, record } from "./relay-types.js";

const ARRAY = 4;
const UNSIGNED = 0;
const NESTING = 4;

export const request = (number, size, elements, check = null) => ({ number, size, elements, check });
export const answer = (size, elements, check = null) => ({ number: null, size, elements, check });

/** Read the version before the rest is trusted. Returns where it ends. [WIRE-1] */
export function checkVersion(data) {
  const outer = cbor.readHead(data, 0, false);
  if (outer.major !== ARRAY) refuse("MalformedMessage", "no array with a version");
  const first = cbor.readHead(data, outer.end, false);
  if (first.major !== UNSIGNED) refuse("MalformedMessage", "no version");
  if (first.value !== RELAY_VERSION) refuse("UnsupportedVersion", "an unknown version");
  return first.end;
}

/** What stands before the elements. A body may have a `version` of its own, that of a list, or a `call`. */
function opening({ number }) {
  const version = ["bodyVersion", integer(RELAY_VERSION, RELAY_VERSION)];
  return number === null ? [version] : [version, ["callNumber", integer(number, number)]];
}

/** Read a body. */
export function decode(body, data) {
  if (data.length > body.size) refuse("MalformedMessage", "too many bytes"); // [RLY-3]
  checkVersion(data);
  const whole = record([...opening(body), ...body.elements]);
  const { bodyVersion, callNumber, ...found } = whole.read(cbor.decode(data, { nesting: NESTING, items: whole.items })); // [RLY-3]
  body.check?.(found);
  return found;
}

/** Write a body. Refuses what `decode` refuses. */
export function encode(body, values) {
  const whole = record([...opening(body), ...body.elements]);
  const data = cbor.encode(whole.write({ bodyVersion: RELAY_VERSION, callNumber: body.number, ...values }));
  decode(body, data);
  return data;
}
