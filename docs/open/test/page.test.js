// The page in headless Chromium, with files that the library seals: node --test docs/open/test
// LETTERLOCK_PYTHON names a Python with letterlock; CHROMIUM the browser. Without one of them the tests are skipped.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { build } from "../build.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PAGE = fileURLToPath(new URL("../../pages/open.html", import.meta.url));
const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PYTHON = process.env.LETTERLOCK_PYTHON ?? "python3";
const executablePath = BROWSERS.find((each) => each !== undefined && existsSync(each));
const folder = mkdtempSync(join(tmpdir(), "letterlock-open-"));
const sealed = spawnSync(PYTHON, [join(HERE, "seal.py"), folder], { encoding: "utf8" });
const fragment = sealed.status === 0 ? sealed.stdout.trim() : null;

let skip = false;
if (executablePath === undefined) skip = "SKIPPED: it needs Chromium, and it is not here";
else if (fragment === null) skip = `SKIPPED: it needs a Python with letterlock (LETTERLOCK_PYTHON): ${sealed.stderr.trim().split("\n").at(-1)}`;
if (skip) console.log(skip);

let browser, server, address;
const asked = []; // what the browser asked the server for

before(async () => {
  if (skip) return;
  server = createServer((request, response) => {
    asked.push(request.url);
    const found = request.url === "/open.html";
    response.writeHead(found ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
    response.end(found ? readFileSync(PAGE) : "");
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  address = `http://127.0.0.1:${server.address().port}/open.html`;
  browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
});

after(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true });
});

/** Open the page with something behind the # sign. Notes what goes wrong in it. */
async function visit(behind, { saving = "download" } = {}) {
  const page = await browser.newPage();
  const [problems, requests] = [[], []];
  page.on("pageerror", (error) => problems.push(`${error}`));
  page.on("console", (message) => problems.push(message.text()));
  page.on("request", (request) => requests.push(request.url()));
  await page.evaluateOnNewDocument(`(${{ download: removePicker, picker: fakePicker }[saving]})()`);
  await page.goto(`${address}${behind === "" ? "" : `#${behind}`}`);
  return { page, problems, requests };
}

/** In the page: take the picker away, which no test can answer. */
function removePicker() {
  delete window.showSaveFilePicker;
}

/** In the page: a picker that keeps what is written, and how it ended. */
function fakePicker() {
  window.kept = { pieces: [], end: null };
  window.showSaveFilePicker = async ({ suggestedName }) => ({
    createWritable: async () => {
      window.kept.name = suggestedName;
      return {
        write: async (piece) => { window.kept.pieces.push(piece); },
        close: async () => { window.kept.end = "closed"; },
        abort: async () => { window.kept.end = "aborted"; },
      };
    },
  });
}

async function choose(page, name) {
  const input = await page.$("#file");
  await input.uploadFile(join(folder, name));
  await page.click("#open");
  await page.waitForFunction(() => document.querySelector("#open").disabled === false
    && (document.querySelector("#problem").textContent !== "" || !document.querySelector("#result").hidden));
}

const textOf = (page, selector) => page.$eval(selector, (element) => element.textContent);
const isHidden = (page, selector) => page.$eval(selector, (element) => element.checkVisibility() === false);

async function problemWith(page, name) {
  await choose(page, name);
  assert.equal(await isHidden(page, "#result"), true);
  return textOf(page, "#problem");
}

test("the page there is what its sources make", () => {
  assert.equal(readFileSync(PAGE, "utf8"), build(), "run node docs/open/build.js");
});

test("a file is opened, shown and downloaded, and nothing is sent", { skip }, async () => {
  const { page, problems, requests } = await visit(fragment);
  assert.equal(await isHidden(page, "#link-field"), true);
  await choose(page, "scan.ll");
  assert.equal(await textOf(page, "#result-title"), "_scan _b_1__b_.bin");
  assert.equal(await isHidden(page, "#progress"), true);
  const facts = await textOf(page, "#facts");
  assert.match(facts, /1,000,000 bytes.*text\/html.*version 1.*device 1 of user( [0-9a-f]{8}){8} \(not checked\).*second opinion.*no end/s);
  assert.match(await textOf(page, ".warning"), /Who sealed the file.*Who shared it.*taken back/s);
  const session = await page.createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, eventsEnabled: true });
  const ended = new Promise((resolve) => {
    session.on("Browser.downloadProgress", ({ state }) => { if (state !== "inProgress") resolve(state); });
  });
  await page.click("#save");
  assert.equal(await ended, "completed");
  assert.equal(await textOf(page, "#status"), "The file was saved.");
  assert.deepEqual(readFileSync(join(folder, "_scan _b_1__b_.bin")), readFileSync(join(folder, "content")));
  assert.deepEqual(problems, []);
  assert.deepEqual(requests.filter((each) => !each.startsWith("blob:")), [`${address}#${fragment}`]);
  assert.ok(asked.every((each) => !each.includes(fragment)));
  assert.deepEqual([...new Set(asked)], ["/open.html"]);
  await page.close();
});

