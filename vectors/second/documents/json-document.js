// JSON that is sealed section by section: its encoding, and what opens of it. [DOC-104] [DOC-108] to [DOC-110]

import { hmac } from "@noble/hashes/hmac.js";
import { sha512 } from "@noble/hashes/sha2.js";
import * as aead from "../aead.js";
import { ascii, bigEndian, concat, equal, toHex } from "../bytes.js";
import * as cbor from "../cbor.js";
import { elements } from "../envelope.js";
import { Refusal, refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as limits from "../limits.js";
import * as typed from "../typed.js";
import { readFields, Scopes } from "./json-fields.js";
import * as merkle from "./merkle.js";
import { number } from "./parts.js";
import { paddedLength } from "./reading.js";
import { readSignedBy } from "./signer.js";

const KIND = 24;
const SECTION = ascii("letterlock-v1 section of json");
const TRAILER = ascii("letterlock-v1 trailer of json");
const AUTHOR = ascii("letterlock-v1 author of json");
const NOTHING = new Uint8Array(0);
const NONCE = new Uint8Array(12);
const LEAST = 1_040;

const malformed = (problem) => refuse("MalformedMessage", problem);
const damaged = (problem) => refuse("DocumentDamaged", problem);
const positive = (item) => typed.integer(item, 1, limits.U32);
const hash = (item) => typed.bytes(item, 32);

/** Return the key that seals a text, and the commitment to it. */
function derive(label, key, { id, version }) {
  const both = hmac(sha512, key, concat(label, id, bigEndian(version, 4)));
  return { under: both.slice(0, 32), commitment: both.slice(32) };
}

/** Return the commitment to the key of a section. */
export const commitmentOf = (key, id, version) => derive(SECTION, key, { id, version }).commitment;

// --- encodings --------------------------------------------------------------------------------------

export function decode(data) {
  const size = { count: 8, size: limits.JSON_DOCUMENT_SIZE, nesting: limits.NESTING, items: limits.ITEMS };
  const [id, version, commitment, sections, trailer, grants] = elements(data, KIND, size).elements;
  const read = typed.array(sections, 1, limits.JSON_SECTIONS).map((each) => {
    const [its, text] = typed.array(each, 2);
    return { commitment: hash(its), text: typed.bytes(text, LEAST, limits.JSON_SECTIONS_SIZE) };
  });
  if (read.reduce((total, { text }) => total + text.length, 0) > limits.JSON_SECTIONS_SIZE) malformed("sections too long together");
  if (new Set(read.map((each) => toHex(each.commitment))).size !== read.length) malformed("one commitment twice"); // [DOC-108]
  return {
    id: typed.bytes(id, 16),
    version: positive(version),
    commitment: hash(commitment),
    sections: read,
    trailer: typed.bytes(trailer, LEAST, limits.JSON_TRAILER_SIZE),
    grants: typed.bytes(grants, 0, limits.DOCUMENT_GRANTS_SIZE),
  };
}

function readTrailer(data) {
  const parts = typed.array(cbor.decode(data, { nesting: limits.NESTING, items: limits.ITEMS }), 7);
  const [format, id, version, issued, root, scopes, signedBy] = parts;
  typed.integer(format, 1, 1);
  return {
    id: typed.bytes(id, 16),
    version: positive(version),
    issued: typed.integer(issued, 0, limits.TIME),
    root: hash(root),
    scopes: new Scopes(scopes),
    signedBy: readSignedBy(signedBy),
    signed: sha256(cbor.encode(parts.slice(0, 6))),
  };
}

function readContent(data) {
  const [name, fields] = typed.array(cbor.decode(data, { nesting: limits.NESTING, items: limits.JSON_CONTENT_ITEMS }), 2);
  if (!typed.isPrintable(typed.text(name), 1, limits.SECTION_NAME)) malformed("a name of a section that is none");
  return { name, fields: readFields(fields) };
}

/** [DOC-109] */
function unpad(padded) {
  if (padded.length < 4) malformed("another padding");
  const end = 4 + number(padded.slice(0, 4));
  if (paddedLength(end) !== padded.length || padded.slice(end).some((byte) => byte !== 0)) malformed("another padding");
  return padded.slice(4, end);
}

// --- opening ----------------------------------------------------------------------------------------

function openText(under, text) {
  try {
    return aead.open(under, NONCE, text, NOTHING);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return damaged("a text does not authenticate");
  }
}

/** Return the trailer's key and the padded contents of the sections that keys open, by their numbers. */
function openSections(document, keys) {
  const opened = new Map();
  for (const key of keys) {
    const { under, commitment } = derive(SECTION, key, document);
    const at = document.sections.findIndex((each) => equal(each.commitment, commitment));
    if (at !== -1) opened.set(at, openText(under, document.sections[at].text));
  }
  if (opened.size === 0) refuse("NoGrant", "no section opens");
  const texts = [...opened].sort(([left], [right]) => left - right);
  const trailerKey = texts[0][1].slice(0, 32);
  if (texts.some(([, text]) => !equal(text.slice(0, 32), trailerKey))) damaged("two keys of the trailer"); // [DOC-110]
  return { trailerKey, padded: texts.map(([at, text]) => [at, text.slice(32)]) };
}

function openTrailer(document, key) {
  const { under, commitment } = derive(TRAILER, key, document);
  if (!equal(commitment, document.commitment)) damaged("another trailer than the commitment's");
  return readTrailer(unpad(openText(under, document.trailer)));
}

/** Open what keys open. `verify(context, message, signedBy)` checks the author. [DOC-110] */
export function open(document, keys, verify) {
  const { trailerKey, padded } = openSections(document, keys);
  const trailer = openTrailer(document, trailerKey);
  const { id, version, sections } = document;
  const root = merkle.root(sections.map((each) => merkle.leafHash(concat(each.commitment, each.text))));
  const same = equal(trailer.id, id) && trailer.version === version && trailer.scopes.sections === sections.length
    && equal(trailer.root, root);
  if (!same) damaged("the author signed another document");
  const standing = verify(AUTHOR, trailer.signed, trailer.signedBy); // [DOC-104]
  const contents = new Map(padded.map(([at, text]) => [at, readContent(unpad(text))]));
  if (new Set([...contents.values()].map(({ name: its }) => its)).size !== contents.size) damaged("two sections of one name");
  return { trailer, standing, contents };
}
