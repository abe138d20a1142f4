// The table of all operations, by the names of vectors/README.md.

import { refuse } from "../errors.js";
import { encodings } from "./encodings.js";
import { handshakes } from "./handshakes.js";
import { Input } from "./input.js";
import { keys } from "./keys.js";
import { partyOperations } from "./parties.js";
import { plays } from "./plays.js";
import { stored } from "./stored.js";

/** A function (name, input) -> output, with parties of its own. Throws a Refusal for what is refused. */
export function implementation() {
  const table = { ...keys, ...encodings, ...handshakes, ...plays, ...stored, ...partyOperations() };
  table.hello = () => ({
    implementation: "letterlock second, JavaScript", version: "1", protocol: 1, operations: Object.keys(table),
  });
  return (name, input) => {
    if (!Object.hasOwn(table, name)) refuse("UsageError", "no such operation");
    return table[name](new Input(input));
  };
}