test("the content goes to a chosen file as it is opened", { skip }, async () => {
  const { page, problems } = await visit(fragment, { saving: "picker" });
  await choose(page, "scan.ll");
  await page.click("#save");
  await page.waitForFunction(() => window.kept.end !== null);
  const kept = await page.evaluate(async () => {
    const bytes = new Uint8Array(await new Blob(window.kept.pieces).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return { name: window.kept.name, end: window.kept.end, count: window.kept.pieces.length, digest: [...digest] };
  });
  const { createHash } = await import("node:crypto");
  const digest = [...createHash("sha256").update(readFileSync(join(folder, "content"))).digest()];
  assert.deepEqual(kept, { name: "_scan _b_1__b_.bin", end: "closed", count: 16, digest });
  assert.deepEqual(problems, []);
  await page.close();
});

test("a file without content is saved too", { skip }, async () => {
  const { page } = await visit(fragment, { saving: "picker" });
  await choose(page, "empty.ll");
  assert.equal(await textOf(page, "#result-title"), "document");
  await page.click("#save");
  await page.waitForFunction(() => window.kept.end === "closed" && window.kept.pieces.length === 0);
  await page.close();
});

test("a damaged file is saved as far as nothing", { skip }, async () => {
  const { page } = await visit(fragment, { saving: "picker" });
  await choose(page, "damaged.ll");
  await page.click("#save");
  await page.waitForFunction(() => window.kept.end !== null);
  assert.equal(await page.evaluate(() => window.kept.end), "aborted");
  assert.match(await textOf(page, "#problem"), /was changed or is not complete/);
  const fallback = await visit(fragment);
  await choose(fallback.page, "damaged.ll");
  await fallback.page.evaluate(() => { window.clicked = 0; HTMLAnchorElement.prototype.click = () => { window.clicked += 1; }; });
  await fallback.page.click("#save");
  await fallback.page.waitForFunction(() => document.querySelector("#problem").textContent !== "");
  assert.equal(await fallback.page.evaluate(() => window.clicked), 0);
  await page.close();
  await fallback.page.close();
});

test("wrong files and links are refused in words", { skip }, async () => {
  const { page, problems } = await visit(fragment);
  assert.match(await problemWith(page, "cut.ll"), /not complete/);
  assert.match(await problemWith(page, "content"), /not a sealed file/);
  assert.match(await problemWith(page, "other.ll"), /does not open this file/);
  assert.match(await problemWith(page, "ended.ll"), /has ended/);
  await choose(page, "empty.ll");
  assert.equal(await textOf(page, "#problem"), "");
  const wrong = await visit(fragment.slice(1));
  assert.equal(await isHidden(wrong.page, "#link-field"), false);
  await wrong.page.click("#open");
  assert.match(await textOf(wrong.page, "#problem"), /not complete/);
  await wrong.page.type("#link", `https://example.org/open.html#${fragment}`);
  await wrong.page.click("#open");
  assert.match(await textOf(wrong.page, "#problem"), /Choose the sealed file/);
  await choose(wrong.page, "empty.ll");
  assert.equal(await textOf(wrong.page, "#result-title"), "document");
  assert.deepEqual([...problems, ...wrong.problems], []);
  await page.close();
  await wrong.page.close();
});

test("keys alone and a screen reader suffice", { skip }, async () => {
  const { page } = await visit("");
  const places = [];
  for (let step = 0; step < 3; step += 1) {
    await page.keyboard.press("Tab");
    places.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepEqual(places, ["link", "file", "open"]);
  await page.focus("#link");
  await page.keyboard.type(fragment);
  await page.$("#file").then((input) => input.uploadFile(join(folder, "empty.ll")));
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector("#result").hidden);
  assert.equal(await page.evaluate(() => document.activeElement.id), "result-title");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "save");
  const heard = JSON.stringify(await page.accessibility.snapshot());
  for (const name of ["Open a sealed file", "Link", "Sealed file", "Open the file", "Save the file", "What was not checked"]) {
    assert.ok(heard.includes(`"${name}`), name);
  }
  assert.equal(await page.$eval("#status", (element) => element.getAttribute("role")), "status");
  assert.equal(await page.$eval("#problem", (element) => element.getAttribute("role")), "alert");
  await page.close();
});

test("no other script or style runs, and nothing can be loaded", { skip }, async () => {
  const { page } = await visit(fragment);
  const refused = await page.evaluate(async (to) => {
    const found = [];
    addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
    await fetch(to).catch(() => found.push("no fetch"));
    const image = new Image();
    image.src = `${to}?image`;
    const script = document.createElement("script");
    try {
      script.textContent = "window.ran = true";
    } catch {
      found.push("no script text");
    }
    document.body.append(script, image);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    return { found: found.sort(), ran: window.ran === true };
  }, address);
  assert.equal(refused.ran, false);
  for (const each of ["connect-src", "img-src", "no fetch", "no script text"]) assert.ok(refused.found.includes(each), each);
  assert.deepEqual([...new Set(asked)], ["/open.html"]);
  await page.close();
});

test("text can be read on light and on dark ground", { skip }, async () => {
  const { page } = await visit(fragment);
  await choose(page, "empty.ll");
  for (const value of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    const worst = await page.evaluate(leastContrast);
    assert.ok(worst >= 4.5, `${value}: ${worst}`);
  }
  await page.close();
});

/** In the page: return the least contrast between a text and what is behind it (WCAG 2). */
function leastContrast() {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [red, green, blue] = numbers(colour).map((each) => each / 255).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const shown = [...document.querySelectorAll("main *")].filter((each) => each.checkVisibility() && each.textContent.trim() !== "");
  return Math.min(...shown.map((each) => {
    const [one, other] = [light(getComputedStyle(each).color), light(behind(each))].sort((left, right) => right - left);
    return (one + 0.05) / (other + 0.05);
  }));
}
