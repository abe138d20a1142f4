// Text armor for messages that go by e-mail. [WIRE-10]

import { refuse } from "./errors.js";

const BEGIN = "-----BEGIN LETTERLOCK MESSAGE-----";
const END = "-----END LETTERLOCK MESSAGE-----";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function encode(data) {
  const lines = Buffer.from(data).toString("base64").match(/.{1,64}/g) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

export function decode(text) {
  const lines = text.split("\n").map((line) => line.replace(/[ \t\r\v\f]+$/, ""));
  const begins = places(lines, BEGIN);
  const ends = places(lines, END);
  if (begins.length === 0 || ends.length === 0) refuse("MalformedMessage", "no whole block");
  if (begins.length > 1 || ends.length > 1) refuse("MalformedMessage", "more than one block");
  if (ends[0] < begins[0]) refuse("MalformedMessage", "a block that ends before it begins");
  const body = lines.slice(begins[0] + 1, ends[0]).join("").replace(/[ \t\r\v\f]/g, "");
  if (!BASE64.test(body)) refuse("MalformedMessage", "stray characters or wrong padding");
  const data = Buffer.from(body, "base64");
  // Encoding again shows bits in the last character that belong to no byte.
  if (data.toString("base64") !== body) refuse("MalformedMessage", "bits that belong to no byte");
  return new Uint8Array(data);
}

function places(lines, wanted) {
  return lines.flatMap((line, index) => (line === wanted ? [index] : []));
}
