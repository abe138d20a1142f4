// Operations on collections: logs, keys of epochs, forks.

import { fromHex, toHex } from "../bytes.js";
import { decodeEntry, entryOf } from "../documents/entry.js";
import * as epoch from "../documents/epoch.js";
import * as fork from "../documents/fork.js";
import { follow, sorted, verifySteps, vouched } from "../documents/log.js";
import { mayNest, voidEdges } from "../documents/nesting.js";
import { refuse } from "../errors.js";
import { listsOf } from "./documents.js";

function shown(state) {
  const name = ({ kind, id }) => [kind, toHex(id)];
  return {
    collection: toHex(state.collection),
    number: state.number,
    head: toHex(state.head),
    phase: state.phase,
    epoch: state.epoch,
    members: sorted(state.members).map((each) => [...name(each), each.role, each.since, each.generation]),
    writers: sorted(state.writers).map(name),
    name: toHex(state.name),
  };
}

/** Return what the entries come to by the rules alone, or null if there are none. */
export function stateOf(given) {
  let state = null;
  for (const each of given.objects("entries")) {
    const signer = each.object("signer");
    const named = {
      userId: signer.sized("user_id", 32), deviceId: signer.integer("device_id"), version: signer.integer("version"),
      listHash: signer.sized("hash", 32),
    };
    state = follow(state, entryOf(each.bytes("terms"), named));
  }
  return state;
}

const followAll = (given) => shown(stateOf(given) ?? refuse("UsageError", "a log has at least one entry"));

function read(given) {
  const entries = given.list("entries").map((each) => decodeEntry(fromHex(each) ?? given.wrong("entries", "entries")));
  const { steps, missing } = verifySteps(listsOf(given), null, entries);
  const count = vouched(steps);
  return {
    taken: count,
    unvouched: count < steps.length ? steps[count].entry.number : null,
    missing: missing && { user_id: toHex(missing.userId), version: missing.version },
    state: count === 0 ? null : shown(steps[count - 1].after),
  };
}

const openingOf = (given) => ({ commitment: given.sized("commitment", 32), history: given.sized("history_commitment", 32) });

function check(given) {
  return { history: epoch.check(given.integer("epoch"), given.bytes("keys"), openingOf(given)).length === 64 };
}

function earlier(given) {
  const link = given.object("link");
  const found = { epoch: link.integer("epoch"), sealed: link.sized("sealed", 80) };
  const keys = epoch.earlier(given.integer("epoch"), given.bytes("keys"), found, openingOf(given));
  return { epoch: found.epoch, keys: toHex(keys) };
}

function name(given) {
  return { name: epoch.name(given.integer("epoch"), given.bytes("keys"), given.sized("sealed", 284)) };
}

function checkFork(given) {
  const found = fork.check(given.bytes("evidence"), listsOf(given));
  return {
    collection: toHex(found.collection), number: found.number, ours: found.ours.map(toHex), theirs: found.theirs.map(toHex),
  };
}

function edgesOf(given) {
  return given.objects("edges").map((each) => ({
    outer: each.text("outer"), inner: each.text("inner"), entry: each.sized("entry", 32),
  }));
}

function voidOf(given) {
  const found = voidEdges(edgesOf(given), new Set(given.list("closed")));
  return { void: found.map(({ outer, inner }) => [outer, inner]) };
}

function nest(given) {
  const sound = mayNest(edgesOf(given), given.text("outer"), given.text("inner"));
  return sound ? {} : refuse("UsageError", "such collections are not inside each other");
}

export const collections = {
  "epoch.check": check,
  "epoch.earlier": earlier,
  "epoch.name": name,
  "fork.check": checkFork,
  "log.follow": followAll,
  "log.read": read,
  "nesting.check": nest,
  "nesting.void": voidOf,
};
