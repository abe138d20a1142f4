// Operations on what is sealed to a key.

import { equal, toHex } from "../bytes.js";
import * as hpke from "../hpke.js";

/** Open a sealed text. If the random bytes of its sealing are known, seal it again: the result must be the same. */
function open(given) {
  const [seed, info, sealed] = [given.sized("seed", 32), given.bytes("info"), given.bytes("sealed")];
  const text = hpke.open(seed, info, sealed);
  given.optional("encapsulation", () => {
    const drawn = given.object("encapsulation");
    const made = { m: drawn.sized("m", 32), ephemeral: drawn.sized("ephemeral", 32) };
    if (!equal(hpke.seal(hpke.publicOf(seed), info, text, made), sealed)) throw new Error("m and the ephemeral key seal something else");
  });
  return { text: toHex(text) };
}

export const sealedTexts = {
  "xwing.from_seed": (given) => ({ public: toHex(hpke.publicOf(given.sized("seed", 32))) }),
  "xwing.public": (given) => ({ key: toHex(hpke.checkPublic(given.bytes("key"))) }),
  "hpke.open": open,
};
