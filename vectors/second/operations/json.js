// Operations on JSON documents and blind indices.

import { fromHex, toHex } from "../bytes.js";
import { token } from "../documents/blind-index.js";
import * as document from "../documents/json-document.js";
import { join, Scopes, split } from "../documents/json-fields.js";
import { parse, write } from "../documents/json-text.js";
import { readGrants } from "../documents/parts.js";
import { verify } from "../documents/signature.js";
import { refusingAs } from "../errors.js";
import { listsOf, outSigner } from "./documents.js";

function canonical(given) {
  return { text: write(parse(given.bytes("text"))) };
}

function fields(given) {
  const scopes = refusingAs("UsageError", () => new Scopes(given.list("scopes")));
  return { sections: split(scopes, parse(given.bytes("text"))) };
}

function open(given) {
  const lists = listsOf(given);
  const keys = given.list("keys").map((each) => fromHex(each) ?? given.wrong("keys", "keys"));
  const found = document.decode(given.bytes("document"));
  const { trailer, standing, contents } = document.open(found, keys, (...signed) => verify(lists, ...signed));
  const fieldsOf = new Map([...contents].map(([at, content]) => [at, content.fields]));
  return {
    id: toHex(found.id),
    version: found.version,
    issued: trailer.issued,
    signer: outSigner(trailer.signedBy.signer),
    standing,
    count: found.sections.length,
    scopes: trailer.scopes.all.map(({ section, path }) => [section, path]),
    open: [...contents].map(([section, { name }]) => ({ section, name })),
    text: join(trailer.scopes, fieldsOf),
  };
}

function grants(given) {
  return { grants: readGrants(document.decode(given.bytes("document")).grants).map(toHex) };
}

function tokenOf(given) {
  const [key, name] = [given.sized("key", 32), given.text("name")];
  return { token: token(key, name, given.integer("bits"), given.text("value")) };
}

export const jsons = {
  "index.token": tokenOf,
  "json.canonical": canonical,
  "json.fields": fields,
  "json.grants": grants,
  "json.open": open,
};
