// Two implementations that are asked operations: this one, and one that speaks the line protocol of vectors/README.md.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Refusal } from "./errors.js";
import { implementation } from "./operations/index.js";

export class Disagreement extends Error {}

/** The other implementation, as a function (operation, input) -> {out} or {error}. */
export function elsewhere(command) {
  const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [];
  let failure = null;
  const fail = (reason) => {
    failure ??= new Error(`the other implementation ${reason}`);
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  child.on("error", (error) => fail(`did not start: ${error.message}`));
  child.on("exit", (code) => fail(`ended with ${code}`));
  child.stdin.on("error", () => fail("does not listen"));
  createInterface({ input: child.stdout }).on("line", (line) => {
    const asked = waiting.shift();
    if (asked === undefined) return fail("answers what was not asked");
    const answer = JSON.parse(line);
    if (answer.id !== asked.id) return fail("answers in another order");
    return asked.resolve(answer);
  });
  let id = 0;
  const ask = (op, input) => new Promise((resolve, reject) => {
    if (failure !== null) return reject(failure);
    id += 1;
    waiting.push({ id, resolve, reject });
    return child.stdin.write(`${JSON.stringify({ id, op, in: input })}\n`);
  });
  return { ask, end: () => child.stdin.end() };
}

export function here() {
  const perform = implementation();
  return async (op, input) => {
    try {
      return { out: perform(op, input) };
    } catch (error) {
      if (error instanceof Refusal) return { error: error.name };
      throw error;
    }
  };
}

export async function must(answer, what) {
  const given = await answer;
  if (given.error !== undefined) throw new Disagreement(`${what}: refused as ${given.error} ${given.detail ?? ""}`);
  return given.out;
}

export async function mustRefuse(answer, names, what) {
  const given = await answer;
  if (given.error === undefined) throw new Disagreement(`${what}: accepted`);
  if (!names.includes(given.error)) throw new Disagreement(`${what}: ${given.error} instead of ${names.join(" or ")}`);
}
