// The table of all operations, by the names of vectors/README.md.

import { refuse } from "../errors.js";
import { collections } from "./collections.js";
import { contents } from "./contents.js";
import { documents } from "./documents.js";
import { encodings } from "./encodings.js";
import { grants } from "./grants.js";
import { groups } from "./groups.js";
import { handshakes } from "./handshakes.js";
import { Input } from "./input.js";
import { jsons } from "./json.js";
import { keys } from "./keys.js";
import { linkings } from "./linking.js";
import { liveUserOperations } from "./live-users.js";
import { partyOperations } from "./parties.js";
import { plays } from "./plays.js";
import { recoveries } from "./recovery.js";
import { relays } from "./relay.js";
import { sealedTexts } from "./sealed.js";
import { secondLocks } from "./second-lock.js";
import { stored } from "./stored.js";
import { users } from "./users.js";

/** Return a function (name, input) -> output, with parties of its own. It throws a Refusal if the operation refuses. */
export function implementation() {
  const table = {
    ...keys, ...encodings, ...handshakes, ...plays, ...stored, ...users, ...contents, ...linkings, ...sealedTexts, ...relays,
    ...documents, ...grants, ...collections, ...jsons, ...groups, ...recoveries, ...secondLocks,
    ...partyOperations(), ...liveUserOperations(),
  };
  table.hello = () => ({
    implementation: "letterlock second, JavaScript", version: "1", protocol: 1, operations: Object.keys(table),
  });
  return (name, input) => {
    if (!Object.hasOwn(table, name)) refuse("UsageError", "no such operation");
    return table[name](new Input(input));
  };
}
