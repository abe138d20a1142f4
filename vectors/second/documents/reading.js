// Reading sealed documents, in both ways of spec/documents.md.
//
// The functions are generators, so that one code serves files, memory and browsers: they yield {at, length} for the
// bytes that they need, of which a source gives fewer at its end, and {content} for content that is verified.
// run.js has what drives them.

import { ascii, concat, equal } from "../bytes.js";
import { refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as limits from "../limits.js";
import { Floe, HEADER, lastLength, OVERHEAD, SEGMENT } from "./floe.js";
import * as merkle from "./merkle.js";
import * as parts from "./parts.js";

const BODY = ascii("letterlock-v1 document body");
const COUNT = 4;
const CONTENT = SEGMENT - OVERHEAD - COUNT;
const BLOCK = 256;
const HASH = 32;
const PREFIX = parts.MAGIC.length + 4;

const damaged = (problem) => refuse("DocumentDamaged", problem);
const malformed = (problem) => refuse("MalformedMessage", problem);

/** Return floor(log2(value)). */
function log2(value) {
  let exponent = 0;
  while (2 ** (exponent + 1) <= value) exponent += 1;
  return exponent;
}

/** Return how much content the segments have room for. [DOC-5] */
export function paddedLength(length) {
  const least = Math.max(1024, length);
  const exponent = log2(least);
  const step = 2 ** (exponent - (log2(exponent) + 1));
  return Math.ceil(least / step) * step;
}

/** Where everything is in a document whose first segment begins at `start`. */
class Layout {
  constructor(start, length) {
    const padded = paddedLength(length);
    this.start = start;
    this.length = length;
    this.segments = Math.ceil(padded / CONTENT);
    this.blocks = Math.ceil(this.segments / BLOCK);
    this.lastSize = padded - (this.segments - 1) * CONTENT + COUNT + OVERHEAD;
    this.nodes = start + (this.segments - 1) * SEGMENT + this.lastSize + this.segments * HASH;
    this.end = this.nodes + this.blocks * HASH;
  }

  at(number) {
    return this.start + number * SEGMENT + Math.floor(number / BLOCK) * BLOCK * HASH;
  }

  size(number) {
    return number === this.segments - 1 ? this.lastSize : SEGMENT;
  }

  content(number) {
    return Math.max(0, Math.min(this.length - number * CONTENT, CONTENT));
  }
}

const hashesIn = (bytes) => Array.from({ length: bytes.length / HASH }, (_, at) => bytes.slice(at * HASH, (at + 1) * HASH));

/** Return the content in the text of a segment, which must be zeros from there on. [DOC-5] */
function contentOf(text) {
  const end = COUNT + parts.number(text.subarray(0, COUNT));
  if (text.length < COUNT || end > text.length) damaged("a count above the room");
  for (let at = end; at < text.length; at += 1) {
    if (text[at] !== 0) damaged("something behind the content");
  }
  return text.subarray(COUNT, end);
}

// --- the front --------------------------------------------------------------------------------------

/** Read the front, which needs no key. */
export function* readFront() {
  const prefix = yield { at: 0, length: PREFIX };
  if (prefix.length < PREFIX || !equal(prefix.slice(0, parts.MAGIC.length), parts.MAGIC)) malformed("not a sealed document"); // [DOC-1]
  const length = parts.number(prefix.slice(-4));
  if (length < 1 || length > limits.DOCUMENT_HEADER_SIZE) malformed("a header of another length");
  const rest = yield { at: PREFIX, length: length + HEADER };
  if (rest.length < length + HEADER) malformed("the document ends in its front");
  const front = concat(prefix, rest.subarray(0, length));
  const floeHeader = rest.slice(length);
  return { ...parts.readHeader(rest.slice(0, length)), front, floeHeader, commitment: floeHeader.slice(-32), start: PREFIX + length + HEADER };
}

/** Check that a key is that of the front, and open the metadata. [DOC-4] [DOC-8] */
export function openFront(front, key) {
  const floe = Floe.read(key, front.floeHeader, concat(BODY, sha256(front.front)));
  if (floe === null) damaged("another key, or another front");
  return { ...front, key, floe, metadata: parts.readMetadata(parts.openUnder(key, parts.METADATA, front, front.metadata)) };
}

function openTrailer(opened, sealed) {
  const trailer = parts.readTrailer(parts.openUnder(opened.key, parts.TRAILER, opened, sealed));
  const same = equal(trailer.id, opened.id) && trailer.version === opened.version && equal(trailer.commitment, opened.commitment);
  return same ? trailer : damaged("the author signed another document"); // [DOC-9]
}

// --- at any place -----------------------------------------------------------------------------------

/** Return the grants beside a document of `size` bytes, each as it came. */
export function* readGrants(size) {
  const footer = parts.readFooter(yield { at: Math.max(0, size - parts.FOOTER), length: parts.FOOTER });
  const at = size - parts.FOOTER - footer.grants;
  return at < 0 ? malformed("more grants than bytes") : parts.readGrants(yield { at, length: footer.grants });
}

/** Open the end of a document of `size` bytes whose front was opened. `verify(message, signedBy)` checks the author. */
export function* openSeekable(opened, size, verify) {
  const footer = parts.readFooter(yield { at: Math.max(0, size - parts.FOOTER), length: parts.FOOTER });
  const place = size - parts.FOOTER - footer.grants - footer.trailer;
  if (place < 0) damaged("shorter than its footer says");
  const trailer = openTrailer(opened, yield { at: place, length: footer.trailer });
  const layout = new Layout(opened.start, trailer.length);
  const fits = layout.segments === trailer.segments && footer.segments === trailer.segments && layout.end === place;
  if (!fits) damaged("another length than the author signed"); // [DOC-9]
  const standing = verify(trailer.signed, trailer.signedBy); // [DOC-10], in this order
  const nodes = hashesIn(yield { at: layout.nodes, length: layout.blocks * HASH });
  if (!equal(merkle.root(nodes), trailer.root)) damaged("other nodes than the author signed");
  return { ...opened, trailer, standing, layout, nodes, block: null, leaves: null };
}

/** Return the verified content of a segment. [DOC-10] */
function* segmentContent(document, number) {
  const { layout, nodes, floe } = document;
  const block = Math.floor(number / BLOCK);
  if (document.block !== block) {
    const last = Math.min((block + 1) * BLOCK, layout.segments) - 1;
    const at = layout.at(last) + layout.size(last);
    const bytes = yield { at, length: (last + 1 - block * BLOCK) * HASH };
    const leaves = hashesIn(bytes.slice());
    if (!equal(merkle.root(leaves), nodes[block])) damaged("other hashes than the author signed");
    Object.assign(document, { block, leaves });
  }
  const segment = yield { at: layout.at(number), length: layout.size(number) };
  if (!equal(merkle.leafHash(segment), document.leaves[number % BLOCK])) damaged("another segment than the author signed");
  const text = floe.open(number, segment, number === layout.segments - 1) ?? damaged("a segment does not authenticate");
  const content = contentOf(text);
  return content.length === layout.content(number) ? content : damaged("another content than the author signed");
}

/** Yield the content from one place up to another, or to the end. */
export function* readContent(document, from = 0, to = document.layout.length) {
  const end = Math.min(to, document.layout.length);
  let at = from;
  while (at < end) {
    const number = Math.floor(at / CONTENT);
    const content = yield* segmentContent(document, number);
    const first = at - number * CONTENT;
    const taken = content.subarray(first, Math.min(content.length, end - number * CONTENT));
    yield { content: taken };
    at += taken.length;
  }
}

// --- in one pass ------------------------------------------------------------------------------------

/** Yield the content of a document from its first byte to its last. What is yielded must not be used before the end. */
export function* readInOnePass(key, verify) {
  const opened = openFront(yield* readFront(), key);
  const state = { at: opened.start, length: 0, number: 0, leaves: [], nodes: [], full: true };
  for (let last = false; !last;) last = yield* passSegment(opened, state);
  if (paddedLength(state.length) !== state.room) damaged("another padding than sealing makes"); // [DOC-5]
  const nodes = yield { at: state.at, length: state.nodes.length * HASH };
  if (!equal(nodes, concat(...state.nodes))) damaged("nodes that are not those of the blocks");
  state.at += nodes.length;
  const most = limits.DOCUMENT_TRAILER_SIZE + limits.DOCUMENT_GRANTS_SIZE + parts.FOOTER;
  const end = yield { at: state.at, length: most + 1 };
  const footer = parts.readFooter(end.slice(-parts.FOOTER));
  const fits = footer.trailer + footer.grants + parts.FOOTER === end.length && footer.segments === state.number;
  if (!fits) damaged("the document and its footer differ");
  const trailer = openTrailer(opened, end.slice(0, footer.trailer));
  const same = trailer.length === state.length && trailer.segments === state.number && equal(trailer.root, merkle.root(state.nodes));
  if (!same) damaged("another content than the author signed"); // [DOC-9]
  return { ...opened, trailer, standing: verify(trailer.signed, trailer.signedBy) };
}

/** Read a segment, and the leaf hashes of a block that it ends. Returns whether it is the last. */
function* passSegment({ floe }, state) {
  const bytes = yield { at: state.at, length: SEGMENT };
  if (bytes.length < OVERHEAD + COUNT) damaged("the document ends before its last segment");
  const said = lastLength(bytes);
  const size = said ?? SEGMENT;
  if (size < OVERHEAD + COUNT || size > bytes.length) damaged("a segment of an impossible length");
  const segment = bytes.subarray(0, size);
  const text = floe.open(state.number, segment, said !== null) ?? damaged("a segment does not authenticate");
  const content = contentOf(text);
  if (content.length > 0 && !state.full) damaged("content behind a segment that was not full"); // [DOC-5]
  state.full = content.length === CONTENT;
  state.length += content.length;
  state.room = state.number * CONTENT + text.length - COUNT;
  state.number += 1;
  state.at += size;
  state.leaves.push(merkle.leafHash(segment));
  if (content.length > 0) yield { content };
  if (said !== null || state.number % BLOCK === 0) {
    const leaves = yield { at: state.at, length: state.leaves.length * HASH };
    if (!equal(leaves, concat(...state.leaves))) damaged("hashes that are not those of the segments");
    state.at += leaves.length;
    state.nodes.push(merkle.root(state.leaves));
    state.leaves = [];
  }
  return said !== null;
}
