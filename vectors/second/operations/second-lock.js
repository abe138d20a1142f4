// Operations on the second lock, on provisional identities, and on the calls that keep a box.

import { fromHex, toHex } from "../bytes.js";
import { decodeSnapshot } from "../device-list.js";
import * as hpke from "../hpke.js";
import { decode } from "../recovery/bodies.js";
import * as keeping from "../recovery/keeping.js";
import * as provisional from "../recovery/provisional.js";
import * as secondLock from "../recovery/second-lock.js";
import { SECOND_LOCK } from "../recovery/second-lock-bodies.js";
import { showAll, shownBytes } from "./bodies.js";

const snapshotsOf = (given) =>
  given.list("snapshots").map((each) => decodeSnapshot(fromHex(each) ?? given.wrong("snapshots", "a list of byte strings")));
const bothOf = (given) => ["first", "second"].map((each) => given.bytes(each));
const watchedOf = (given) => bothOf(given).map((each) => decode("watched", each));
const serverOf = (given) => given.integer("server", 1, 2);
const oneOf = (given, kinds) => {
  const kind = given.text("kind");
  return kinds.includes(kind) ? kind : given.wrong("kind", kinds.join(" or "));
};

const DEPOSIT = SECOND_LOCK.keep.elements.find(([key]) => key === "deposit")[1];
const shownDeposit = (deposit) => showAll(DEPOSIT.elements, deposit);

function cut(given) {
  const calls = secondLock.cut(
    given.sized("key", 32), given.sized("user_id", 32), given.integer("delay", 86_400, 259_200), watchedOf(given), given.sized("half", 32),
  );
  return { deposit: shownDeposit(calls[0].deposit), halves: calls.map(({ half }) => toHex(half)), numbers: calls.map(({ number }) => number) };
}

function keep(given) {
  const calls = secondLock.keep(given.sized("user_id", 32), watchedOf(given));
  return { deposit: shownDeposit(calls[0].deposit), numbers: calls.map(({ number }) => number) };
}

function verifyChange(given) {
  const kind = oneOf(given, ["lay", "keep", "stop", "watch", "notify"]);
  secondLock.verifyChange(serverOf(given), kind, given.bytes("request"), snapshotsOf(given));
  return {};
}

function finish(given) {
  const asking = new secondLock.Asking(given.sized("user_id", 32), given.sized("asking", 32));
  return { key: toHex(asking.finish(...bothOf(given))) };
}

function verifyKeeping(given) {
  const kind = oneOf(given, ["put-box", "get-box"]);
  keeping.verify(serverOf(given), kind, given.bytes("request"), snapshotsOf(given), given.optional("kept", given.bytes));
  return {};
}

function verifyWithdrawal(given) {
  provisional.verifyWithdrawal(given.bytes("key"), serverOf(given), given.bytes("request"));
  return {};
}

function judge(given) {
  const { keys, userId } = provisional.judge(...bothOf(given));
  return { keys: keys && keys.map(shownBytes), user_id: userId && toHex(userId) };
}

function seeds(given) {
  const found = provisional.seeds(given.sized("asking", 32), ...bothOf(given));
  return { keys: found.map(({ id, seeds: both }) => [toHex(id), ...both.map((seed) => shownBytes(hpke.publicOf(seed)))]) };
}

export const secondLocks = {
  "provisional.judge": judge,
  "provisional.owner": (given) => ({ key: toHex(provisional.ownerKey(given.sized("secret", 32), given.sized("id", 32))) }),
  "provisional.seeds": seeds,
  "provisional.verify_withdrawal": verifyWithdrawal,
  "recovery.verify_keeping": verifyKeeping,
  "second_lock.cut": cut,
  "second_lock.finish": finish,
  "second_lock.keep": keep,
  "second_lock.verify_change": verifyChange,
};
