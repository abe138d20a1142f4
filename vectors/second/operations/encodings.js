// Operations on encodings.

import * as addresses from "../address.js";
import * as armor from "../armor.js";
import { toHex } from "../bytes.js";
import * as curve from "../curve.js";
import { LAST_DAY, U32 } from "../limits.js";
import * as messages from "../messages.js";
import * as padding from "../padding.js";
import * as prekeys from "../prekeys.js";
import * as sealing from "../sealing.js";

/** Return the fields of a ratchet or triple message. */
function outMessage({ ratchetKey, previousLength, number, pqHeader, headerBytes, sealed }) {
  const parts = {
    ratchet_key: toHex(ratchetKey), previous_length: previousLength, number, header_bytes: toHex(headerBytes), sealed: toHex(sealed),
  };
  if (pqHeader === undefined) return parts;
  return { ...parts, pq_header: { ...pqHeader, codewords: pqHeader.codewords && toHex(pqHeader.codewords) } };
}

function outInitial(parts) {
  return {
    suite: parts.suite,
    identity: toHex(parts.identity),
    ephemeral: toHex(parts.ephemeral),
    signed_prekey_id: parts.signedPrekeyId,
    one_time_prekey_id: parts.oneTimePrekeyId,
    kem: parts.kem && { prekey_id: parts.kem.prekeyId, ciphertext: toHex(parts.kem.ciphertext) },
    handshake_id: toHex(parts.handshakeId),
    message: outMessage(parts.message),
  };
}

function outPrekey(prekey) {
  return prekey && { ...prekey, key: toHex(prekey.key) };
}

function outHead({ address, identity, madeOn, signed }) {
  return { address, identity: toHex(identity), made_on: madeOn, signed: outPrekey(signed) };
}

function outPair({ oneTime, kem, signature }) {
  return { one_time: outPrekey(oneTime), kem: outPrekey(kem), signature: toHex(signature) };
}

function outPublication(publication) {
  return {
    ...outHead(publication),
    last_resort: outPrekey(publication.lastResort),
    last_resort_signature: toHex(publication.lastResortSignature),
    pairs: publication.pairs.map(outPair),
  };
}

const DECODERS = {
  initial: (data) => outInitial(messages.decodeInitial(data)),
  ratchet: (data) => outMessage(messages.decodeMessage(data, messages.RATCHET)),
  triple: (data) => outMessage(messages.decodeMessage(data, messages.TRIPLE)),
  bundle: (data) => {
    const bundle = prekeys.decodeBundle(data);
    return { ...outHead(bundle), ...outPair(bundle) };
  },
  publication: (data) => outPublication(prekeys.decodePublication(data)),
};

function decode(given) {
  const kind = given.text("kind");
  if (!Object.hasOwn(DECODERS, kind)) given.wrong("kind", "a kind of message");
  return DECODERS[kind](given.bytes("data"));
}

function makeBundle(given) {
  const identity = given.bytes("identity");
  const make = (name) => {
    const prekey = given.object(name);
    const kind = prekey.integer("kind", 1);
    if (!prekeys.KINDS.includes(kind)) prekey.wrong("kind", "a kind of prekey");
    return prekeys.make({ kind, id: prekey.integer("id", 0, U32), private: prekey.bytes("private") });
  };
  const bundle = {
    address: given.address("address"),
    identity: prekeys.publicOf(prekeys.SIGNED, identity),
    madeOn: given.integer("made_on", 0, LAST_DAY),
    signed: make("signed"),
    oneTime: given.optional("one_time", make),
    kem: given.optional("kem", make),
  };
  return { bundle: toHex(prekeys.encodeBundle(prekeys.sign(identity, bundle, given.sized("nonce", 64)))) };
}

function publicationBundles(given) {
  const { pairs, lastResort } = prekeys.bundles(prekeys.decodePublication(given.bytes("publication")));
  return {
    bundles: pairs.map((bundle) => toHex(prekeys.encodeBundle(bundle))),
    last_resort: toHex(prekeys.encodeBundle(lastResort)),
  };
}

function pqHeaderFrom(pqHeader) {
  return {
    epoch: pqHeader.integer("epoch", 1, U32),
    number: pqHeader.integer("number", 1, U32),
    previous: pqHeader.integer("previous", 0, U32),
    ...pqHeader.codewords(),
  };
}

function seal(given) {
  const header = {
    ratchetKey: curve.checkPublic(given.bytes("ratchet_key")),
    previousLength: given.integer("previous_length", 0, U32),
    number: given.integer("number", 0, U32),
    pqHeader: given.optional("pq_header", () => pqHeaderFrom(given.object("pq_header"))),
  };
  const message = sealing.seal(
    given.sized("message_key", 32), given.sized("associated_data", 32), header,
    given.bytes("plaintext"), given.sized("nonce", 8),
  );
  return { message: toHex(message) };
}

function open(given) {
  const [key, associated] = [given.sized("message_key", 32), given.sized("associated_data", 32)];
  const data = given.bytes("message");
  const message = messages.decodeMessage(data, messages.kindOf(data));
  return { plaintext: toHex(sealing.open(key, associated, message)) };
}

export const encodings = {
  "wire.decode": decode,
  "address.decode": (given) => ({ address: addresses.decode(given.bytes("data")) }),
  "bundle.make": makeBundle,
  "bundle.verify": (given) => {
    prekeys.verifyBundle(prekeys.decodeBundle(given.bytes("bundle")));
    return {};
  },
  "publication.verify": (given) => {
    prekeys.verifyPublication(prekeys.decodePublication(given.bytes("publication")));
    return {};
  },
  "publication.bundles": publicationBundles,
  "padding.length": (given) => ({ padded: padding.paddedLength(given.integer("length")) }),
  "padding.pad": (given) => ({ padded: toHex(padding.pad(given.bytes("plaintext"))) }),
  "padding.unpad": (given) => ({ plaintext: toHex(padding.unpad(given.bytes("padded"))) }),
  "seal.seal": seal,
  "seal.open": open,
  "armor.encode": (given) => ({ text: armor.encode(given.bytes("data")) }),
  "armor.decode": (given) => ({ data: toHex(armor.decode(given.text("text"))) }),
};
