// What recovery sends and stores, after spec/recovery.cddl: locks, calls, answers, cards, the contents of boxes.
// Not here: what is computed of it.

import { answer, request } from "../bodies.js";
import * as bodies from "../bodies.js";
import { equal } from "../bytes.js";
import { refuse } from "../errors.js";
import * as limits from "../limits.js";
import { blob, flag, id, integer, list, name as personName, nullable, positive, record, signature, u32 } from "../relay-types.js";
import { PROVISIONAL } from "./provisional-bodies.js";
import { SECOND_LOCK } from "./second-lock-bodies.js";
import { checked, edwardsKey, hash, kind, signed, xwingKey } from "./types.js";
import { checkElement, EVALUATION } from "./voprf.js";

const HELD = 2;
export const SEALED = 80;
const TICKET = 68;

const nonce = blob(32);
const element = checked(blob(32), checkElement);
const name = [["user_id", hash], ["lock_id", id]];
const standing = record([["uses_left", integer(0, limits.LOCK_USES)], ["not_before", u32], ["rests", flag]]);

/** A lock: its encoding and its fields. [REC-4] */
export const LOCK = answer(limits.LOCK_SIZE, [
  ...name, ["passes", integer(limits.LEAST_PASSES, limits.MOST_PASSES)],
  ["memory", integer(limits.LEAST_MEMORY, limits.MOST_MEMORY)], ["public_1", element], ["public_2", element],
  ["sealed", blob(SEALED)],
]);

/** A body in a byte string. It keeps its encoding. */
const embedded = (body) => {
  const whole = blob(1, body.size);
  return {
    form: "embedded", items: 1, elements: body.elements,
    read(item) {
      const encoded = whole.read(item);
      return { ...bodies.decode(body, encoded), encoded };
    },
    write: ({ encoded }) => encoded,
  };
};
const lock = embedded(LOCK);

function checkEvaluated({ evaluation, nonce: given }) {
  if ((evaluation === null) !== (given === null)) refuse("MalformedMessage", "an evaluation without a nonce, or the reverse");
}

function checkSettle({ user_id: userId, lock: found }) {
  if (!equal(userId, found.user_id)) refuse("MalformedMessage", "a lock of another user");
}

const SMALL = limits.RECOVERY_BODY;
const SIGNED = limits.SIGNED_RECOVERY_BODY;

const CARD = answer(SIGNED, [["user_id", hash], ["receiving", xwingKey], ...signed]);
const card = embedded(CARD);
const box = blob(1, limits.BOX_SIZE);
const opaque = blob(1, limits.OPAQUE_SIZE);

function checkKept({ card: found, box: sealed }) {
  if ((found === null) !== (sealed === null)) refuse("MalformedMessage", "a card without a box, or the reverse");
}

function checkProven({ pass, user_id: userId }) {
  if (pass === null && userId !== null) refuse("MalformedMessage", "a user without a pass");
}

function checkFrame({ lists }) {
  const size = (lists ?? []).reduce((total, each) => total + each.length, 0);
  if (size > limits.FRAME_LISTS_SIZE) refuse("MalformedMessage", "too many bytes of device lists");
}

const FRAME_SIZE = limits.RECOVERY_CALL_SIZE + limits.OPAQUE_SIZE + limits.FRAME_LISTS_SIZE + 1_024;

/** The bodies, by the names of their rules in spec/recovery.cddl and spec/provisional.cddl. */
export const BODIES = {
  lock: LOCK,
  show: request(30, SMALL, [["user_id", hash]]),
  shown: answer(SMALL, [["locks", list(lock, 0, HELD)], ["standing", standing]]),
  evaluate: request(31, SMALL, [
    ...name, ["blinded", blob(32)], ["companion", nullable(hash)], ["ticket", nullable(blob(TICKET))],
  ]),
  evaluated: answer(SMALL, [
    ["evaluation", nullable(blob(EVALUATION))], ["nonce", nullable(nonce)], ["standing", standing],
    ["ticket", nullable(blob(TICKET))],
  ], checkEvaluated),
  succeed: request(32, SMALL, [...name, ["nonce", nonce], ["signature", signature]]),
  told: answer(SMALL, [["standing", standing]]),
  begin: request(33, SIGNED, [...name, ["blinded", blob(32)], ...signed]),
  begun: answer(SMALL, [["evaluation", blob(EVALUATION)], ["public", element], ["before", id]]),
  settle: request(34, SIGNED, [["user_id", hash], ["lock", lock], ["login", edwardsKey], ...signed], checkSettle),
  finish: request(35, SIGNED, [...name, ["before", nullable(id)], ...signed]),
  done: answer(SMALL, []),
  card: CARD,
  "put-box": request(38, limits.RECOVERY_CALL_SIZE, [
    ["user_id", hash], ["number", positive], ["card", card], ["box", box], ["device_id", positive], ...signed,
  ]),
  "get-box": request(39, SIGNED, [
    ["user_id", hash], ["after", u32], ["time", integer(0, limits.LATEST)], ["device_id", nullable(positive)], ...signed,
  ]),
  kept: answer(limits.BOX_SIZE + SIGNED + limits.LISTS_ANSWER_SIZE + limits.DEVICE_LIST_SIZE, [
    ["number", u32], ["card", nullable(card)], ["box", nullable(box)], ["newest", u32],
    ["lists", list(blob(1, limits.DEVICE_LIST_SIZE), 0, limits.CHAIN_LISTS)],
  ], checkKept),
  find: request(48, SMALL, [["name", personName]]),
  found: answer(SMALL, [["user_id", hash]]),
  identify: request(36, SMALL, [["kind", kind], ["claim", nullable(blob(1, limits.CLAIM_SIZE))]]),
  challenged: answer(SMALL, [["challenge", nullable(opaque)], ["not_before", u32]]),
  prove: request(37, limits.PROOF_SIZE + SMALL, [["challenge", opaque], ["proof", blob(1, limits.PROOF_SIZE)]]),
  proven: answer(SMALL, [["pass", nullable(opaque)], ["user_id", nullable(hash)], ["tries_left", integer(0, 3)]], checkProven),
  bind: request(40, SIGNED, [["user_id", hash], ["pass", opaque], ["device_id", positive], ...signed]),
  "id-ticket": answer(SMALL, [
    ["identity", blob(1, limits.CLAIM_SIZE)], ["server", integer(1, 2)], ["nonce", nonce], ["not_after", u32],
    ["signature", signature],
  ]),
  contents: answer(limits.BOX_SIZE, [
    ["device_id", positive], ...signed, ["payload", blob(1, limits.LINKING_PACKAGE_SIZE)],
  ]),
  frame: answer(FRAME_SIZE, [
    ["call", blob(1, limits.RECOVERY_CALL_SIZE)], ["pass", nullable(opaque)],
    ["lists", nullable(list(blob(1, limits.DEVICE_LIST_SIZE), 1, limits.FRAME_LISTS))],
  ], checkFrame),
  ...SECOND_LOCK,
  ...PROVISIONAL,
};

export const decode = (kind, data) => bodies.decode(BODIES[kind], data);
export const encode = (kind, values) => bodies.encode(BODIES[kind], values);

/** Read a lock. It keeps its encoding. */
export const decodeLock = (data) => lock.read(data);

/** Read a card. It keeps its encoding. */
export const decodeCard = (data) => card.read(data);

/** The elements of a call between its number and the key of its signer. */
export const changeOf = (kind, call) => {
  const { elements } = BODIES[kind];
  return elements.slice(0, -signed.length).map(([key, type]) => type.write(call[key]));
};
