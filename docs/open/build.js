// Makes docs/pages/open.html, one file with everything in it: node docs/open/build.js [--check]
// With --check it writes nothing, and exits 1 if the file there is another one.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const PAGE = join(HERE, "..", "pages", "open.html");

const read = (name) => readFileSync(join(HERE, name), "utf8");
const source = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Return the whole page. */
export function build() {
  const { outputFiles } = buildSync({
    entryPoints: [join(HERE, "page.js")], bundle: true, write: false, format: "iife", minify: true, charset: "ascii",
    target: "es2022", legalComments: "none",
  });
  const script = outputFiles[0].text.trim().replaceAll("</script", "<\\/script");
  const style = read("page.css").trim();
  const policy = [
    "default-src 'none'", `script-src ${source(script)}`, `style-src ${source(style)}`, "base-uri 'none'", "form-action 'none'",
    "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join("; ");
  const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
  return read("page.html").replace(/@(POLICY|STYLE|SCRIPT)@/g, (_, name) => parts[name]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = build();
  if (!process.argv.includes("--check")) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, "utf8") !== page) {
    console.error("docs/pages/open.html is not what docs/open makes: run node docs/open/build.js");
    process.exitCode = 1;
  }
}
