// Evidence: two chains of device lists that contradict each other. [USR-17]

import * as addresses from "./address.js";
import { equal } from "./bytes.js";
import * as deviceList from "./device-list.js";
import { refuse } from "./errors.js";
import * as limits from "./limits.js";
import { elements } from "./messages.js";
import * as typed from "./typed.js";

const KIND = 9;

function lists(item) {
  const encoded = typed.array(item, 0, limits.EVIDENCE_LISTS);
  return encoded.map((each) => deviceList.decode(typed.bytes(each, 0, limits.DEVICE_LIST_SIZE)));
}

function described(chain) {
  const newest = chain.at(-1).snapshot;
  return { userId: chain[0].snapshot.hash, version: newest.version, head: newest.hash.slice(0, limits.HEAD_SIZE) };
}

export function check(data) {
  const size = { count: 6, size: limits.EVIDENCE_SIZE, nesting: 2, items: 7 + limits.EVIDENCE_LISTS };
  const [name, ...parts] = elements(data, KIND, size).elements;
  addresses.fromItem([typed.text(name), 1]);
  const [shared, ours, theirs] = parts.map(lists);
  if (ours.length === 0 || shared.length + theirs.length === 0) refuse("InvalidDeviceList", "one chain only");
  const [first, second] = [[...shared, ...ours], [...shared, ...theirs]];
  deviceList.verifyChain(first, 0);
  deviceList.verifyChain(second, shared.length);
  const meets = theirs.length > 0 && equal(ours[0].snapshot.hash, theirs[0].snapshot.hash);
  if (meets) refuse("InvalidDeviceList", "the chains part later");
  let kind = "FORK";
  if (shared.length === 0) kind = "OTHER_USER";
  else if (theirs.length === 0) kind = "OLDER";
  return { name, kind, version: shared.length + 1, ours: described(first), theirs: described(second) };
}
