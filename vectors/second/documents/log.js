// The rules of the log of a collection or group, and logs that are verified. [DOC-60] to [DOC-72] [GRP-9] to [GRP-13]

import { compare, equal, toHex } from "../bytes.js";
import { Refusal, refuse } from "../errors.js";
import * as limits from "../limits.js";
import * as entries from "./entry.js";
import { verifyLeaf } from "./signature.js";

const { CREATE, ADD, REMOVE, LEAVE, ROLE, RENAME, RENEW, CLOSE } = entries;
const [READER, WRITER, ADMIN] = [1, 2, 3];
const OPENING = [CREATE, REMOVE, RENEW];

/** The phase after an action, by the phase before. [DOC-63] */
const PHASES = {
  none: { [CREATE]: "open" },
  open: { [ADD]: "open", [REMOVE]: "open", [LEAVE]: "spent", [ROLE]: "open", [RENAME]: "open", [RENEW]: "open", [CLOSE]: "closed" },
  spent: { [ADD]: "spent", [REMOVE]: "open", [LEAVE]: "spent", [ROLE]: "spent", [RENEW]: "open", [CLOSE]: "closed" },
  closed: {},
};

/** The same for groups. [GRP-13] */
const GROUP_PHASES = {
  none: { [CREATE]: "open" },
  open: { [ADD]: "open", [REMOVE]: "parted", [LEAVE]: "spent", [ROLE]: "open", [RENAME]: "open", [RENEW]: "open", [CLOSE]: "closed" },
  parted: { [REMOVE]: "parted", [LEAVE]: "spent", [ROLE]: "parted", [RENAME]: "parted", [RENEW]: "open", [CLOSE]: "closed" },
  spent: { [REMOVE]: "parted", [LEAVE]: "spent", [ROLE]: "spent", [RENEW]: "parted", [CLOSE]: "closed" },
  closed: {},
};

/** Return the phase after an entry, or undefined where it is not allowed. */
function phaseAfter(before, { kind, action, opening }) {
  if (kind !== entries.OF_GROUP) return PHASES[before][action];
  const after = GROUP_PHASES[before][action];
  return action === RENEW && after === "open" && opening?.renewed.length > 0 ? "parted" : after;
}

const LEAST_ROLE = {
  [CREATE]: ADMIN, [ADD]: ADMIN, [REMOVE]: ADMIN, [LEAVE]: READER, [ROLE]: ADMIN, [RENAME]: ADMIN, [RENEW]: WRITER, [CLOSE]: ADMIN,
};

/** [DOC-63] [DOC-114] */
function leastRole(action, number, before) {
  const isLate = action === RENEW && number > limits.FREE_LOG && before !== "spent";
  return isLate ? ADMIN : LEAST_ROLE[action];
}

function need(holds, problem) {
  if (!holds) refuse("InvalidEntry", problem);
}

const key = ({ kind, id }) => `${kind} ${toHex(id)}`;
const order = (left, right) => left.kind - right.kind || compare(left.id, right.id);
const ascending = (names) => names.every((each, at) => at === 0 || order(names[at - 1], each) < 0);
const userKey = (userId) => key({ kind: entries.USER, id: userId });
export const sorted = (members) => [...members.values()].sort(order);

// --- changes ----------------------------------------------------------------------------------------

function add(members, { changes, epoch }) {
  need(changes.length > 0, "nobody is added"); // [DOC-65]
  for (const each of changes) {
    need(!members.has(key(each)), "somebody is added who is a member");
    need(each.since === 0 || each.since === epoch, "a member of an epoch that is over or to come");
    members.set(key(each), each);
  }
}

/** What each action does to the members. */
const EFFECTS = {
  [CREATE]: add,
  [ADD]: add,
  [REMOVE](members, { changes, signer }) {
    need(changes.length > 0, "nobody is removed"); // [DOC-66]
    for (const each of changes) {
      need(key(each) !== userKey(signer.userId), "the author removes itself");
      need(members.delete(key(each)), "somebody is removed who is no member");
    }
  },
  [LEAVE](members, { signer }) {
    members.delete(userKey(signer.userId)); // [DOC-68]
  },
  [ROLE](members, { changes }) {
    need(changes.length > 0, "no role is changed"); // [DOC-67]
    for (const each of changes) {
      const member = members.get(key(each));
      need(member !== undefined && member.role !== each.role, "no other role of a member");
      members.set(key(each), { ...member, role: each.role });
    }
  },
  [RENAME](_, { changes }) {
    need(changes.length === 1, "no name");
  },
  [RENEW]() {},
  [CLOSE]() {},
};

// --- rules ------------------------------------------------------------------------------------------

function checkPlace(state, entry) {
  const { number, collection, before, epoch } = entry; // [DOC-61]
  if (state === null) {
    need(number === 1 && collection === null && before === null && epoch === 1, "no entry 1");
    return;
  }
  need(number === state.number + 1 && number <= limits.COLLECTION_LOG, "another number");
  need(collection !== null && equal(collection, state.collection), "another collection");
  need(before !== null && equal(before, state.head), "another entry before");
}

