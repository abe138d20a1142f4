// @signalapp/libsignal-client's sender keys by its public API, with a store of ours that keeps serialised records.
//
//     node libsignal.mjs FOLDER
//
// FOLDER is where npm installed it. The lines are those of worker.py.

import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const TEXTS = 200;
const BYTES = 100;

const [folder] = process.argv.slice(2);
const home = join(folder, 'node_modules', '@signalapp', 'libsignal-client');
const about = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const signal = await import(pathToFileURL(join(home, about.main)));

class Keys extends signal.SenderKeyStore {
  #kept = new Map();
  async saveSenderKey(sender, id, record) { this.#kept.set(`${sender} ${id}`, record.serialize()); }
  async getSenderKey(sender, id) {
    const found = this.#kept.get(`${sender} ${id}`);
    return found === undefined ? null : signal.SenderKeyRecord.deserialize(found);
  }
}

async function repetition(name) {
  const [ours, theirs, id] = [new Keys(), new Keys(), randomUUID()];
  const sender = signal.ProtocolAddress.new('alice', 1);
  const made = await signal.SenderKeyDistributionMessage.create(sender, id, ours);
  const came = signal.SenderKeyDistributionMessage.deserialize(made.serialize());
  await signal.processSenderKeyDistributionMessage(sender, came, theirs);
  const texts = Array.from({ length: TEXTS }, () => new Uint8Array(randomBytes(BYTES)));
  const began = process.hrtime.bigint();
  const sealed = [];
  for (const text of texts) sealed.push((await signal.groupEncrypt(sender, id, ours, text)).serialize());
  const between = process.hrtime.bigint();
  const opened = [];
  for (const each of sealed) opened.push(await signal.groupDecrypt(sender, theirs, each));
  const ended = process.hrtime.bigint();
  opened.forEach((each, at) => {
    if (Buffer.compare(each, texts[at])) throw new Error('what was opened is not what was sealed');
  });
  return Number(name === 'encrypt' ? between - began : ended - between) / TEXTS;
}

await repetition('encrypt');
const versions = { [about.name]: about.version, Node: process.versions.node };
console.log(JSON.stringify({ cases: ['encrypt', 'decrypt'], versions }));
for await (const line of createInterface({ input: process.stdin })) {
  const [, name, count] = line.split(' ');
  const ns = [];
  for (let at = 0; at < Number(count); at += 1) ns.push(await repetition(name));
  console.log(JSON.stringify({ ns, recovered: null }));
}
