// Text armor for messages that go by e-mail. [WIRE-10]

import { refuse } from "./errors.js";

const BEGIN = "-----BEGIN LETTERLOCK MESSAGE-----";
const END = "-----END LETTERLOCK MESSAGE-----";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function encode(data) {
  const lines = Buffer.from(data).toString("base64").match(/.{1,64}/g) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

/** Find the block anywhere in the text: mail programs indent lines and change line endings. */
export function decode(text) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin + BEGIN.length);
  if (begin < 0 || end < 0) refuse("MalformedMessage", "no whole block");
  if (text.lastIndexOf(BEGIN) !== begin) refuse("MalformedMessage", "more than one block");
  const body = text.slice(begin + BEGIN.length, end).replace(/[ \t\n\r\v\f]/g, "");
  if (!BASE64.test(body)) refuse("MalformedMessage", "stray characters or wrong padding");
  const data = Buffer.from(body, "base64");
  // Encoding again shows bits in the last character that belong to no byte.
  if (data.toString("base64") !== body) refuse("MalformedMessage", "bits that belong to no byte");
  return new Uint8Array(data);
}
