// Devices of one user on two implementations: each links a device on the other one, and changed messages are refused.

import { isDeepStrictEqual } from "node:util";
import { Disagreement, must, mustRefuse } from "./asking.js";
import { toHex } from "./bytes.js";

const FULL = 1;
const LIMITED = 2;

function changed(data, at = -1) {
  const bytes = Buffer.from(data, "hex");
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  return toHex(bytes);
}

/** Another letter in the middle of a code. */
function mistyped(text) {
  const at = text.length >> 1;
  const place = text[at] === "-" ? at + 1 : at;
  return text.slice(0, place) + (text[place] === "Q" ? "R" : "Q") + text.slice(place + 1);
}

function same(left, right, what) {
  if (!isDeepStrictEqual(left, right)) throw new Disagreement(`${what} differ`);
}

/** A device and the function that asks its implementation. */
const at = (ask, party) => (op, input = {}) => ask(op, { party, ...input });

/** Link a new device, with each message changed first. Returns what it became, and how many changes were refused. */
async function link(old, fresh, deviceClass) {
  let refused = 0;
  const refuses = async (answer, name, what) => {
    await mustRefuse(answer, [name], what);
    refused += 1;
  };
  const { text, bundle } = await must(fresh("new_device.begin", { place: "relay.example/meet" }), "a code");
  const typed = text.toLowerCase().replaceAll("-", " ");
  await refuses(old("user.offer", { text: mistyped(text), bundle, class: deviceClass }), "MalformedMessage", "a mistyped code");
  await refuses(old("user.offer", { text, bundle: changed(bundle), class: deviceClass }), "LinkingRefused", "a changed bundle");
  const offered = await must(old("user.offer", { text: typed, bundle, class: deviceClass }), "an offer");
  const sealedOffer = offered.sealed_offer;
  await refuses(fresh("new_device.take_offer", { sealed_offer: changed(sealedOffer) }), "AuthenticationFailed", "a changed offer");
  const { answer, digits } = await must(fresh("new_device.take_offer", { sealed_offer: sealedOffer }), "an answer");
  await refuses(old("user.take_answer", { answer: changed(answer) }), "LinkingRefused", "another nonce");
  await refuses(old("user.take_answer", { answer: changed(answer, 3000) }), "InvalidSignature", "a changed proof");
  same(digits, (await must(old("user.take_answer", { answer }), "the digits")).digits, "the digits");
  const sealedPackage = (await must(old("user.confirm"), "a package")).sealed_package;
  await refuses(fresh("new_device.take_package", { sealed_package: changed(sealedPackage) }), "AuthenticationFailed", "a changed package");
  const linked = await must(fresh("new_device.take_package", { sealed_package: sealedPackage }), "a linked device");
  if (linked.id !== offered.id) throw new Disagreement("another id than the offer's");
  return { linked, refused };
}

async function listsOf(user) {
  return (await must(user("user.lists"), "device lists")).lists;
}

/** Link device 2 from `old` to `fresh`, and device 3 back; a contact of the user learns the device lists. */
export async function linkDevices({ old, fresh }, label) {
  const [first, second, third, bob] = [at(old, `${label} 1`), at(fresh, `${label} 2`), at(old, `${label} 3`), at(fresh, `${label} bob`)];
  const { user_id: userId } = await must(first("user.create", { name: "alice" }), "a user");
  await must(bob("user.create", { name: "bob" }), "a contact");
  await must(first("user.learn", { name: "bob", lists: await listsOf(bob) }), "lists of a contact");
  await must(bob("user.learn", { name: "alice", lists: await listsOf(first) }), "lists of a contact");
  const there = await link(first, second, FULL);
  const back = await link(second, third, LIMITED);
  for (const { linked } of [there, back]) {
    same({ name: linked.name, user_id: linked.user_id }, { name: "alice", user_id: userId }, "the users");
  }
  same([there.linked.id, back.linked.id], [2, 3], "the ids");
  const lists = await listsOf(third);
  same(lists, await listsOf(second), "the device lists");
  const known = await must(first("user.contacts"), "contacts");
  for (const device of [second, third]) same(await must(device("user.contacts"), "contacts"), known, "the contacts");
  await must(bob("user.learn", { name: "alice", lists }), "newer lists");
  same((await must(bob("user.contacts"), "contacts")).contacts, [{ name: "alice", user_id: userId, version: 3 }], "what a contact knows");
  return { devices: lists.length, refused: there.refused + back.refused };
}
