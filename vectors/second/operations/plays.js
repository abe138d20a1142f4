// Plays: lists of steps for one ratchet or one account. A refused step is answered with its name, and the play goes on.

import { Account } from "../account.js";
import * as addresses from "../address.js";
import { bigEndian, toHex } from "../bytes.js";
import * as braid from "../braid.js";
import * as curve from "../curve.js";
import { Refusal, refuse } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as messages from "../messages.js";
import { CODEWORDS, U32 } from "../limits.js";
import * as ratchet from "../ratchet.js";
import * as sparse from "../sparse.js";
import * as triple from "../triple.js";

export function playSteps(given, moves) {
  const steps = given.objects("steps").map((step) => {
    const move = step.text("do");
    if (!Object.hasOwn(moves, move)) step.wrong("do", "a step of this play");
    try {
      return moves[move](step);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: error.name };
    }
  });
  return { steps };
}

/** Return a source of the next ratchet key pair: the given one, or a fresh one. */
function freshOf(step) {
  const secret = step.optional("ratchet_private", step.bytes) ?? undefined;
  return () => curve.pair(secret);
}

/** The first state of a double or triple ratchet. */
function begin(given, kind) {
  const [secret, signedPrekey] = [given.sized("secret", 32), given.bytes("signed_prekey")];
  if (given.text("role") === "recipient") return kind.recipient(secret, curve.pair(signedPrekey));
  if (given.text("role") !== "initiator") given.wrong("role", "initiator or recipient");
  return kind.initiator(secret, signedPrekey, curve.pair(given.bytes("ratchet_private")));
}

function playRatchet(given) {
  const associatedData = given.sized("associated_data", 32);
  let state = begin(given, ratchet);
  return playSteps(given, {
    send(step) {
      const sent = ratchet.send(state, {
        associatedData, plaintext: step.bytes("plaintext"), nonce: step.sized("nonce", 8), fresh: freshOf(step),
      });
      state = sent.state;
      return { message: toHex(sent.message) };
    },
    receive(step) {
      const received = ratchet.receive(state, associatedData, messages.decodeMessage(step.bytes("message"), messages.RATCHET));
      state = received.state;
      return { plaintext: toHex(received.plaintext) };
    },
    state: () => ({ state: state.name, skipped: state.skipped.size }),
  });
}

function playTriple(given) {
  const associatedData = given.sized("associated_data", 32);
  let state = begin(given, triple);
  return playSteps(given, {
    send(step) {
      if (state === null) refuse("SessionEnded", "the session ended");
      const sent = triple.send(state, {
        associatedData, plaintext: step.bytes("plaintext"), nonce: step.sized("nonce", 8), fresh: freshOf(step),
        draw: step.entropy("entropy"),
      });
      state = sent.state;
      return { message: toHex(sent.message) };
    },
    receive(step) {
      const data = step.bytes("message");
      const message = messages.decodeMessage(data, messages.kindOf(data));
      if (state === null) refuse("AuthenticationFailed", "the session ended");
      const received = triple.receive(state, associatedData, message);
      state = received.state;
      return { plaintext: toHex(received.plaintext) };
    },
    state: () => (state === null ? { state: "Ended", braid: null, epoch: null, skipped: 0 } : {
      state: state.double.name, braid: state.braid.name, epoch: state.braid.epoch, skipped: state.double.skipped.size,
    }),
  });
}

function playSparse(given) {
  let state = sparse.start(given.sized("secret", 32), given.flag("initiator"));
  let kept = new Map();
  return playSteps(given, {
    send(step) {
      const { state: next, number, previous, key } = sparse.send(state, step.integer("epoch"));
      state = next;
      return { number, previous, key: toHex(key) };
    },
    receive(step) {
      const header = { epoch: step.integer("epoch"), number: step.integer("number", 1, U32), previous: step.integer("previous") };
      const { key, commit } = sparse.findMessageKey(state, kept, header);
      const committed = commit();
      state = committed.state;
      kept = ratchet.keep(kept, [committed], Infinity); // the limit belongs to sessions
      return { key: toHex(key) };
    },
    add_epoch(step) {
      state = sparse.addEpoch(state, step.integer("epoch"), step.sized("secret", 32));
      return {};
    },
  });
}

