// JSON in ASCII without floating point: objects with each key once, arrays, texts, null, true, false, integers of 0 to 2^53 - 1.

import { refuse } from "../errors.js";

const wrong = () => refuse("MalformedMessage", "not the JSON of an access record");
const TOKEN = /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(0|[1-9][0-9]*)(?![0-9.eE])|(true|false|null))/y;
const DEPTH = 32;

class Parser {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  next() {
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text) ?? wrong();
    this.at = TOKEN.lastIndex;
    const [, mark, text, number, word] = found;
    return { mark, text, number, word };
  }

  value({ mark, text, number, word }, depth) {
    if (depth > DEPTH) wrong();
    if (text !== undefined) return JSON.parse(text);
    if (number !== undefined) return Number.isSafeInteger(Number(number)) ? Number(number) : wrong();
    if (word !== undefined) return JSON.parse(word);
    if (mark === "[") return this.list("]", (token) => this.value(token, depth + 1));
    if (mark !== "{") wrong();
    const pairs = this.list("}", (token) => {
      if (token.text === undefined || this.next().mark !== ":") wrong();
      return [JSON.parse(token.text), this.value(this.next(), depth + 1)];
    });
    const object = new Map(pairs);
    if (object.size !== pairs.length) wrong();
    return Object.fromEntries(object);
  }

  list(end, read) {
    const found = [];
    let token = this.next();
    if (token.mark === end) return found;
    for (;;) {
      found.push(read(token));
      const { mark } = this.next();
      if (mark === end) return found;
      if (mark !== ",") wrong();
      token = this.next();
    }
  }
}

export function parse(text) {
  if (!/^[\u0000-\u007f]*$/.test(text)) wrong();
  const parser = new Parser(text);
  const value = parser.value(parser.next(), 0);
  return /^[ \t\n\r]*$/.test(text.slice(parser.at)) ? value : wrong();
}

/** Return the bytes of a value with sorted keys, without spaces, in ASCII. */
export function canonical(value) {
  return Uint8Array.from(write(value), (each) => each.charCodeAt(0));
}

function write(value) {
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.keys(value).sort().map((key) => `${write(key)}:${write(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) =>
    (unit === "\u007f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`));
}
