// The parts of a sealed document but its body: header, metadata, statement, trailer, footer, grants beside it.

import * as aead from "../aead.js";
import { ascii, bigEndian, concat, equal, utf8 } from "../bytes.js";
import * as cbor from "../cbor.js";
import { Refusal, refuse } from "../errors.js";
import { hkdf, sha256 } from "../kdf.js";
import * as limits from "../limits.js";
import * as typed from "../typed.js";
import { readSignedBy } from "./signer.js";

export const MAGIC = ascii("letterlock-v1 document\n");
export const FOOTER = 24;
export const METADATA = ascii("letterlock-v1 document metadata");
export const TRAILER = ascii("letterlock-v1 document trailer");
export const AUTHOR = ascii("letterlock-v1 document author");
const MARK = ascii("llfooter");
const NOTHING = new Uint8Array(0);
const STEP = 256;
const CONTENT_MOST = limits.DOCUMENT_SEGMENTS * 65_500;

const positive = (item) => typed.integer(item, 1, limits.U32);
const time = (item) => typed.integer(item, 0, limits.TIME);
const readArray = (data, count) => typed.array(cbor.decode(data, { nesting: limits.NESTING, items: limits.ITEMS }), count);
export const number = (bytes) => bytes.reduce((value, byte) => value * 256 + byte, 0);

export function readHeader(data) {
  const { major, value, end } = cbor.readHead(data, 0);
  const first = major === 4 && value > 0 ? cbor.readHead(data, end) : refuse("MalformedMessage", "no array");
  if (first.major === 0 && first.value !== 1) refuse("UnsupportedVersion", "a header of another format");
  const [format, id, version, salt, metadata] = readArray(data, 5);
  typed.integer(format, 1, 1);
  return {
    id: typed.bytes(id, 16),
    version: positive(version),
    salt: typed.bytes(salt, 32),
    metadata: typed.bytes(metadata, 284, limits.DOCUMENT_HEADER_SIZE),
  };
}

/** Open what is sealed under a subkey of the version key. A text that does not open is DocumentDamaged. [DOC-6] */
export function openUnder(key, label, header, sealed) {
  const subkey = hkdf(header.salt, key, concat(label, header.id, bigEndian(header.version, 4)), 32);
  try {
    return aead.open(subkey, sealed.slice(0, 12), sealed.slice(12), NOTHING);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse("DocumentDamaged", "a part of the document does not authenticate");
  }
}

function shortText(item, most) {
  const length = utf8(typed.text(item)).length;
  return length >= 1 && length <= most ? item : refuse("MalformedMessage", "a text of another length");
}

/** [DOC-2] */
export function readMetadata(padded) {
  const end = 4 + number(padded.slice(0, 4));
  if (padded.length !== Math.ceil(end / STEP) * STEP || padded.slice(end).some((byte) => byte !== 0)) {
    refuse("MalformedMessage", "another padding of metadata");
  }
  const [name, mediaType, created, modified, application] = readArray(padded.slice(4, end), 5);
  return {
    name: typed.optional(name, (item) => shortText(item, limits.DOCUMENT_NAME_SIZE)),
    mediaType: typed.optional(mediaType, (item) => shortText(item, limits.MEDIA_TYPE_SIZE)),
    created: typed.optional(created, time),
    modified: typed.optional(modified, time),
    application: typed.bytes(application, 0, limits.APPLICATION_SIZE),
  };
}

export function readTrailer(data) {
  const elements = readArray(data, 9);
  const [format, id, version, commitment, length, segments, root, issued, signedBy] = elements;
  typed.integer(format, 1, 1);
  const read = {
    id: typed.bytes(id, 16),
    version: positive(version),
    commitment: typed.bytes(commitment, 32),
    length: typed.integer(length, 0, CONTENT_MOST),
    segments: typed.integer(segments, 1, limits.DOCUMENT_SEGMENTS),
    root: typed.bytes(root, 32),
    issued: time(issued),
    signedBy: readSignedBy(signedBy),
  };
  return { ...read, signed: sha256(cbor.encode(elements.slice(0, 8))) };
}

export function readFooter(data) {
  if (data.length !== FOOTER || !equal(data.slice(16), MARK)) refuse("MalformedMessage", "no footer");
  const [trailer, grants, segments] = [number(data.slice(0, 4)), number(data.slice(4, 8)), number(data.slice(8, 16))];
  const sound = trailer <= limits.DOCUMENT_TRAILER_SIZE && grants <= limits.DOCUMENT_GRANTS_SIZE
    && segments >= 1 && segments <= limits.DOCUMENT_SEGMENTS;
  return sound ? { trailer, grants, segments } : refuse("MalformedMessage", "a footer above the limits");
}

/** Return the grants beside a document, each as it came. */
export function readGrants(data) {
  if (data.length === 0) return [];
  const items = typed.array(cbor.decode(data, { nesting: 1, items: limits.GRANTS_BESIDE + 1 }), 0, limits.GRANTS_BESIDE);
  return items.map((each) => typed.bytes(each, 0, limits.GRANT_SIZE));
}
