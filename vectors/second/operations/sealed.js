// Operations on sealed texts and on history archives.

import * as archive from "../archive.js";
import { concat, equal, toHex } from "../bytes.js";
import { refuse } from "../errors.js";
import * as hpke from "../hpke.js";
import { sha256 } from "../kdf.js";
import * as secretstream from "../secretstream.js";

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

/** Make mark, archive id, header and frames, as a vector says. */
function makeStream(given) {
  const associated = concat(archive.MARK, given.sized("archive_id", 16));
  const header = given.sized("header", secretstream.HEADER_SIZE);
  let state = secretstream.begin(given.sized("key", 32), header);
  const frames = given.objects("frames").map((each) => {
    const text = each.bytes("text");
    const padded = concat(text, new Uint8Array(each.integer("length", text.length) - text.length));
    const made = secretstream.push(state, padded, associated, each.integer("tag"));
    state = made.state;
    return made.frame;
  });
  return concat(associated, header, ...frames);
}

function readArchive(given) {
  const streams = given.objects("streams").map(makeStream);
  const parts = given.objects("parts").map((each) =>
    each.optional("data", each.bytes) ?? streams[each.integer("stream", 0, streams.length - 1)].slice(each.integer("from"), each.integer("to")));
  const data = concat(...parts);
  if (toHex(sha256(data)) !== given.text("sha256")) refuse("UsageError", "the archive that was made is not the recorded one");
  const items = archive.read(data, { key: given.sized("key", 32), archiveId: given.sized("archive_id", 16) });
  return { items: items.map((each) => ({ length: each.length, sha256: toHex(sha256(each)) })) };
}

export const sealedTexts = {
  "archive.read": readArchive,
  "xwing.from_seed": (given) => ({ public: toHex(hpke.publicOf(given.sized("seed", 32))) }),
  "xwing.public": (given) => ({ key: toHex(hpke.checkPublic(given.bytes("key"))) }),
  "hpke.open": open,
};
