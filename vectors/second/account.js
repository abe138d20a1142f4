// An account in memory: an identity, its prekeys, the peers it knows. A call that fails changes nothing. [STO-4]
// Not here: making and publishing prekeys (publisher.js), stores.

import * as addresses from "./address.js";
import { concat, equal, toHex } from "./bytes.js";
import * as curve from "./curve.js";
import { refuse } from "./errors.js";
import * as handshake from "./handshake.js";
import { sha256 } from "./kdf.js";
import { PQXDH, REPLAYS, USED } from "./limits.js";
import * as messages from "./messages.js";
import * as prekeys from "./prekeys.js";
import * as sessions from "./sessions.js";
import * as safetyNumber from "./safety-number.js";
import { randomBytes } from "@noble/hashes/utils.js";

const slot = ({ kind, id }) => `${kind} ${id}`;

/** Return the names of the one-time prekeys that a handshake with this bundle uses. [SES-13] */
function usedNames({ oneTime, kem }, suite) {
  const once = [oneTime, suite === PQXDH ? kem : null];
  return once
    .filter((prekey) => prekey !== null && prekey.kind !== prekeys.KEM_LAST_RESORT)
    .map(({ kind, key }) => toHex(sha256(concat(Uint8Array.of(kind), key))));
}

export class Account {
  /** `clock` returns the time in seconds. */
  constructor({ address, identity, suites, clock }) {
    this.address = addresses.fromItem(address);
    this.identity = identity;
    this.identityPublic = curve.publicOf(identity);
    this.suites = suites;
    this.clock = clock;
    this.prekeys = new Map(); // slot -> {kind, id, private, expires}
    this.replays = new Map(); // slot of a prekey -> set of handshake ids
    this.peers = new Map(); // address -> {identity, sessions, used}
    this.users = new Map(); // address of a device of a user -> {ours, theirs}: user ids
  }

  get us() {
    return { address: this.address, identity: this.identity };
  }

  keep(prekey) {
    this.prekeys.set(slot(prekey), prekey);
  }

  remember(prekey, handshakeId) {
    const place = slot(prekey);
    if (!this.replays.has(place)) this.replays.set(place, new Set());
    this.replays.get(place).add(toHex(handshakeId));
  }

  /** Delete expired prekeys and their replay records. [HAND-9] */
  sweep() {
    for (const [place, prekey] of this.prekeys) {
      if (prekey.expires === null || this.clock() < prekey.expires) continue;
      this.prekeys.delete(place);
      this.replays.delete(place);
    }
  }

  find(kinds, id) {
    this.sweep();
    return kinds.map((kind) => this.prekeys.get(slot({ kind, id }))).find((prekey) => prekey !== undefined);
  }

  peer(address) {
    return this.peers.get(addresses.key(address)) ?? { identity: null, sessions: [], used: [] };
  }

  setPeer(address, peer) {
    this.peers.set(addresses.key(address), peer);
  }

  /** Return the peer if this identity key is the recorded one, or if none is recorded. [SES-7] */
  trusted(address, identity) {
    const peer = this.peer(address);
    if (peer.identity !== null && !equal(peer.identity, identity)) {
      refuse("UntrustedIdentity", "another identity key than the recorded one");
    }
    return { ...peer, identity };
  }

  /** Return the user ids of initiator and recipient, or null for an account without a user. [HAND-17] */
  userIds(address, weInitiate) {
    const ids = this.users.get(addresses.key(address));
    if (ids === undefined) return null;
    return weInitiate ? concat(ids.ours, ids.theirs) : concat(ids.theirs, ids.ours);
  }

