// Fields of JSON, their paths, and the scopes that give them to sections. [DOC-103] [DOC-105] to [DOC-107]

import { utf8 } from "../bytes.js";
import { refuse } from "../errors.js";
import * as limits from "../limits.js";
import * as typed from "../typed.js";
import { checkName, parseField, write } from "./json-text.js";

const malformed = (problem) => refuse("MalformedMessage", problem);
const damaged = (problem) => refuse("DocumentDamaged", problem);
const isName = (element) => typeof element === "string";

// --- paths ------------------------------------------------------------------------------------------

function readElement(item) {
  return isName(item) ? checkName(item) : typed.integer(item, 0, limits.JSON_FIELDS - 1);
}

function readPath(item, least) {
  const path = typed.array(item, least, limits.JSON_NESTING).map(readElement);
  return path.length === 0 || isName(path[0]) ? path : malformed("a path that begins in an array");
}

function compareElements(left, right) {
  if (left === right) return 0;
  if (isName(left) !== isName(right)) return isName(left) ? 1 : -1;
  return left < right ? -1 : 1; // names by UTF-16, as JavaScript compares
}

function compare(left, right) {
  const at = left.findIndex((element, index) => element !== right[index]);
  return at === -1 || at === right.length ? left.length - right.length : compareElements(left[at], right[at]);
}

function checkAscending(paths) {
  if (!paths.every((path, at) => at === 0 || compare(paths[at - 1], path) < 0)) malformed("paths in another order, or twice");
}

const begins = (path, start) => start.length <= path.length && start.every((element, at) => element === path[at]);

// --- what a value has -------------------------------------------------------------------------------

/** Return the fields of an object: [path, text] each, in ascending order. */
export function fieldsOf(value, path = []) {
  if (value.text !== undefined) return [[path, value.text]];
  const parts = value.items === undefined ? [...value.members] : [...value.items.entries()];
  parts.sort(([left], [right]) => compareElements(left, right));
  return parts.flatMap(([element, part]) => fieldsOf(part, [...path, element]));
}

/** Read the fields of a section. [DOC-103] */
export function readFields(item) {
  const fields = typed.array(item, 0, limits.JSON_FIELDS).map((each) => {
    const [path, text] = typed.array(each, 2);
    const sound = !(path.length === limits.JSON_NESTING && ["{}", "[]"].includes(text));
    return sound ? [readPath(path, 1), parseField(typed.text(text))] : malformed("a field that is nested too deep");
  });
  checkAscending(fields.map(([path]) => path));
  return fields;
}

/** Return whether two paths need an object and an array in one place. */
function wantsBoth(left, right) {
  const at = left.findIndex((element, index) => element !== right[index]);
  return at !== -1 && at < right.length && isName(left[at]) !== isName(right[at]);
}

// --- scopes -----------------------------------------------------------------------------------------

/** The scopes of a document: which section each field belongs to. */
export class Scopes {
  /** Read the scopes in a statement. [DOC-105] */
  constructor(item) {
    this.all = typed.array(item, 1, limits.JSON_SCOPES).map((each) => {
      const [section, path] = typed.array(each, 2);
      return { section: typed.integer(section, 0, limits.JSON_SECTIONS - 1), path: readPath(path, 0) };
    });
    checkAscending(this.all.map(({ path }) => path));
    this.sections = Math.max(...this.all.map(({ section }) => section)) + 1;
    if (new Set(this.all.map(({ section }) => section)).size !== this.sections) malformed("a section without a scope");
    // Ascending order puts scopes next to each other that first differ in one place.
    const clash = this.all.some(({ path }, at) => at > 0 && wantsBoth(this.all[at - 1].path, path));
    if (clash) malformed("an object and an array in one place");
  }

  /** Return the section to which a path belongs, or null. */
  sectionOf(path) {
    const found = this.all.filter((scope) => begins(path, scope.path));
    return found.length === 0 ? null : found.reduce((longest, scope) => (scope.path.length > longest.path.length ? scope : longest)).section;
  }

  /** Refuse a field that another section should have, or at which a scope needs something else. [DOC-106] */
  check(section, path) {
    if (this.sectionOf(path) !== section) damaged("a field of another section");
    for (const scope of this.all) {
      if (scope.path.length > path.length && begins(scope.path, path)) damaged("a value where a scope needs more");
      if (wantsBoth(scope.path, path)) damaged("an object where a scope needs an array, or the reverse");
    }
  }

  /** Return whether a section that is not open can have fields at a path. */
  hides(path, open) {
    const below = this.all.filter((scope) => begins(scope.path, path)).map(({ section }) => section);
    return [this.sectionOf(path), ...below].some((section) => section !== null && !open.has(section));
  }
}

// --- one object of several sections -----------------------------------------------------------------

const newPart = (element) => (isName(element) ? { members: new Map() } : { members: new Map(), array: true });

function insert(whole, [path, text]) {
  let part = whole;
  path.forEach((element, at) => {
    const fits = part.text === undefined && (part.array === true) !== isName(element);
    if (!fits) malformed("fields that no object has together");
    const last = at === path.length - 1;
    if (last && part.members.has(element)) malformed("two values of one field");
    if (!part.members.has(element)) part.members.set(element, last ? { text } : newPart(path[at + 1]));
    part = part.members.get(element);
  });
}

/** Turn indices into arrays, which close up over what hidden sections may have. */
function close(part, path, hidden) {
  if (part.text !== undefined) return part;
  const parts = [...part.members].map(([element, each]) => [element, close(each, [...path, element], hidden)]);
  if (!part.array) return { members: new Map(parts) };
  const last = Math.max(...part.members.keys());
  for (let index = 0; index < last; index += 1) {
    if (!part.members.has(index) && !hidden([...path, index])) malformed("an array that lacks an index");
  }
  return { items: parts.sort(([left], [right]) => left - right).map(([, each]) => each) };
}

/** Return the canonical text of the fields of open sections: a Map from their numbers. [DOC-107] */
export function join(scopes, open) {
  const whole = { members: new Map() };
  const count = [...open.values()].reduce((total, fields) => total + fields.length, 0);
  if (count > limits.JSON_FIELDS) damaged("too many fields together");
  for (const [section, fields] of open) {
    for (const field of fields) {
      scopes.check(section, field[0]);
      insert(whole, field);
    }
  }
  const text = write(close(whole, [], (path) => scopes.hides(path, open)));
  return utf8(text).length <= limits.JSON_SIZE ? text : damaged("a text that is too long");
}

/** Return the fields of each section, of an object that was read. */
export function split(scopes, value) {
  const sections = Array.from({ length: scopes.sections }, () => []);
  for (const field of fieldsOf(value)) {
    const section = scopes.sectionOf(field[0]) ?? refuse("UsageError", "a field in no scope");
    sections[section].push(field);
  }
  return sections;
}
