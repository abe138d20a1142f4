// Opening a sealed file by a link: everything but what the page shows.

import { toHex } from "../../vectors/second/bytes.js";
import { checkCommitment, decodeGrant, openByLink } from "../../vectors/second/documents/grant.js";
import { openFront, openSeekable, readContent, readFront, readGrants } from "../../vectors/second/documents/reading.js";
import { overSource } from "../../vectors/second/documents/run.js";
import { Refusal, refuse } from "../../vectors/second/errors.js";

const AHEAD = 1 << 21; // bytes that are read together, because a read takes long to begin

/** Return a function that reads from a file. */
function reader(file) {
  let [start, held] = [0, new Uint8Array(0)];
  return async (at, length) => {
    if (at < start || at + length > start + held.length) {
      start = at;
      held = new Uint8Array(await file.slice(at, at + Math.max(length, AHEAD)).arrayBuffer());
    }
    return held.subarray(at - start, at - start + length);
  };
}

/** Return what `work` gives, or the refusal that it throws. */
function attempt(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const isAbout = ({ kind, id, number, commitment }, front) =>
  kind === 1 && toHex(id) === toHex(front.id) && number === front.version && toHex(commitment) === toHex(front.commitment);

/** Open one of the grants beside a file. Another document's, another reader's and an ended one are refused. */
function openGrant(data, front, secret, now) {
  const grant = decodeGrant(data);
  if (!isAbout(grant.terms.subject, front)) refuse("NoGrant", "about another document");
  const key = openByLink(grant, secret) ?? refuse("NoGrant", "for somebody else");
  checkCommitment(grant.terms.subject, key);
  const { validUntil } = grant.terms;
  if (validUntil !== null && validUntil < now) refuse("NoGrant", "ended");
  return { terms: grant.terms, opened: openFront(front, key) };
}

/**
 * Open a file with the secret of a link. Returns the terms of the grant, and the document. Nobody's signature was
 * verified. Throws a Refusal.
 */
export async function openFile(file, secret, now) {
  const read = reader(file);
  const front = await overSource(readFront(), read);
  const grants = await overSource(readGrants(file.size), read);
  const tried = grants.map((data) => attempt(() => openGrant(data, front, secret, now))); // one that is wrong is passed over
  const found = tried.find((each) => !(each instanceof Refusal));
  if (found === undefined) throw tried.find((each) => each.message === "ended") ?? new Refusal("NoGrant", "none");
  const document = await overSource(openSeekable(found.opened, file.size, () => "not checked"), read);
  return { terms: found.terms, document, read };
}

/** Give the content to `write`, piece by piece. Each piece was compared with what the author signed. */
export function copyContent({ document, read }, write) {
  return overSource(readContent(document), read, write);
}
