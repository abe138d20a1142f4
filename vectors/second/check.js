// Check this implementation against vectors: node vectors/second/check.js [PATH...]
// Prints a table of the families and every disagreement; exits 1 if there is one.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Refusal } from "./errors.js";
import { implementation } from "./operations/index.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const SHOWN = 300;

function filesIn(paths) {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith(".json") && name !== "schema.json");
    return names.sort().map((name) => join(path, name));
  });
}

/** Return what the implementation answers: {output}, {error}, or {crash} if it threw something other than a Refusal. */
function ask(perform, operation, input) {
  try {
    return { output: perform(operation, input) };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.name, detail: error.message };
    return { crash: `${error.stack}` };
  }
}

/** Return what is wrong with the answer, or null. */
function disagreement(test, answer) {
  if (answer.crash !== undefined) return answer.crash;
  const hasOutput = test.output !== undefined;
  if (test.result === "invalid" && !hasOutput) {
    if (answer.error === test.expect) return null;
    return `expected ${test.expect}, answered ${brief(answer)}`;
  }
  if (test.result !== "valid" && test.result !== "invalid") return `no such result: ${test.result}`;
  if (answer.error !== undefined) return `expected an output, answered ${brief(answer)}`;
  const named = test.result === "valid" || JSON.stringify(test.output).includes(`"error":"${test.expect}"`);
  if (!named) return `${test.expect} is not in the recorded output`;
  // An empty answer may be recorded as null or as an empty object.
  if (isDeepStrictEqual(answer.output, test.output ?? {})) return null;
  return differences(test.output, answer.output);
}

function differences(expected, answered) {
  if (!Array.isArray(expected?.steps) || !Array.isArray(answered?.steps)) {
    return `expected ${brief(expected)}, answered ${brief(answered)}`;
  }
  const at = expected.steps.findIndex((step, index) => !isDeepStrictEqual(step, answered.steps[index]));
  return `step ${at}: expected ${brief(expected.steps[at])}, answered ${brief(answered.steps[at])}`;
}

function brief(value) {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

/** Check one family. Returns counts and one line for each disagreement. */
export function checkFamily(perform, family) {
  const found = { family: family.family, valid: 0, invalid: 0, failures: [] };
  for (const group of family.testGroups) {
    for (const test of group.tests) {
      found[test.result === "valid" ? "valid" : "invalid"] += 1;
      const wrong = disagreement(test, ask(perform, group.type, test.input));
      if (wrong !== null) found.failures.push(`${family.family} ${test.tcId} ${group.type} (${test.comment}): ${wrong}`);
    }
  }
  const counted = found.valid + found.invalid;
  if (counted !== family.numberOfTests) found.failures.push(`${family.family}: ${family.numberOfTests} tests announced, ${counted} found`);
  return found;
}

function main(paths) {
  const perform = implementation();
  const files = filesIn(paths.length > 0 ? paths : [join(HERE, "..", "data")]);
  const results = files.map((file) => {
    const family = JSON.parse(readFileSync(file, "utf8"));
    return checkFamily(perform, { ...family, family: family.family ?? basename(file, ".json") });
  });
  const row = (cells) => console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(20) : `${cell}`.padStart(8))).join(""));
  row(["family", "valid", "invalid", "failed"]);
  for (const { family, valid, invalid, failures } of results) row([family, valid, invalid, failures.length]);
  const failures = results.flatMap((result) => result.failures);
  for (const failure of failures) console.log(`\n${failure}`);
  const tests = results.reduce((total, { valid, invalid }) => total + valid + invalid, 0);
  console.log(`\n${tests - failures.length} passed, ${failures.length} failed`);
  // A run without any test must not look like a success.
  return failures.length === 0 && tests > 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