function playBraid(given) {
  let state = braid.start(given.sized("secret", 32), given.flag("initiator"));
  const secretOf = (moved) => {
    state = moved.state;
    return moved.secret && toHex(moved.secret);
  };
  return playSteps(given, {
    send(step) {
      const moved = braid.send(state, step.integer("max_codewords", 1, CODEWORDS), step.entropy("entropy"));
      const { codewords, ...pqHeader } = moved.pqHeader;
      return { ...pqHeader, codewords: codewords && toHex(codewords), secret: secretOf(moved) };
    },
    receive(step) {
      return { secret: secretOf(braid.receive(state, { epoch: step.integer("epoch"), ...step.codewords() })) };
    },
    state: () => ({ state: state.name, epoch: state.epoch }),
  });
}

function beginAccount(given, clock) {
  const account = new Account({
    address: given.address("address"), identity: given.bytes("identity"), suites: given.numbers("suites"), clock,
  });
  for (const prekey of given.objects("prekeys")) {
    account.keep({
      kind: prekey.integer("kind"),
      id: prekey.integer("id"),
      private: prekey.bytes("private"),
      expires: prekey.optional("expires", prekey.integer),
    });
  }
  given.optional("replays", () => {
    const replays = given.object("replays");
    const prekey = { kind: replays.integer("kind"), id: replays.integer("id") };
    for (let index = 0; index < replays.integer("count"); index += 1) account.remember(prekey, sha256(bigEndian(index, 4)));
  });
  return account;
}

function movesOf(account, clock) {
  return {
    initiate(step) {
      account.initiate(step.address("address"), step.bytes("bundle"), {
        suite: step.integer("suite"),
        ephemeral: step.bytes("ephemeral"),
        ratchetKey: step.bytes("ratchet_private"),
        recorded: step.recordedKem("kem"),
        discardEarlier: step.optional("discard_earlier", step.flag) ?? false,
      });
      return {};
    },
    encrypt(step) {
      const ratchetKey = step.optional("ratchet_private", step.bytes) ?? undefined;
      const drawn = { nonce: step.sized("nonce", 8), ratchetKey, draw: step.entropy("entropy") };
      return { message: toHex(account.encrypt(step.address("address"), step.bytes("plaintext"), drawn)) };
    },
    decrypt: (step) => ({ plaintext: toHex(account.decrypt(step.address("address"), step.bytes("message"))) }),
    accept_identity(step) {
      account.acceptIdentity(step.address("address"), step.bytes("identity"));
      return {};
    },
    wait(step) {
      clock.now += step.integer("seconds");
      return {};
    },
    allow(step) {
      account.suites = step.numbers("suites");
      return {};
    },
    users(step) {
      const ids = { ours: step.optional("ours", step.bytes), theirs: step.optional("theirs", step.bytes) };
      const place = addresses.key(step.address("address"));
      if (ids.theirs === null) account.users.delete(place);
      else account.users.set(place, ids);
      return {};
    },
    sessions(step) {
      const { sessions } = account.peer(step.address("address"));
      const skipped = sessions.reduce((total, session) => total + (session.ratchet?.skipped.size ?? 0), 0);
      return { sessions: sessions.length, skipped };
    },
    prekeys() {
      account.sweep();
      return { ids: [...account.prekeys.values()].map((prekey) => prekey.id).sort((left, right) => left - right) };
    },
  };
}

function playAccount(given) {
  const begun = given.object("account");
  const clock = { now: begun.integer("now") };
  const account = beginAccount(begun, () => clock.now);
  return playSteps(given, movesOf(account, clock));
}

export const plays = { "ratchet.play": playRatchet, "account.play": playAccount, "triple.play": playTriple, "sparse.play": playSparse, "braid.play": playBraid };
