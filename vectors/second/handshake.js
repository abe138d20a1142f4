// The handshake: PQXDH and X3DH, from both sides, up to the associated data.
// Not here: what is recorded afterwards (account.js), the ratchet that begins from the secret (ratchet.js).

import * as addresses from "./address.js";
import { equal } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import * as kdf from "./kdf.js";
import * as kem from "./kem.js";
import { PQXDH, SUITES } from "./limits.js";
import { encodeInitialHeader } from "./messages.js";
import * as prekeys from "./prekeys.js";

const TRANSCRIPT = "letterlock-v1 handshake transcript";

/** Return AD: the digest of the whole handshake, both addresses and, between users, their ids. [HAND-6] [HAND-17] */
function associatedData({ suite, initiator, recipient, identities, ephemeral, signed, oneTime, kemPrekey, userIds }) {
  if (userIds !== null && userIds.length !== 64) refuse("UsageError", "two user ids have 64 bytes");
  return kdf.sha256(cbor.encode([
    TRANSCRIPT, 1, suite, initiator, recipient, ...identities, ephemeral,
    signed,
    oneTime,
    kemPrekey,
    ...(userIds === null ? [] : [userIds]),
  ]));
}

function checkBundle(us, to, bundle) {
  const ours = addresses.same(us.address, to) || equal(bundle.identity, curve.publicOf(us.identity)); // [HAND-11]
  if (ours || !addresses.same(bundle.address, to)) refuse("AddressMismatch", "the bundle belongs to another address");
}

function checkSuite(suite, bundle) {
  if (!SUITES.includes(suite)) refuse("UsageError", "no such suite");
  if (suite === PQXDH && bundle.kem === null) refuse("SuiteRefused", "a bundle without a KEM prekey"); // [HAND-5]
}

/**
 * Initiate. `us` is our address and private identity key, `now` the time in seconds.
 * `recorded` fixes the result of the KEM, if it is not null.
 * `userIds` are those of both users, or null.
 * Returns SK, AD, the header bytes of the initial message and their digest.
 */
export function initiate(us, given) {
  const { to, bundle, now, suite, ephemeral = curve.pair().private, recorded = null, userIds = null } = given;
  checkBundle(us, to, bundle);
  prekeys.verifyBundle(bundle); // [HAND-1]
  prekeys.checkFresh(bundle, now); // [HAND-15]
  checkSuite(suite, bundle);
  const identity = curve.publicOf(us.identity);
  const agreements = [
    curve.agree(us.identity, bundle.signed.key),
    curve.agree(ephemeral, bundle.identity),
    curve.agree(ephemeral, bundle.signed.key),
  ];
  if (bundle.oneTime !== null) agreements.push(curve.agree(ephemeral, bundle.oneTime.key)); // [HAND-4]
  const encapsulated = suite === PQXDH ? encapsulate(bundle.kem.key, recorded) : null;
  const said = { suite, ephemeral: curve.publicOf(ephemeral) };
  const headerBytes = encodeInitialHeader({
    ...said,
    identity,
    signedPrekeyId: bundle.signed.id,
    oneTimePrekeyId: bundle.oneTime === null ? null : bundle.oneTime.id,
    kem: encapsulated === null ? null : { prekeyId: bundle.kem.id, ciphertext: encapsulated.ciphertext },
  });
  return {
    secret: kdf.handshake(suite, agreements, encapsulated === null ? null : encapsulated.secret),
    associatedData: associatedData({
      ...said,
      initiator: us.address,
      recipient: to,
      identities: [identity, bundle.identity],
      signed: [bundle.signed.id, bundle.signed.key],
      oneTime: bundle.oneTime === null ? null : [bundle.oneTime.id, bundle.oneTime.key],
      kemPrekey: encapsulated === null ? null : [bundle.kem.id, bundle.kem.key, encapsulated.ciphertext],
      userIds,
    }),
    headerBytes,
    handshakeId: kdf.sha256(headerBytes),
    signedPrekey: bundle.signed.key,
  };
}

function encapsulate(key, recorded) {
  return recorded === null ? kem.encapsulate(key) : kem.encapsulateRecorded(key, recorded);
}

/** Refuse a message from our own address, before it is decoded. [HAND-11] */
export function checkFrom(us, from) {
  if (addresses.same(us.address, from)) refuse("AddressMismatch", "a message from our own address");
}

/** Step 1 of the recipient: refuse a message with our own identity key. [HAND-11] */
export function checkSender(us, message) {
  if (equal(message.identity, curve.publicOf(us.identity))) refuse("AddressMismatch", "a message under our own key");
}

/** Step 3 of the recipient: refuse a suite that is not allowed. */
export function checkAllowed(suites, message) {
  if (!suites.includes(message.suite)) refuse("SuiteRefused", "a suite that is not allowed"); // [HAND-3]
}

/**
 * Step 4: find the prekeys that a message names. `find(kinds, id)` returns a prekey with its private key, or undefined.
 * If the handshake uses no one-time prekey, `checkReplay(prekey)` is called with the prekey that records handshakes.
 */
export function namedPrekeys(message, find, checkReplay = () => {}) {
  const signed = find([prekeys.SIGNED], message.signedPrekeyId);
  if (signed === undefined) refuse("UnknownPrekey", "no such signed prekey");
  const kemPrekey = message.kem === null
    ? null
    : find([prekeys.KEM_ONE_TIME, prekeys.KEM_LAST_RESORT], message.kem.prekeyId);
  // In this step, an unknown KEM prekey counts as a last-resort one.
  const again = kemPrekey === undefined ? { kind: prekeys.KEM_LAST_RESORT, id: message.kem.prekeyId } : kemPrekey ?? signed;
  const repeatable = message.oneTimePrekeyId === null && again.kind !== prekeys.KEM_ONE_TIME;
  if (repeatable) checkReplay(again); // [HAND-8]
  const oneTime = message.oneTimePrekeyId === null ? null : find([prekeys.ONE_TIME], message.oneTimePrekeyId);
  if (oneTime === undefined || kemPrekey === undefined) refuse("UnknownPrekey", "no such one-time or KEM prekey");
  return { signed, oneTime, kem: kemPrekey, replayed: repeatable ? again : null };
}

/** Step 5, up to AD: derive the secret. */
export function respond(us, { from, message, named, userIds = null }) {
  const agreements = [
    curve.agree(named.signed.private, message.identity),
    curve.agree(us.identity, message.ephemeral),
    curve.agree(named.signed.private, message.ephemeral),
  ];
  if (named.oneTime !== null) agreements.push(curve.agree(named.oneTime.private, message.ephemeral)); // [HAND-4]
  const kemSecret = named.kem === null ? null : kem.decapsulate(named.kem.private, message.kem.ciphertext);
  const idAndKey = (prekey) => [prekey.id, prekeys.publicOf(prekey.kind, prekey.private)];
  return {
    secret: kdf.handshake(message.suite, agreements, kemSecret),
    associatedData: associatedData({
      suite: message.suite,
      initiator: from,
      recipient: us.address,
      identities: [message.identity, curve.publicOf(us.identity)],
      ephemeral: message.ephemeral,
      signed: idAndKey(named.signed),
      oneTime: named.oneTime === null ? null : idAndKey(named.oneTime),
      kemPrekey: named.kem === null ? null : [...idAndKey(named.kem), message.kem.ciphertext],
      userIds,
    }),
    handshakeId: message.handshakeId,
  };
}
