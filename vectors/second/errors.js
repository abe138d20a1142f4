// What is refused, under the names of spec/README.md.
// Not here: bugs. Whatever is thrown that is no Refusal is a fault of this implementation.

export const NAMES = new Set([
  "UnsupportedVersion", "MalformedMessage", "InvalidKey", "InvalidSignature", "AddressMismatch", "SuiteRefused",
  "AuthenticationFailed", "BraidFailed", "DuplicateMessage", "TooManySkipped", "UnknownPrekey", "UnknownSession",
  "ReplayRecordFull", "UntrustedIdentity", "SafetyNumberMismatch", "CorruptStore", "WrongKey", "UsageError", "NoSession", "PlaintextTooLong",
]);

export class Refusal extends Error {
  constructor(name, detail) {
    super(detail);
    if (!NAMES.has(name)) throw new TypeError(`no such refusal: ${name}`);
    this.name = name;
  }
}

/** Refuse: always throws. */
export function refuse(name, detail) {
  throw new Refusal(name, detail);
}

/** Run `work`; a refusal in it comes out under another name. Anything else passes, for it is a bug. */
export function refusingAs(name, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) refuse(name, error.message);
    throw error;
  }
}