/** What is checked of an opening and the one before it. */
const checkNew = {
  [entries.OF_COLLECTION](before, opening, epoch) {
    const used = [before.commitment, before.history];
    const again = [opening.commitment, opening.history].some((each) => used.some((old) => equal(each, old)));
    need(!again, "a commitment of the epoch before");
    need(opening.link === null || opening.link.epoch < epoch, "a link to no earlier epoch");
  },
  /** [GRP-11] */
  [entries.OF_GROUP](before, opening) {
    need(!equal(opening.commitment, before.commitment), "the commitment of the epoch before");
    need(opening.history === before.history, "another rule about history");
  },
};

/** [DOC-69] */
function checkOpening(state, members, { kind, action, epoch, opening }, author) {
  need((opening !== null) === OPENING.includes(action), "an opening missing or left over");
  if (opening === null) {
    need(epoch === state.epoch, "another epoch than the current one");
    return;
  }
  need(author.since === 0, "an author that does not read all epochs");
  need(kind === entries.OF_GROUP || !equal(opening.commitment, opening.history), "one commitment twice");
  need(ascending(opening.renewed), "renewed members in another order");
  if (state === null) {
    need(kind === entries.OF_GROUP || opening.link === null, "a link of the first epoch");
  } else {
    need(epoch === state.epoch + 1, "another epoch than the next");
    checkNew[kind](state.opening, opening, epoch);
  }
  for (const each of opening.renewed) {
    const member = members.get(key(each));
    need(state !== null && member !== undefined && each.generation > member.generation, "a generation that did not grow");
    members.set(key(each), { ...member, generation: each.generation });
  }
}

/** [DOC-64] */
function checkMembers(kind, members) {
  const readsAll = (each) => each.kind === entries.USER && each.since === 0;
  need(kind !== entries.OF_GROUP || [...members.values()].every(readsAll), "a member of a group that is none"); // [GRP-10]
  const admins = [...members.values()].filter((each) => each.role === ADMIN);
  need(members.size <= limits.MEMBERS && admins.length > 0, "too many members, or no admin");
  need(admins.every(readsAll), "an admin that is no user, or reads not all epochs");
}

/** Return the state after an entry; `state` is null before entry 1. Checks no signature. */
export function follow(state, entry) {
  need(state === null || state.kind === entry.kind, "an entry of another kind of log"); // [GRP-9]
  checkPlace(state, entry);
  const phase = phaseAfter(state?.phase ?? "none", entry);
  need(phase !== undefined, "an action that the phase does not allow"); // [DOC-63]
  const named = entry.action === RENAME ? [] : entry.changes;
  need(ascending(named), "changes in another order, or twice"); // [DOC-62]
  const members = new Map(state?.members ?? []);
  EFFECTS[entry.action](members, entry);
  const author = (state?.members ?? members).get(userKey(entry.signer.userId));
  const least = leastRole(entry.action, entry.number, state?.phase);
  need(author !== undefined && author.role >= least, "an author that may not do this");
  checkMembers(entry.kind, members);
  checkOpening(state, members, entry, author);
  const seen = new Map(state?.seen ?? []);
  const by = toHex(entry.signer.userId);
  need(entry.signer.version >= (seen.get(by) ?? 0), "an older list of the author"); // [DOC-70]
  seen.set(by, entry.signer.version);
  const writers = new Map(entry.opening === null ? state.writers : []);
  for (const each of members.values()) {
    if (each.role >= WRITER) writers.set(key(each), { kind: each.kind, id: each.id });
  }
  return {
    kind: entry.kind,
    collection: state?.collection ?? entry.hash.slice(0, 16),
    number: entry.number,
    head: entry.hash,
    phase,
    epoch: entry.epoch,
    opening: entry.opening ?? state.opening,
    name: entry.opening?.name ?? (entry.action === RENAME ? entry.changes[0] : state.name),
    members, writers, seen,
  };
}

// --- signatures -------------------------------------------------------------------------------------

/** Follow entries and verify them, as far as lists are known. Returns a step for each, and what list is missing. */
export function verifySteps(lists, state, found) {
  const steps = [];
  for (const entry of found) {
    const after = follow(state, entry);
    const standing = standingOf(lists, entry);
    if (standing === null) return { steps, missing: entry.signer };
    steps.push({ entry, before: state, after, standing });
    state = after;
  }
  return { steps, missing: null };
}

function standingOf(lists, { leaf, place, signedBy }) {
  try {
    return verifyLeaf(lists, leaf, place, signedBy);
  } catch (error) {
    if (error instanceof Refusal && error.name === "UnknownAuthor") return null;
    throw error;
  }
}

/** Return how many steps from the first on are of listed devices, or vouched for. [DOC-72] */
export function vouched(steps) {
  const vouching = new Set();
  let count = steps.length;
  for (let at = steps.length - 1; at >= 0; at -= 1) {
    const { entry, before, after, standing } = steps[at];
    const members = (before ?? after).members;
    if (standing === "listed") vouching.add(userKey(entry.signer.userId));
    else if (![...vouching].some((each) => members.get(each)?.role >= WRITER)) count = at;
  }
  return count;
}
