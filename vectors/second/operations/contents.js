// Operations on content.

import { fromHex, toHex } from "../bytes.js";
import * as content from "../content.js";
import { refuse, refusingAs } from "../errors.js";
import { U32 } from "../limits.js";
import { outChain } from "./groups.js";

const outContent = ({ kind, id, sent, ownHead, theirHead, earlier, body, attachments }) => ({
  kind,
  id: toHex(id),
  sent,
  own_head: toHex(ownHead),
  their_head: toHex(theirHead),
  earlier: earlier.map(toHex),
  body: toHex(body),
  attachments: attachments.map(({ name, mediaType, data }) => ({ name, media_type: mediaType, data: toHex(data) })),
  for_application: content.isForApplication(kind),
});

function encode(given) {
  const made = {
    kind: given.integer("kind", 0, U32),
    id: given.sized("id", 16),
    sent: given.integer("sent", 0, U32),
    ownHead: given.sized("own_head", 8),
    theirHead: given.sized("their_head", 8),
    earlier: given.list("earlier").map((each) => fromHex(each) ?? given.wrong("earlier", "a list of tags")),
    body: given.bytes("body"),
    attachments: given.objects("attachments").map((each) => ({
      name: each.text("name"), mediaType: each.text("media_type"), data: each.bytes("data"),
    })),
  };
  return { data: toHex(refusingAs("UsageError", () => content.encode(made))) };
}

const BODIES = {
  [content.RECEIPT]: ({ ids }) => ({ ids: ids.map(toHex) }),
  [content.RETRY_REQUEST]: ({ tag, cause }) => ({ tag: toHex(tag), cause }),
  [content.LIST_NOTICE]: ({ lists }) => ({ hashes: lists.map((each) => toHex(each.snapshot.hash)) }),
  [content.SYNC_COPY]: ({ name, userId, content: copied }) => ({ name, user_id: toHex(userId), content: outContent(copied) }),
  [content.HISTORY_KEY]: ({ archiveId, key }) => ({ archive_id: toHex(archiveId), key: toHex(key) }),
  [content.GROUP_SECRET]: ({ groupId, epoch, opening, secret }) => ({
    group_id: toHex(groupId), epoch, opening: toHex(opening), secret: toHex(secret),
  }),
  [content.GROUP_CHAIN]: outChain,
  [content.GROUP_REQUEST]: ({ groupId, epoch, what }) => ({ group_id: toHex(groupId), epoch, what }),
  [content.GROUP_RECEIPT]: ({ groupId, epoch, since, number, head }) => ({
    group_id: toHex(groupId), epoch, since, number, head: toHex(head),
  }),
  [content.GROUP_HISTORY]: ({ groupId, epoch, entry, document }) => ({
    group_id: toHex(groupId), epoch, entry, document: toHex(document),
  }),
  [content.DOCUMENT_SEED]: ({ generation, seed }) => ({ generation, seed: toHex(seed) }),
};

function readBody(given) {
  const kind = given.integer("kind");
  if (!Object.hasOwn(BODIES, kind)) refuse("UsageError", "a kind whose body is not read");
  return BODIES[kind](content.readBody(kind, given.bytes("body")));
}

export const contents = {
  "content.encode": encode,
  "content.decode": (given) => outContent(content.decode(given.bytes("data"))),
  "content.read_body": readBody,
  "content.tag": (given) => ({ tag: toHex(content.messageTag(given.bytes("message"))) }),
};
