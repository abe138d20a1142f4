// Operations on linking.

import { toHex } from "../bytes.js";
import * as linking from "../linking.js";

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

const digits = (given) => ({
  digits: linking.digits({
    secret: given.sized("secret", 32), bundleHash: given.sized("bundle_hash", 32),
    sealedOffer: given.bytes("sealed_offer"), nonce: given.sized("nonce", 32),
  }),
});

export const linkings = {
  "linking.write_code": writeCode,
  "linking.read_code": (given) => outCode(linking.fromText(given.text("text"))),
  "linking.decode_code": (given) => outCode(linking.decodeCode(given.bytes("data"))),
  "linking.decode_bundle": decodeBundle,
  "linking.digits": digits,
};
