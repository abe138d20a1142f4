// Under which names the members of a group are known: parcels on the shelf of the group's id. [GRP-49] [GRP-50]
// Not here: whether a name is that of the user, which the directory's lists tell.

import { checkName } from "../address.js";
import * as aead from "../aead.js";
import { ascii, bigEndian, concat } from "../bytes.js";
import { AN_INTRODUCTION, openEnvelope, readContents, readIntroduction } from "../documents/granting.js";
import { refuse } from "../errors.js";
import { hkdf } from "../kdf.js";
import { unpad } from "../padding.js";

const LABEL = ascii("letterlock-v1 parcel for a group");
const COLLECTION = 2;
const NONCE = 12;

/** Open a parcel with the secret of the epoch that it names. Returns the epoch, and names with their user ids. */
export function readNames(secret, groupId, data) {
  const { kind, number, sealed } = openEnvelope(data);
  if (kind !== COLLECTION || sealed.length < NONCE) refuse("AuthenticationFailed", "a parcel for somebody else");
  const key = hkdf(new Uint8Array(0), secret, concat(LABEL, groupId, bigEndian(number, 4)), 32);
  const padded = aead.open(key, sealed.slice(0, NONCE), sealed.slice(NONCE), new Uint8Array(0));
  const introductions = readContents(unpad(padded)).filter((each) => each.kind === AN_INTRODUCTION);
  const names = introductions.map((each) => readIntroduction(each.data)).map((each) => ({ ...each, name: checkName(each.name) }));
  return { epoch: number, names };
}