  initiate(to, data, { suite, ephemeral, ratchetKey, recorded = null, discardEarlier = false }) {
    if (addresses.same(to, this.address)) refuse("UsageError", "our own address");
    if (!this.suites.includes(suite)) refuse("UsageError", "a suite that the account does not allow"); // [HAND-3]
    const bundle = prekeys.decodeBundle(data);
    const begun = handshake.initiate(this.us, {
      to, bundle, now: this.clock(), suite, ephemeral, recorded, userIds: this.userIds(to, true),
    });
    const session = sessions.initiated({ ...begun, suite }, curve.pair(ratchetKey));
    const peer = this.trusted(to, bundle.identity);
    const used = usedNames(bundle, suite);
    if (used.some((name) => peer.used.includes(name))) refuse("UsageError", "a bundle that was used before"); // [SES-13]
    const kept = discardEarlier ? [] : peer.sessions;
    if (sessions.isWeaker(kept, this.suites, session)) refuse("UsageError", "a session of a stronger suite exists"); // [SES-11]
    const names = [...peer.used, ...used].slice(-USED);
    this.setPeer(to, { ...peer, used: names, sessions: sessions.add(kept, this.suites, session) });
  }

  encrypt(to, plaintext, { nonce = randomBytes(8), ratchetKey, draw = randomBytes } = {}) {
    const peer = this.peer(to);
    const fresh = () => curve.pair(ratchetKey);
    const done = sessions.encrypt(peer.sessions, this.suites, { plaintext, nonce, fresh, draw });
    this.setPeer(to, { ...peer, sessions: done.sessions });
    return done.message;
  }

  decrypt(from, data) {
    handshake.checkFrom(this.us, from);
    const kind = messages.kindOf(data);
    if (kind === messages.INITIAL) return this.decryptInitial(from, messages.decodeInitial(data));
    const message = messages.decodeMessage(data, kind);
    const peer = this.peer(from);
    const done = sessions.decrypt(peer.sessions, this.suites, message);
    this.setPeer(from, { ...peer, sessions: done.sessions });
    return done.plaintext;
  }

  decryptInitial(from, message) {
    handshake.checkSender(this.us, message);
    const peer = this.trusted(from, message.identity);
    const known = sessions.begunBy(peer.sessions, this.suites, message.handshakeId);
    if (known !== undefined) {
      const done = sessions.decrypt(peer.sessions, this.suites, message.message, [known]);
      this.setPeer(from, { ...peer, sessions: done.sessions });
      return done.plaintext;
    }
    return this.answer(from, peer, message);
  }

  answer(from, peer, message) {
    handshake.checkAllowed(this.suites, message);
    const find = (kinds, id) => this.find(kinds, id);
    const named = handshake.namedPrekeys(message, find, (prekey) => this.checkReplay(prekey, message.handshakeId));
    const agreed = handshake.respond(this.us, { from, message, named, userIds: this.userIds(from, false) });
    const signedPrekey = curve.pair(named.signed.private);
    const { session, plaintext } = sessions.answered({ ...agreed, suite: message.suite, signedPrekey }, message.message);
    // Nothing can fail from here on, so one-time prekeys are deleted only now. [HAND-7]
    for (const used of [named.oneTime, named.kem]) {
      if (used !== null && used.kind !== prekeys.KEM_LAST_RESORT) this.prekeys.delete(slot(used));
    }
    if (named.replayed !== null) this.remember(named.replayed, message.handshakeId);
    this.setPeer(from, { ...peer, sessions: sessions.add(peer.sessions, this.suites, session) });
    return plaintext;
  }

  /** Refuse a handshake that this prekey has served before. [HAND-8] */
  checkReplay(prekey, handshakeId) {
    const record = this.replays.get(slot(prekey)) ?? new Set();
    if (record.has(toHex(handshakeId))) refuse("DuplicateMessage", "a handshake that was accepted before");
    if (record.size >= REPLAYS) refuse("ReplayRecordFull", "the replay record of this prekey is full");
  }

  /** Record another identity key, and delete the sessions of the old one. [SES-7] */
  acceptIdentity(address, identity) {
    curve.checkPublic(identity);
    if (addresses.same(address, this.address) || equal(identity, this.identityPublic)) {
      refuse("UsageError", "our own address or key");
    }
    const peer = this.peer(address);
    if (peer.identity !== null && equal(peer.identity, identity)) return;
    this.setPeer(address, { identity, sessions: [], used: [] });
  }

  safetyNumber(address) {
    const { identity } = this.peer(address);
    if (identity === null) refuse("UsageError", "no identity key is recorded for this address");
    return safetyNumber.compute({ address: this.address, identity: this.identityPublic }, { address, identity });
  }
}
