// The page: what it reads, shows and saves. Texts are set as texts, so nothing in a file can become a part of the page.

import { toHex } from "../../vectors/second/bytes.js";
import { readFragment } from "../../vectors/second/documents/grant.js";
import { Refusal } from "../../vectors/second/errors.js";
import { copyContent, openFile } from "./opening.js";

const PROBLEMS = {
  MalformedMessage: "This is not a sealed file, or it is not complete. Ask for it again, or fetch it again.",
  UnsupportedVersion: "The file was sealed by a later version of letterlock, which this page does not know.",
  DocumentDamaged: "The file was changed or is not complete. Nothing of it was kept. Fetch it again.",
  NoGrant: "This link does not open this file. Choose the file that came with the link.",
};
const ENDED = "The link has ended. Ask whoever gave it to you for another one.";
const NO_LINK = "The link is not complete. Copy the whole link, up to its last character.";

const byId = (id) => document.getElementById(id);
const [form, link, file, open, save] = ["form", "link", "file", "open", "save"].map(byId);
const [status, problem, result, facts, progress] = ["status", "problem", "result", "facts", "progress"].map(byId);
let current = null;

// --- what was given ---------------------------------------------------------------------------------

/** Return the secret of a link or of the part behind its # sign, or null. */
function secretOf(text) {
  try {
    return readFragment(text.trim().replace(/^.*#/s, ""));
  } catch {
    return null;
  }
}

/** Show the field for a link only if the address has none. */
function showLink() {
  const found = secretOf(location.hash) !== null;
  byId("link-field").hidden = found;
  byId("link-found").hidden = !found;
}

const secret = () => secretOf(location.hash) ?? secretOf(link.value);

// --- what is shown ----------------------------------------------------------------------------------

function say(text) {
  problem.textContent = "";
  status.textContent = text;
}

function refuse(text, field) {
  status.textContent = "";
  problem.textContent = text;
  field?.focus();
}

function textOf(error) {
  if (!(error instanceof Refusal)) return "The file could not be read. Choose it again.";
  return error.message === "ended" ? ENDED : PROBLEMS[error.name] ?? PROBLEMS.DocumentDamaged;
}

const time = (seconds) => (seconds === null ? "" : new Date(1000 * seconds).toLocaleString());
const user = ({ userId, deviceId }) => `device ${deviceId} of user ${toHex(userId).match(/.{8}/g).join(" ")} (not checked)`;

function size(bytes) {
  return new Intl.NumberFormat(undefined, { style: "unit", unit: "byte", unitDisplay: "long" }).format(bytes);
}

/** Return the name of the file without what could lead elsewhere or is invisible. */
function nameOf({ metadata }) {
  const name = (metadata.name ?? "").replace(/[\p{C}/\\:*?"<>|]/gu, "_").replace(/^[. ]+/, "").slice(0, 200);
  return name === "" ? "document" : name;
}

function show({ terms, document: opened }) {
  const { trailer, metadata } = opened;
  byId("result-title").textContent = nameOf(opened);
  const rows = [
    ["Size", size(trailer.length)],
    ["Type", metadata.mediaType ?? "not said"],
    ["Changed", time(metadata.modified)],
    ["Sealed", `${time(trailer.issued)}, version ${trailer.version}`],
    ["Author", user(trailer.signedBy.signer)],
    ["Shared by", user(terms.signer)],
    ["Purpose", terms.purpose],
    ["Link ends", time(terms.validUntil) || "no end"],
  ];
  facts.replaceChildren(...rows.filter(([, value]) => value !== "").flatMap(([name, value]) => {
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    description.textContent = value;
    return [term, description];
  }));
  result.hidden = false;
  byId("result-title").focus();
}

// --- what is done -----------------------------------------------------------------------------------

async function openChosen() {
  result.hidden = true;
  current = null;
  const found = secret();
  if (found === null) return refuse(NO_LINK, link);
  const chosen = file.files[0];
  if (chosen === undefined) return refuse("Choose the sealed file.", file);
  say("Opening ...");
  open.disabled = true;
  try {
    current = await openFile(chosen, found, Math.floor(Date.now() / 1000));
    say("The file is open. You can save it now.");
    show(current);
  } catch (error) {
    refuse(textOf(error), file);
  } finally {
    open.disabled = false;
  }
}

/** Return where the content goes: a file of the user's choice, or one in memory that is downloaded when it is whole. */
async function targetFor(name) {
  if (window.showSaveFilePicker) {
    const handle = await window.showSaveFilePicker({ suggestedName: name });
    const writable = await handle.createWritable();
    // Nothing appears at the chosen place before `close`.
    return { write: (piece) => writable.write(piece), close: () => writable.close(), abort: () => writable.abort() };
  }
  const pieces = [];
  return { write: async (piece) => { pieces.push(new Blob([piece])); }, close: async () => download(name, pieces), abort: async () => {} };
}

function download(name, pieces) {
  const address = URL.createObjectURL(new Blob(pieces, { type: "application/octet-stream" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function saveCurrent() {
  const whole = current;
  let target;
  try {
    target = await targetFor(nameOf(whole.document));
  } catch (error) {
    return error.name === "AbortError" ? say("Nothing was saved.") : refuse("The file could not be saved there.", save);
  }
  const { length } = whole.document.trailer;
  let done = 0;
  save.disabled = true;
  progress.hidden = false;
  say("Saving ...");
  try {
    await copyContent(whole, async (piece) => {
      await target.write(piece.slice());
      done += piece.length;
      progress.value = length === 0 ? 1 : done / length;
    });
    await target.close();
    say("The file was saved.");
  } catch (error) {
    await target.abort();
    refuse(textOf(error), save);
  } finally {
    save.disabled = false;
    progress.hidden = true;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  openChosen();
});
save.addEventListener("click", saveCurrent);
addEventListener("hashchange", showLink);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length === 0) return;
  file.files = event.dataTransfer.files;
  openChosen();
});
showLink();
