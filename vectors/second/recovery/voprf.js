// The function of RFC 9497 that two parties compute, verifiable, with ristretto255 and SHA-512.
// Not here: what is blinded (password.js).

import { ristretto255, ristretto255_oprf } from "@noble/curves/ed25519.js";
import { ascii, concat } from "../bytes.js";
import { refuse } from "../errors.js";

const { voprf } = ristretto255_oprf;
const KEY_INFO = ascii("letterlock-v1 server key of a recovery");
const ELEMENT = 32;

export const OUTPUT = 64;
export const EVALUATION = 96;

/** Check that bytes are the one encoding of an element, and not the identity. */
export function checkElement(bytes) {
  let element;
  try {
    element = ristretto255.Point.fromBytes(bytes);
  } catch {
    refuse("InvalidKey", "no element of the group in its one encoding");
  }
  if (element.equals(ristretto255.Point.ZERO)) refuse("InvalidKey", "the identity");
  return bytes;
}

const keysOf = (seed) => voprf.deriveKeyPair(seed, KEY_INFO);

export const publicOf = (seed) => keysOf(seed).publicKey;

/** What a server answers: the element, then the proof. */
export function evaluate(seed, blinded) {
  checkElement(blinded);
  const { secretKey, publicKey } = keysOf(seed);
  const { evaluated, proof } = voprf.blindEvaluate(secretKey, publicKey, blinded);
  return concat(evaluated, proof);
}

/** An input on its way to a server: `blinded` travels, and the blind opens the answer. */
export class Blinding {
  #blind;
  #input;

  constructor(input) {
    const { blind, blinded } = voprf.blind(input);
    this.#input = input;
    this.#blind = blind;
    this.blinded = blinded;
  }

  /** Return the output, once the proof shows that the server used the key of `publicKey`, which was checked. */
  finish(evaluation, publicKey) {
    try {
      const [evaluated, proof] = [evaluation.slice(0, ELEMENT), evaluation.slice(ELEMENT)];
      return voprf.finalize(this.#input, this.#blind, evaluated, this.blinded, publicKey, proof);
    } catch {
      return refuse("InvalidSignature", "an evaluation that is not by the key that was announced");
    }
  }
}
