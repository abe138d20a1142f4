// A sender's chain, as a device hands it out. [GRP-3]

import { checkEdwards } from "../composite.js";
import { elements } from "../envelope.js";
import { refuse } from "../errors.js";
import * as limits from "../limits.js";
import * as typed from "../typed.js";

const KIND = 29;
const KEY = 32;

export function decodeChain(data) {
  const found = elements(data, KIND, { count: 10, size: limits.SENDER_CHAIN_SIZE }).elements;
  const [groupId, epoch, opening, number, before, key, nextSeed, keys] = found;
  const read = {
    groupId: typed.bytes(groupId, 16),
    epoch: typed.integer(epoch, 1, limits.U32),
    opening: typed.bytes(opening, 32),
    number: typed.u32(number),
    before: typed.integer(before, 0, number),
    key: typed.bytes(key, KEY),
    nextSeed: typed.bytes(nextSeed, KEY),
  };
  typed.bytes(keys, KEY, limits.SEED_EPOCHS * KEY);
  if (keys.length % KEY !== 0) refuse("MalformedMessage", "half a signing key");
  const signingKeys = Array.from({ length: keys.length / KEY }, (_, at) => keys.slice(at * KEY, (at + 1) * KEY));
  signingKeys.forEach(checkEdwards);
  return { ...read, signingKeys };
}
