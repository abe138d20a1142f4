// Operations on keys and functions.

import { fromHex, toHex } from "../bytes.js";
import * as curve from "../curve.js";
import * as erasure from "../erasure.js";
import * as kdf from "../kdf.js";
import * as kem from "../kem.js";
import * as kemSplit from "../kem-split.js";
import * as safetyNumber from "../safety-number.js";
import * as xeddsa from "../xeddsa.js";

const side = (given) => ({ address: given.address("address"), identity: given.bytes("identity") });

export function outSafetyNumber({ digits, scannable }) {
  return { digits, scannable: toHex(scannable) };
}

function kdfHandshake(given) {
  const agreements = given.bytes("agreements"); // joined, in order
  const secret = kdf.handshake(given.integer("suite"), [agreements], given.optional("kem_secret", given.bytes));
  return { secret: toHex(secret) };
}

/** Restore a text from pairs of [index, codeword], in the given order. */
function erasureText(given) {
  const length = given.integer("length");
  const most = erasure.codewordCount(length);
  const collected = given.list("codewords").reduce((held, pair) => {
    const [index, text] = Array.isArray(pair) && pair.length === 2 ? pair : given.wrong("codewords", "a list of pairs");
    const codeword = typeof text === "string" ? fromHex(text) : null;
    const fits = Number.isSafeInteger(index) && index >= 0 && index < erasure.INDICES && codeword?.length === erasure.CODEWORD;
    if (!fits) given.wrong("codewords", "a list of an index and a codeword each");
    return erasure.collect(held, index, codeword, most);
  }, new Map());
  return { text: toHex(erasure.text(length, collected)) };
}

const erasures = {
  "erasure.codewords": (given) => ({
    codewords: toHex(erasure.codewords(given.bytes("text"), given.integer("first"), given.integer("count", 1))),
  }),
  "erasure.text": erasureText,
};

const splitKem = {
  "split_kem.split": (given) => {
    const { header, vector } = kemSplit.split(given.bytes("key"));
    return { header: toHex(header), vector: toHex(vector) };
  },
  "split_kem.encapsulate_header": (given) => {
    const { secret, ct1 } = kemSplit.encapsulateHeader(given.bytes("header"), given.bytes("m"));
    return { secret: toHex(secret), ct1: toHex(ct1) };
  },
  "split_kem.encapsulate_vector": (given) => ({
    ct2: toHex(kemSplit.encapsulateVector(given.bytes("header"), given.bytes("vector"), given.bytes("m"))),
  }),
  "split_kem.decapsulate": (given) => ({
    secret: toHex(kemSplit.decapsulate(given.bytes("seed"), given.bytes("ct1"), given.bytes("ct2"))),
  }),
};

export const keys = {
  ...erasures,
  ...splitKem,
  "curve.public": (given) => ({ key: toHex(curve.checkPublic(given.bytes("key"))) }),
  "curve.from_private": (given) => ({ public: toHex(curve.publicOf(given.bytes("private"))) }),
  "curve.agree": (given) => ({ shared: toHex(curve.agree(given.bytes("private"), given.bytes("public"))) }),
  "kem.public": (given) => ({ key: toHex(kem.checkPublic(given.bytes("key"))) }),
  "kem.from_seed": (given) => ({ public: toHex(kem.publicOf(given.bytes("seed"))) }),
  "kem.decapsulate": (given) => ({ secret: toHex(kem.decapsulate(given.bytes("seed"), given.bytes("ciphertext"))) }),
  "xeddsa.sign": (given) => {
    const secret = given.bytes("private");
    const signature = xeddsa.sign(secret, given.bytes("message"), given.sized("nonce", 64));
    return { public: toHex(curve.publicOf(secret)), signature: toHex(signature) };
  },
  "xeddsa.verify": (given) => {
    xeddsa.verify(given.bytes("public"), given.bytes("message"), given.bytes("signature"));
    return {};
  },
  "kdf.hmac": (given) => ({ mac: toHex(kdf.hmac(given.bytes("key"), given.bytes("data"))) }),
  "kdf.hkdf": (given) => {
    const okm = kdf.hkdf(given.bytes("salt"), given.bytes("ikm"), given.bytes("info"), given.integer("length"));
    return { okm: toHex(okm) };
  },
  "kdf.handshake": kdfHandshake,
  "kdf.root": (given) => {
    const { root, chain } = kdf.root(given.sized("root", 32), given.sized("agreement", 32));
    return { root: toHex(root), chain: toHex(chain) };
  },
  "kdf.chain": (given) => {
    const { chain, message } = kdf.chain(given.sized("chain", 32));
    return { chain: toHex(chain), message: toHex(message) };
  },
  "safety_number.compute": (given) =>
    outSafetyNumber(safetyNumber.compute(side(given.object("ours")), side(given.object("theirs")))),
  "safety_number.verify": (given) => {
    safetyNumber.verify(side(given.object("ours")), side(given.object("theirs")), given.bytes("scanned"));
    return {};
  },
};
