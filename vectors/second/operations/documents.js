// Operations on sealed documents. A vector says how its document is made (vectors/README.md).

import { ascii, bigEndian, concat, equal, fromHex, toHex } from "../bytes.js";
import { decodeSnapshot } from "../device-list.js";
import { Floe } from "../documents/floe.js";
import * as merkle from "../documents/merkle.js";
import { AUTHOR } from "../documents/parts.js";
import * as reading from "../documents/reading.js";
import { overBytes } from "../documents/run.js";
import { Lists, verify } from "../documents/signature.js";
import { Refusal, refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import { Input } from "./input.js";

const BODY = ascii("letterlock-v1 document body");
const BLOCK = 256;
const MOST = 65_536;
const KEPT = 8;

// --- making documents -------------------------------------------------------------------------------

function textOf(given) {
  const [fill, filled, size] = [given.bytes("fill"), given.integer("filled", 0, MOST), given.integer("size", 0, MOST)];
  const text = new Uint8Array(4 + filled > size ? 4 + filled : size);
  text.set(bigEndian(given.integer("count"), 4));
  for (let at = 0; at < filled; at += 1) text[4 + at] = fill[at % fill.length];
  return text;
}

function makeBody(given) {
  const [front, nonce] = [given.bytes("front"), given.sized("nonce", 12)];
  const floe = new Floe(given.sized("key", 32), given.sized("iv", 32), concat(BODY, sha256(front)));
  const made = [front, floe.header];
  const nodes = [];
  let [leaves, number] = [[], 0];
  const endBlock = () => {
    made.push(...leaves);
    nodes.push(merkle.root(leaves));
    leaves = [];
  };
  for (const each of given.objects("segments")) {
    const [text, final] = [textOf(each), each.flag("final")];
    for (let time = each.integer("times"); time > 0; time -= 1) {
      const segment = floe.seal(number, concat(nonce.slice(0, 8), bigEndian(number, 4)), text, final);
      made.push(segment);
      leaves.push(merkle.leafHash(segment));
      number += 1;
      if (leaves.length === BLOCK) endBlock();
    }
  }
  if (leaves.length > 0) endBlock();
  return concat(...made, ...nodes);
}

const bodies = new Map();

/** Make a body, or take one of those that were made last. */
function body(value) {
  const name = JSON.stringify(value);
  const found = bodies.get(name) ?? makeBody(new Input(value, "bodies"));
  bodies.delete(name);
  bodies.set(name, found);
  if (bodies.size > KEPT) bodies.delete(bodies.keys().next().value);
  return found;
}

function documentOf(given) {
  const made = given.list("bodies").map(body);
  const parts = given.objects("parts").map((each) =>
    each.optional("data", each.bytes) ?? made[each.integer("body", 0, made.length - 1)].subarray(each.integer("from"), each.integer("to")));
  const document = concat(...parts);
  if (!equal(sha256(document), given.sized("sha256", 32))) refuse("UsageError", "the document that was made is not the recorded one");
  return document;
}

// --- reading ----------------------------------------------------------------------------------------

/** Return the device lists of an input, which count as verified. */
export function listsOf(given) {
  const snapshot = (text) => decodeSnapshot(fromHex(text) ?? given.wrong("lists", "snapshots"));
  return new Lists(given.list("lists").map((chain) => chain.map(snapshot)));
}

export function outSigner({ userId, deviceId, version, listHash }) {
  return { user_id: toHex(userId), device_id: deviceId, version, hash: toHex(listHash) };
}

function shown({ trailer, metadata, standing }, contents) {
  const content = concat(...contents);
  return {
    id: toHex(trailer.id),
    version: trailer.version,
    commitment: toHex(trailer.commitment),
    metadata: {
      name: metadata.name,
      media_type: metadata.mediaType,
      created: metadata.created,
      modified: metadata.modified,
      application: toHex(metadata.application),
    },
    length: trailer.length,
    issued: trailer.issued,
    signer: outSigner(trailer.signedBy.signer),
    standing,
    content: { length: content.length, sha256: toHex(sha256(content)) },
  };
}

function openIn(way, given, document) {
  const [lists, key, contents] = [listsOf(given), given.sized("key", 32), []];
  const sound = (message, signedBy) => verify(lists, AUTHOR, message, signedBy);
  const write = (content) => { contents.push(content.slice()); };
  if (way === "pipe") return shown(overBytes(reading.readInOnePass(key, sound), document, write), contents);
  const opened = reading.openFront(overBytes(reading.readFront(), document), key);
  const whole = overBytes(reading.openSeekable(opened, document.length, sound), document);
  const from = given.optional("from", given.integer);
  const steps = from === null ? reading.readContent(whole) : reading.readContent(whole, from, from + given.integer("count"));
  overBytes(steps, document, write);
  return shown(whole, contents);
}

function answerIn(way, given, document) {
  try {
    return { out: openIn(way, given, document) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { error };
  }
}

function open(given) {
  const document = documentOf(given);
  const way = given.text("way");
  if (way !== "both") return openIn(way, given, document);
  const [first, second] = ["seekable", "pipe"].map((each) => answerIn(each, given, document));
  const alike = first.error ? first.error.name === second.error?.name : JSON.stringify(first) === JSON.stringify(second);
  if (!alike) throw new Error(`the two ways answer differently: ${first.error} and ${second.error}`);
  if (first.error) throw first.error;
  return first.out;
}

function grants(given) {
  const document = documentOf(given);
  return { grants: overBytes(reading.readGrants(document.length), document).map(toHex) };
}

export const documents = { "document.open": open, "document.grants": grants };
