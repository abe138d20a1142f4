// Live parties: accounts with fresh randomness, for conversations between two implementations.

import { toHex } from "../bytes.js";
import { refuse } from "../errors.js";
import { Publisher } from "../publisher.js";
import { outSafetyNumber } from "./keys.js";

const clock = () => Math.floor(Date.now() / 1000);

/** Return the operations on a new, empty set of parties. */
export function partyOperations() {
  const parties = new Map();
  const party = (given) => parties.get(given.text("party")) ?? refuse("UsageError", "no such party");
  return {
    "party.create": (given) => {
      const name = given.text("party");
      if (parties.has(name)) refuse("UsageError", "this party exists");
      const keeper = new Publisher({ address: given.address("address"), suites: given.numbers("suites"), clock });
      parties.set(name, keeper);
      return { identity: toHex(keeper.identityPublic) };
    },
    "party.bundle": (given) => ({ bundle: toHex(party(given).bundle()) }),
    "party.publish": (given) => ({ publication: toHex(party(given).publish(given.integer("one_time"))) }),
    "party.initiate": (given) => {
      party(given).initiate(given.address("address"), given.bytes("bundle"), { suite: given.integer("suite") });
      return {};
    },
    "party.encrypt": (given) => ({
      message: toHex(party(given).encrypt(given.address("address"), given.bytes("plaintext"))),
    }),
    "party.decrypt": (given) => ({
      plaintext: toHex(party(given).decrypt(given.address("address"), given.bytes("message"))),
    }),
    "party.safety_number": (given) => outSafetyNumber(party(given).safetyNumber(given.address("address"))),
  };
}
