// Operations on linking.

import { fromHex, toHex } from "../bytes.js";
import * as deviceList from "../device-list.js";
import * as linking from "../linking.js";
import * as exchange from "../linking-exchange.js";
import * as payload from "../linking-payload.js";

const outCode = ({ bundleHash, secret, expires, place }) => ({
  bundle_hash: toHex(bundleHash), secret: toHex(secret), expires, place,
});

function writeCode(given) {
  const data = linking.encodeCode({
    bundleHash: given.sized("bundle_hash", 32), secret: given.sized("secret", 32), expires: given.integer("expires"), place: given.text("place"),
  });
  return { data: toHex(data), text: linking.text(data) };
}

function decodeBundle(given) {
  const { identity, edwards, mlDsaKey, receiving, nonceHash } = linking.decodeBundle(given.bytes("data"));
  return {
    identity: toHex(identity), ed25519: toHex(edwards), ml_dsa: toHex(mlDsaKey), receiving: toHex(receiving), nonce_hash: toHex(nonceHash),
  };
}

const showDigits = (given) => ({
  digits: linking.digits({
    secret: given.sized("secret", 32), bundleHash: given.sized("bundle_hash", 32),
    sealedOffer: given.bytes("sealed_offer"), nonce: given.sized("nonce", 32),
  }),
});

function decodeOffer(given) {
  const { snapshot, id } = exchange.decodeOffer(given.bytes("data"));
  return { snapshot: toHex(snapshot.encoded), id };
}

function decodeAnswer(given) {
  const { id, mlDsaKey, identitySignature, signature, nonce } = exchange.decodeAnswer(given.bytes("data"));
  return { id, ml_dsa: toHex(mlDsaKey), identity_signature: toHex(identitySignature), signature: toHex(signature), nonce: toHex(nonce) };
}

const codeOf = (given) => linking.decodeCode(given.bytes("code"));

function makeOffer(given) {
  const newest = deviceList.decodeSnapshot(given.bytes("first"));
  const offer = exchange.makeOffer({
    newest, userId: newest.hash, code: codeOf(given), bundle: given.bytes("bundle"), now: given.integer("now"),
    device: { id: given.integer("id", 1), class: given.integer("class") },
  });
  return { offer: toHex(exchange.encodeOffer(offer)) };
}

function takeAnswer(given) {
  const { digits } = exchange.takeAnswer({
    code: codeOf(given), bundle: given.bytes("bundle"), offer: exchange.decodeOffer(given.bytes("offer")),
    sealedOffer: given.bytes("sealed_offer"), answer: given.bytes("answer"), now: given.integer("now"),
  });
  return { digits };
}

function deviceOf(given) {
  const device = given.object("device");
  return {
    identity: device.sized("identity", 32), signing: device.sized("signing", 64), receiving: device.sized("receiving", 32),
    nonce: device.sized("nonce", 32),
  };
}

function takeOffer(given) {
  const { snapshot, id, digits } = exchange.takeOffer({
    device: deviceOf(given), code: codeOf(given), sealedOffer: given.bytes("sealed_offer"), now: given.integer("now"),
  });
  return { version: snapshot.version, hash: toHex(snapshot.hash), id, digits };
}

function takePackage(given) {
  const { userId, version, id, payload } = exchange.takePackage({
    device: deviceOf(given), code: codeOf(given), sealedOffer: given.bytes("sealed_offer"), answer: given.bytes("answer"),
    sealedPackage: given.bytes("sealed_package"),
  });
  return { user_id: toHex(userId), version, id, payload: toHex(payload) };
}

function decodePayload(given) {
  const { name, seed, sealed, pins } = payload.decode(given.bytes("data"));
  const shown = pins.map((each) => ({
    name: each.name, user_id: toHex(each.userId), version: each.version, hash: toHex(each.hash), state: each.state,
  }));
  return { name, seed: seed && toHex(seed), sealed: sealed.map(toHex), pins: shown };
}

const byteStrings = (given, name) => given.list(name).map((each) => fromHex(each) ?? given.wrong(name, "a list of byte strings"));

function payloadSeeds(given) {
  const snapshots = byteStrings(given, "snapshots").map(deviceList.decodeSnapshot);
  const seeds = payload.seedsOf(payload.decode(given.bytes("payload")), snapshots, given.integer("id", 1));
  return { seeds: seeds.map(toHex) };
}

export const linkings = {
  "linking.write_code": writeCode,
  "linking.read_code": (given) => outCode(linking.fromText(given.text("text"))),
  "linking.decode_code": (given) => outCode(linking.decodeCode(given.bytes("data"))),
  "linking.decode_bundle": decodeBundle,
  "linking.digits": showDigits,
  "payload.decode": decodePayload,
  "payload.seal_seeds": (given) => ({
    sealed: payload.sealSeeds(byteStrings(given, "seeds"), given.sized("user_id", 32)).map(toHex),
  }),
  "payload.seeds": payloadSeeds,
  "linking.decode_offer": decodeOffer,
  "linking.decode_answer": decodeAnswer,
  "linking.make_offer": makeOffer,
  "linking.take_answer": takeAnswer,
  "linking.take_offer": takeOffer,
  "linking.take_package": takePackage,
};
