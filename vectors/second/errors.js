// Refusals, named as in spec/README.md.
// Not here: bugs. Anything else that is thrown is a fault of this implementation.

export const NAMES = new Set([
  "UnsupportedVersion", "MalformedMessage", "InvalidKey", "InvalidSignature", "StaleBundle", "AddressMismatch", "SuiteRefused",
  "AuthenticationFailed", "BraidFailed", "DuplicateMessage", "TooManySkipped", "UnknownPrekey", "UnknownSession",
  "ReplayRecordFull", "InvalidDeviceList", "LinkingRefused", "ContactFrozen", "UntrustedIdentity", "SafetyNumberMismatch", "CorruptStore", "WrongKey",
  "DocumentDamaged", "UnknownAuthor", "SignerRevoked", "WrongGrantedKey", "NoGrant", "InvalidEntry", "WrongEpochKey",
  "WrongPassword", "ServerAtFault", "LockWaits", "HalfWaits", "BoxRefused", "RecoveryRefused",
  "InvalidGroupText", "InvalidGroupHistory", "GroupEntryMissing", "GroupKeyMissing", "GroupEpochDue", "DeviceRevoked", "DeviceNotListed",
  "UsageError", "NoSession", "SessionEnded", "PlaintextTooLong",
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

/** Run `work` and rename a refusal in it. Any other error is a bug and passes through. */
export function refusingAs(name, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) refuse(name, error.message);
    throw error;
  }
}

/** Run `work`, and rename a refusal of one name. */
export function refusingOneAs(from, to, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal && error.name === from) refuse(to, error.message);
    throw error;
  }
}
