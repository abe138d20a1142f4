// Plays: lists of steps against one ratchet or one account. A refused step is answered, and the play goes on.

import { Account } from "../account.js";
import { bigEndian, toHex } from "../bytes.js";
import * as curve from "../curve.js";
import { Refusal } from "../errors.js";
import { sha256 } from "../kdf.js";
import * as messages from "../messages.js";
import * as ratchet from "../ratchet.js";

function playSteps(given, moves) {
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

/** The key pair that is used if one is due; without one given, a fresh one. */
function freshOf(step) {
  const secret = step.optional("ratchet_private", step.bytes) ?? undefined;
  return () => curve.pair(secret);
}

function beginRatchet(given) {
  const [secret, signedPrekey] = [given.sized("secret", 32), given.bytes("signed_prekey")];
  if (given.text("role") === "recipient") return ratchet.recipient(secret, curve.pair(signedPrekey));
  if (given.text("role") !== "initiator") given.wrong("role", "initiator or recipient");
  return ratchet.initiator(secret, signedPrekey, curve.pair(given.bytes("ratchet_private")));
}

function playRatchet(given) {
  const associatedData = given.sized("associated_data", 32);
  let state = beginRatchet(given);
  return playSteps(given, {
    send(step) {
      const sent = ratchet.send(state, {
        associatedData, plaintext: step.bytes("plaintext"), nonce: step.sized("nonce", 8), fresh: freshOf(step),
      });
      state = sent.state;
      return { message: toHex(sent.message) };
    },
    receive(step) {
      const received = ratchet.receive(state, associatedData, messages.decodeRatchet(step.bytes("message")));
      state = received.state;
      return { plaintext: toHex(received.plaintext) };
    },
    state: () => ({ state: state.name, skipped: state.skipped.size }),
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
      const entropy = { nonce: step.sized("nonce", 8), ratchetKey };
      return { message: toHex(account.encrypt(step.address("address"), step.bytes("plaintext"), entropy)) };
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
    sessions(step) {
      const { sessions } = account.peer(step.address("address"));
      const skipped = sessions.reduce((total, session) => total + session.ratchet.skipped.size, 0);
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

export const plays = { "ratchet.play": playRatchet, "account.play": playAccount };
