// Answer operations on standard input and output, one JSON object a line (vectors/README.md).

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { Refusal, refuse } from "./errors.js";
import { implementation } from "./operations/index.js";

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return refuse("UsageError", "this line is not JSON");
  }
}

/** Return the answer to one line, as an object. */
export function answer(perform, line) {
  let id = null;
  try {
    const request = parse(line);
    if (request === null || typeof request !== "object" || Array.isArray(request)) {
      refuse("UsageError", "this line is not a request");
    }
    id = request.id ?? null;
    if (typeof request.op !== "string") refuse("UsageError", "a request without an operation");
    return { id, out: perform(request.op, request.in) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const named = { id, error: error.name };
    return error.name === "UsageError" ? { ...named, detail: error.message } : named;
  }
}

export async function serve(input, output) {
  const perform = implementation();
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() !== "") output.write(`${JSON.stringify(answer(perform, line))}\n`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await serve(process.stdin, process.stdout);
