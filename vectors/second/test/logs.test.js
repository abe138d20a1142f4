// Logs that are longer than any vector's.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as entries from "../documents/entry.js";
import { follow } from "../documents/log.js";
import * as limits from "../limits.js";
import { toHex } from "../bytes.js";

const id = (byte, length = 32) => new Uint8Array(length).fill(byte);
const [ALICE, BOB] = [id(1), id(2)];
const [WRITER, ADMIN] = [2, 3];

function stateOf(number, phase, kind) {
  const opening = { commitment: id(3), history: kind === entries.OF_GROUP ? 0 : id(4), renewed: [], name: id(5), link: null };
  const members = new Map([[ALICE, ADMIN], [BOB, WRITER]].map(([user, role]) => [
    `${entries.USER} ${toHex(user)}`, { kind: entries.USER, id: user, role, since: 0, generation: 1 },
  ]));
  return {
    kind, collection: id(6, 16), number, head: id(7), phase, epoch: 9, opening, name: id(5), members, writers: new Map(), seen: new Map(),
  };
}

function renewal(state, author) {
  const opening = { ...state.opening, commitment: id(8), history: state.kind === entries.OF_GROUP ? 0 : id(9) };
  return {
    kind: state.kind, number: state.number + 1, collection: state.collection, before: state.head, epoch: 10, action: entries.RENEW,
    changes: [], opening, signer: { userId: author, version: 1 }, hash: id(10),
  };
}

test("the last tenth of a log is left to admins, but where somebody left", () => { // [DOC-114]
  for (const kind of [entries.OF_COLLECTION, entries.OF_GROUP]) {
    const early = stateOf(limits.FREE_LOG - 1, "open", kind);
    assert.equal(follow(early, renewal(early, BOB)).epoch, 10);
    for (const number of [limits.FREE_LOG, limits.COLLECTION_LOG - 1]) {
      const late = stateOf(number, "open", kind);
      assert.throws(() => follow(late, renewal(late, BOB)), { name: "InvalidEntry" });
      assert.equal(follow(late, renewal(late, ALICE)).epoch, 10);
      const spent = stateOf(number, "spent", kind);
      assert.equal(follow(spent, renewal(spent, BOB)).epoch, 10);
    }
    const full = stateOf(limits.COLLECTION_LOG, "spent", kind);
    assert.throws(() => follow(full, renewal(full, ALICE)), { name: "InvalidEntry" });
  }
});
