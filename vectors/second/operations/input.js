// The input of an operation, read by name and type. A value of another type is a UsageError.

import * as addresses from "../address.js";
import { fromHex } from "../bytes.js";
import { refuse, refusingAs } from "../errors.js";
import { checkCodewords } from "../messages.js";
import { randomBytes } from "@noble/hashes/utils.js";

export class Input {
  constructor(values, where = "in") {
    if (values === null || typeof values !== "object" || Array.isArray(values)) {
      refuse("UsageError", `${where} is not an object`);
    }
    this.values = values;
    this.where = where;
  }

  get(name) {
    const value = this.values[name];
    return value === undefined ? refuse("UsageError", `${this.where}: ${name} is missing`) : value;
  }

  wrong(name, what) {
    return refuse("UsageError", `${this.where}: ${name} is not ${what}`);
  }

  text(name) {
    const value = this.get(name);
    return typeof value === "string" ? value : this.wrong(name, "a text");
  }

  bytes(name) {
    return fromHex(this.text(name)) ?? this.wrong(name, "lower-case hexadecimal");
  }

  /** A byte string of fixed length, such as a secret or a digest. */
  sized(name, length) {
    const value = this.bytes(name);
    return value.length === length ? value : this.wrong(name, `of ${length} bytes`);
  }

  integer(name, least = 0, most = Number.MAX_SAFE_INTEGER) {
    const value = this.get(name);
    return Number.isSafeInteger(value) && value >= least && value <= most ? value : this.wrong(name, "such an integer");
  }

  flag(name) {
    const value = this.get(name);
    return typeof value === "boolean" ? value : this.wrong(name, "true or false");
  }

  address(name) {
    const value = this.get(name);
    return refusingAs("UsageError", () => addresses.fromItem(value));
  }

  list(name) {
    const value = this.get(name);
    return Array.isArray(value) ? value : this.wrong(name, "a list");
  }

  numbers(name) {
    const value = this.list(name);
    return value.every(Number.isSafeInteger) ? value : this.wrong(name, "a list of integers");
  }

  object(name) {
    return new Input(this.get(name), name);
  }

  objects(name) {
    return this.list(name).map((value) => new Input(value, name));
  }

  /** Read a value with `read`. Returns null if it is absent or null. */
  optional(name, read) {
    return (this.values[name] ?? null) === null ? null : read.call(this, name);
  }

  /** Columns of a store: numbers, hexadecimal byte strings and null. */
  columns(name) {
    return this.list(name).map((value) => {
      if (value === null || Number.isSafeInteger(value)) return value;
      const bytes = typeof value === "string" ? fromHex(value) : null;
      return bytes ?? this.wrong(name, "a list of columns");
    });
  }

  /** Type, first index and codewords of a post-quantum header. */
  codewords() {
    const given = {
      type: this.integer("type"), first: this.optional("first", this.integer), codewords: this.optional("codewords", this.bytes),
    };
    refusingAs("UsageError", () => checkCodewords(given));
    return given;
  }

  /** A source of random bytes: the given ones, or fresh ones if none are given. */
  entropy(name) {
    const given = this.optional(name, this.bytes);
    return (length) => {
      if (given === null) return randomBytes(length);
      return given.length === length ? given : this.wrong(name, `of ${length} bytes`);
    };
  }

  /** The recorded result of the KEM. */
  recordedKem(name) {
    return this.optional(name, () => {
      const given = this.object(name);
      return {
        m: given.optional("m", given.bytes),
        ciphertext: given.bytes("ciphertext"),
        secret: given.bytes("secret"),
      };
    });
  }
}
