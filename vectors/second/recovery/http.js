// Both servers over HTTP, and the checks of identity in front of them.
// Not here: retries, timeouts, and limits on what a server answers.

import { equal, toHex } from "../bytes.js";
import { Refusal, refuse } from "../errors.js";
import * as relay from "../relay.js";
import { RelayError } from "../relay-client.js";
import { BODIES, decode, encode } from "./bodies.js";
import { SERVERS } from "./password.js";

const NAMES = new Map(Object.entries(BODIES).filter(([, { number }]) => number !== null).map(([name, { number }]) => [number, name]));
const MOST_SMALL = 23; // the greatest number that is its own encoding
const PASSED = new Set(["evaluate", "ask", "take", "make", "release", "claimed"]); // calls with a pass, where the server checks an identity

const numberOf = (body) => (body[2] <= MOST_SMALL ? body[2] : body[3]);

export class RecoveryServers {
  /** `urls` are those of server 1 and server 2. */
  constructor(urls) {
    this.urls = urls;
    this.passes = SERVERS.map(() => null);
  }

  /** Make a call, as `RecoveryClient` wants it: returns the answer. Throws a RelayError. */
  async call(server, body, lists) {
    const name = NAMES.get(numberOf(body));
    const pass = PASSED.has(name) ? this.passes[server - 1] : null;
    const response = await fetch(`${this.urls[server - 1]}/v1/recovery/${name}`, {
      method: "POST", redirect: "error", body: encode("frame", { call: body, pass, lists }), headers: { "content-type": "application/cbor" },
    });
    const data = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 200) throw new RelayError(name, relay.decode("error", data));
    return data;
  }

  /** Pass the check of a server. `prove` is given the challenge and returns the proof. Returns what the server says of it. */
  async identify(server, kind, claim, prove) {
    const { challenge } = decode("challenged", await this.call(server, encode("identify", { kind, claim }), null));
    if (challenge === null) refuse("UsageError", "a server that gives no challenge yet");
    const proven = decode("proven", await this.call(server, encode("prove", { challenge, proof: await prove(challenge) }), null));
    if (proven.pass !== null) this.passes[server - 1] = proven.pass;
    return { ...proven, challenge };
  }

  /** Pass the checks of both servers as a user who is bound at both. Returns the user id. [REC-34] */
  async identifyAtBoth(kind, prove) {
    const found = [];
    for (const server of SERVERS) {
      const { pass, user_id: userId } = await this.identify(server, kind, null, (challenge) => prove(server, challenge));
      if (pass === null || userId === null) refuse("RecoveryRefused", `server ${server} knows nobody by this identity`);
      found.push(userId);
    }
    if (!equal(...found)) refuse("ServerAtFault", `the servers name ${found.map(toHex).join(" and ")}`);
    return found[0];
  }
}

/** The number of the code under which a call is refused, or null. */
export async function codeOf(call) {
  try {
    await call;
  } catch (error) {
    if (error instanceof RelayError) return error.code;
    if (error instanceof Refusal) return error.name;
    throw error;
  }
  return null;
}
