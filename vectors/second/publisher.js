// An account that makes, replaces and publishes its prekeys.

import { randomBytes } from "@noble/hashes/utils.js";
import * as curve from "./curve.js";
import { readBigEndian } from "./bytes.js";
import { refuse } from "./errors.js";
import { Account } from "./account.js";
import * as kem from "./kem.js";
import { DAY, ONE_TIME_AGE, PUBLISHED, RETIREMENT, ROTATION, U32 } from "./limits.js";
import * as prekeys from "./prekeys.js";

export class Publisher extends Account {
  constructor(settings) {
    super({ identity: curve.pair().private, ...settings });
    this.nextId = 1 + Number(readBigEndian(randomBytes(3))); // 1 to 2^24 [HAND-10]
    this.replace();
  }

  /** Make a prekey that lives for `age` seconds, or, if `age` is null, until it is replaced. */
  makePrekey(kind, age) {
    if (this.nextId > U32) refuse("UsageError", "no prekey id is left");
    const { private: secret } = prekeys.isKem(kind) ? kem.pair() : curve.pair();
    const expires = age === null ? null : this.clock() + age;
    const prekey = { kind, id: this.nextId, private: secret, expires };
    this.nextId += 1;
    this.keep(prekey);
    return prekeys.make(prekey);
  }

  replace() {
    const latest = this.clock() + RETIREMENT;
    for (const old of this.prekeys.values()) {
      if (old.expires === null || old.expires > latest) old.expires = latest; // [HAND-9] [HAND-13]
    }
    this.signed = this.makePrekey(prekeys.SIGNED, null);
    this.lastResort = this.makePrekey(prekeys.KEM_LAST_RESORT, null);
    this.rotated = this.clock();
  }

  /** Skip a random number of ids, at most one 4,096th of those left. [HAND-12] */
  skipIds() {
    const bound = (U32 + 1 - this.nextId - ((U32 + 1 - this.nextId) % 4096)) / 4096 + 1;
    this.nextId += Number((readBigEndian(randomBytes(4)) * BigInt(bound)) >> 32n);
  }

  publish(count) {
    if (!Number.isInteger(count) || count < 0 || count > PUBLISHED) refuse("UsageError", "0 to 1,000 pairs");
    const due = this.clock() - this.rotated >= ROTATION;
    if (due || count > 0) this.skipIds();
    if (due) this.replace();
    const common = { address: this.address, identity: this.identityPublic, signed: this.signed, madeOn: Math.floor(this.rotated / DAY) };
    const last = prekeys.sign(this.identity, { ...common, oneTime: null, kem: this.lastResort });
    const pairs = Array.from({ length: count }, () => prekeys.sign(this.identity, {
      ...common,
      oneTime: this.makePrekey(prekeys.ONE_TIME, ONE_TIME_AGE),
      kem: this.makePrekey(prekeys.KEM_ONE_TIME, ONE_TIME_AGE),
    }));
    return prekeys.encodePublication({ ...common, lastResort: this.lastResort, lastResortSignature: last.signature, pairs });
  }

  /** Return one bundle with one-time prekeys. */
  bundle() {
    const [pair] = prekeys.bundles(prekeys.decodePublication(this.publish(1))).pairs;
    return prekeys.encodeBundle(pair);
  }
}
