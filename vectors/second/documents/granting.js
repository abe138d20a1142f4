// Making a grant of a key to one's own user, and parcels for users: what a person does who claims something.
// Not here: reading grants (grant.js), which key is granted (readers.js).

import { ascii, bigEndian, concat } from "../bytes.js";
import * as cbor from "../cbor.js";
import * as composite from "../composite.js";
import { elements } from "../envelope.js";
import * as hpke from "../hpke.js";
import { sha256 } from "../kdf.js";
import { PARCEL_SIZE, U32 } from "../limits.js";
import { pad } from "../padding.js";
import * as typed from "../typed.js";
import { GRANT, grantLeaf, info, LABEL } from "./grant.js";
import * as merkle from "./merkle.js";
import { LEAVES } from "./signature.js";
import { encodeSigner } from "./signer.js";

const PARCEL = 22;
const USER = 1;
const FOR_USER = ascii("letterlock-v1 parcel for a user");
const MOST_THINGS = 64;
const THING_SIZE = 24_576;

/** The kinds of things in a parcel. */
export const [A_GRANT, A_NOTE, AN_INTRODUCTION] = [1, 2, 3];

const ownKey = ({ lists }) => lists.at(-1).snapshot.documentKey;

/** Grant the key of a subject to one's own user. `user` is one device of it, as user.js has it. [DOC-33] [DOC-35] [DOC-40] */
export function grantToSelf(user, subject, key, issued) {
  const { version, hash } = user.lists.at(-1).snapshot;
  const { generation, public: documentKey } = ownKey(user);
  const signer = { userId: user.userId, deviceId: user.id, version, listHash: hash };
  const named = [user.userId, user.id, version, hash];
  const recipient = [USER, cbor.encode([user.userId, generation, sha256(documentKey)])];
  const about = [subject.kind, subject.id, subject.number, subject.commitment];
  const encoded = cbor.encode([LABEL, about, recipient, named, issued, "", null, null]);
  const sealed = hpke.seal(documentKey, info({ encoded }, 0), key);
  const root = merkle.leafHash(grantLeaf(encoded, sha256(sealed))); // of a tree with one leaf [DOC-32]
  const signature = composite.sign(user.keys.signing, concat(encodeSigner(signer), bigEndian(1, 4), root), LEAVES);
  const mlDsaKey = composite.publicOf(user.keys.signing).slice(0, composite.ML_DSA_KEY);
  return cbor.encode([1, GRANT, encoded, sealed, [0, 1, []], [...named, mlDsaKey, signature]]);
}

/** Seal things into a parcel for a user, by the newest list of that user. [DOC-90] */
export function parcelFor(userId, { generation, public: documentKey }, things) {
  const bound = concat(FOR_USER, userId, bigEndian(generation, 4));
  return cbor.encode([1, PARCEL, USER, generation, hpke.seal(documentKey, bound, pad(cbor.encode(things)))]);
}

export const introduction = (user) => [AN_INTRODUCTION, cbor.encode([user.userId, user.name])];

/** Read a parcel, whose contents are sealed still. */
export function openEnvelope(data) {
  const { elements: [kind, number, sealed] } = elements(data, PARCEL, { count: 5, size: PARCEL_SIZE });
  return { kind: typed.integer(kind, 1, 2), number: typed.integer(number, 1, U32), sealed: typed.bytes(sealed, 1, PARCEL_SIZE) };
}

/** Read the contents of a parcel or an invitation: [[kind, bytes] ...]. */
export function readContents(data) {
  const items = typed.array(cbor.decode(data, { nesting: 2, items: 3 * MOST_THINGS + 1 }), 1, MOST_THINGS);
  return items.map((each) => {
    const [kind, bytes] = typed.array(each, 2);
    return { kind: typed.integer(kind, 1, 255), data: typed.bytes(bytes, 1, THING_SIZE) };
  });
}

/** Read an introduction. It is to be compared with the lists that the directory has under the name. [DOC-92] */
export function readIntroduction(data) {
  const [userId, name] = typed.array(cbor.decode(data, { nesting: 1, items: 3 }), 2);
  return { userId: typed.bytes(userId, 32), name: typed.text(name) };
}
