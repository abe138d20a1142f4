// Text armor for messages that go by e-mail. [WIRE-10]

import { refuse } from "./errors.js";

const BEGIN = "-----BEGIN LETTERLOCK MESSAGE-----";
const END = "-----END LETTERLOCK MESSAGE-----";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function encode(data) {
  const lines = Buffer.from(data).toString("base64").match(/.{1,64}/g) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

const QUOTING = /^[> \t]*/;
const SOFT_BREAK = /=[ \t]*(?:\r\n|\r|\n)(?=[A-Za-z0-9+/=])/g;

/** The block without the same number of ">" before each of its lines, if its first line has them. */
function unquoted(before, body) {
  const first = before.split(/\r\n|\r|\n/).at(-1);
  const depth = /^[> \t]*$/.test(first) ? first.split(">").length - 1 : 0;
  if (depth === 0) return body;
  const [head, ...lines] = body.split(/\r\n|\r|\n/);
  for (const line of lines) {
    if (QUOTING.exec(line)[0].split(">").length - 1 !== depth) refuse("MalformedMessage", "quoted unevenly");
  }
  return [head, ...lines.map((line) => line.replace(QUOTING, ""))].join("\n");
}

/** What was encoded as quoted-printable; null if a "=" has another meaning. */
function fromQuotedPrintable(body) {
  const joined = body.replace(SOFT_BREAK, "");
  return /=(?!3[Dd])/.test(joined) ? null : joined.replace(/=3[Dd]/g, "=");
}

function fromBase64(body) {
  const joined = body.replace(/[ \t\n\r\v\f]/g, "");
  if (!BASE64.test(joined)) return null;
  const data = Buffer.from(joined, "base64");
  // Encoding again shows bits in the last character that belong to no byte.
  return data.toString("base64") === joined ? new Uint8Array(data) : null;
}

/** Find the block anywhere in the text, and undo what mail programs do to lines. */
export function decode(text) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin + BEGIN.length);
  if (begin < 0 || end < 0) refuse("MalformedMessage", "no whole block");
  if (text.lastIndexOf(BEGIN) !== begin) refuse("MalformedMessage", "more than one block");
  const body = unquoted(text.slice(0, begin), text.slice(begin + BEGIN.length, end));
  const printable = fromQuotedPrintable(body);
  const data = fromBase64(body) ?? (printable === null ? null : fromBase64(printable));
  if (data === null) refuse("MalformedMessage", "stray characters, wrong padding, or bits that belong to no byte");
  return data;
}
