// Evidence of a fork: two histories of one log. [DOC-80]

import { equal } from "../bytes.js";
import { refuse } from "../errors.js";
import * as limits from "../limits.js";
import { elements } from "../envelope.js";
import * as typed from "../typed.js";
import { decodeEntry } from "./entry.js";
import { verifySteps } from "./log.js";

const KIND = 21;

function decode(data) {
  const size = { count: 5, size: limits.FORK_SIZE, nesting: 2, items: 7 + limits.FORK_ENTRIES };
  return elements(data, KIND, size).elements.map((part) =>
    typed.array(part, 0, limits.FORK_ENTRIES).map((each) => decodeEntry(typed.bytes(each, 0, limits.ENTRY_SIZE))));
}

/** Return the state after entries, all of which must hold. */
function verified(lists, state, entries) {
  const { steps, missing } = verifySteps(lists, state, entries);
  if (missing !== null) refuse("UnknownAuthor", "no list of an author is on record");
  return steps.length === 0 ? state : steps.at(-1).after;
}

const collectionOf = ({ collection, hash }) => collection ?? hash.slice(0, 16);

export function check(data, lists) {
  const [shared, ours, theirs] = decode(data);
  if (ours.length === 0 || theirs.length === 0) refuse("InvalidEntry", "one history only");
  if (equal(ours[0].hash, theirs[0].hash)) refuse("InvalidEntry", "the histories part later");
  if (!equal(collectionOf(ours[0]), collectionOf(theirs[0]))) refuse("InvalidEntry", "two collections");
  const state = verified(lists, null, shared);
  for (const part of [ours, theirs]) verified(lists, state, part);
  const authors = (part) => part.map((each) => each.signer.userId);
  return { collection: collectionOf(ours[0]), number: ours[0].number, ours: authors(ours), theirs: authors(theirs) };
}
