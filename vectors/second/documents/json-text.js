// JSON that every program reads alike, and its canonical text. [DOC-100] to [DOC-102]
//
// A value is {text}, its canonical text, if it has no parts; otherwise {members}, a Map, or {items}, an array.

import { utf8 } from "../bytes.js";
import { refuse } from "../errors.js";
import * as limits from "../limits.js";

const wrong = (problem) => refuse("MalformedMessage", problem);
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?![0-9.eE+-])/y;
const WORD = /(?:true|false|null)/y;
const SPACE = /[ \t\n\r]*/y;

/** Check a string that was unescaped. [DOC-101] */
function checkString(text) {
  return /\0|\p{Cs}/u.test(text) ? wrong("a string with U+0000 or half a surrogate pair") : text;
}

/** Check the name of a member. [DOC-100] */
export function checkName(text) {
  const sound = text !== "__proto__" && utf8(checkString(text)).length <= limits.JSON_NAME_SIZE;
  return sound ? text : wrong("a name that no member has");
}

function checkNumber(text) {
  if (text.length > limits.JSON_NUMBER) wrong("a number of too many characters");
  const digits = text.replace(/[-.]/g, "").replace(/^0+/, "");
  if (text[0] === "-" && digits === "") wrong("minus zero");
  if (text.includes(".") ? digits.length > limits.JSON_DIGITS : !Number.isSafeInteger(Number(text))) {
    wrong("a number that binary64 does not hold");
  }
  return text;
}

class Parser {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.fields = 0;
  }

  /** Return what stands here and is like `pattern`, or null. */
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  mark(expected) {
    this.match(SPACE);
    if (this.text[this.at] !== expected) return false;
    this.at += 1;
    return true;
  }

  string() {
    this.match(SPACE);
    return checkString(JSON.parse(this.match(STRING) ?? wrong("no string")));
  }

  /** Read a value that is inside `depth` objects and arrays. */
  value(depth) {
    this.match(SPACE);
    const next = this.text[this.at];
    if ((next === "{" || next === "[") && depth === limits.JSON_NESTING) wrong("too deep");
    if (this.mark("{")) return this.members(depth + 1);
    if (this.mark("[")) return this.items(depth + 1);
    if (next === '"') return this.field(JSON.stringify(this.string()));
    const word = this.match(WORD);
    return this.field(word ?? checkNumber(this.match(NUMBER) ?? wrong("no value")));
  }

  field(text) {
    this.fields += 1;
    return this.fields > limits.JSON_FIELDS ? wrong("too many fields") : { text };
  }

  members(depth) {
    const members = new Map();
    if (this.mark("}")) return depth === 1 ? { members } : this.field("{}");
    do {
      const name = checkName(this.string());
      if (members.has(name)) wrong("a member twice");
      if (!this.mark(":")) wrong("no colon");
      members.set(name, this.value(depth));
    } while (this.mark(","));
    return this.mark("}") ? { members } : wrong("an object without an end");
  }

  items(depth) {
    if (this.mark("]")) return this.field("[]");
    const items = [];
    do items.push(this.value(depth)); while (this.mark(","));
    return this.mark("]") ? { items } : wrong("an array without an end");
  }
}

function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return wrong("not UTF-8");
  }
}

/** Return the object in a text. */
export function parse(bytes) {
  if (bytes.length > limits.JSON_SIZE) wrong("too many bytes");
  const parser = new Parser(decode(bytes));
  const value = parser.value(0);
  parser.match(SPACE);
  return value.members !== undefined && parser.at === parser.text.length ? value : wrong("not one object");
}

/** Return the text of a value without parts. It must be canonical. */
export function parseField(text) {
  const parser = new Parser(text);
  const value = ["{}", "[]"].includes(text) ? { text } : parser.value(limits.JSON_NESTING);
  return value.text === text ? text : wrong("another text than the canonical one");
}

/** Return the canonical text of a value. */
export function write({ text, members, items }) {
  if (text !== undefined) return text;
  if (items !== undefined) return `[${items.map(write).join(",")}]`;
  const names = [...members.keys()].sort(); // by UTF-16, as JavaScript compares
  return `{${names.map((name) => `${JSON.stringify(name)}:${write(members.get(name))}`).join(",")}}`;
}
