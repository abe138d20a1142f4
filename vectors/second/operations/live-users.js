// Live users with fresh randomness, so that two implementations can link devices.

import { fromHex, toHex } from "../bytes.js";
import * as deviceList from "../device-list.js";
import { refuse } from "../errors.js";
import { NewDevice, User } from "../user.js";

const clock = () => Math.floor(Date.now() / 1000);

/** Return the operations on a new, empty set of devices. */
export function liveUserOperations() {
  const [users, devices] = [new Map(), new Map()];
  const find = (table, given) => table.get(given.text("party")) ?? refuse("UsageError", "no such party");
  const user = (given) => find(users, given);
  const device = (given) => find(devices, given);
  return {
    "user.create": (given) => {
      const made = User.create(given.text("name"), clock);
      users.set(given.text("party"), made);
      return { user_id: toHex(made.userId) };
    },
    "user.lists": (given) => ({ lists: user(given).lists.map((each) => toHex(deviceList.encode(each))) }),
    "user.learn": (given) => {
      const lists = given.list("lists").map((each) => deviceList.decode(fromHex(each) ?? given.wrong("lists", "a list of device lists")));
      user(given).learn(given.text("name"), lists);
      return {};
    },
    "user.contacts": (given) => ({
      contacts: [...user(given).contacts.values()].map(({ name, userId, version }) => ({ name, user_id: toHex(userId), version })),
    }),
    "user.offer": (given) => {
      const sealed = user(given).offer(given.text("text"), given.bytes("bundle"), given.integer("class"));
      return { sealed_offer: toHex(sealed), id: user(given).link.offer.id };
    },
    "user.take_answer": (given) => ({ digits: user(given).takeAnswer(given.bytes("answer")) }),
    "user.confirm": (given) => {
      const { added, sealedPackage } = user(given).confirm();
      return { list: toHex(deviceList.encode(added)), sealed_package: toHex(sealedPackage) };
    },
    "new_device.begin": (given) => {
      const made = new NewDevice(given.text("place"), clock);
      devices.set(given.text("party"), made);
      return { text: made.text, bundle: toHex(made.bundle) };
    },
    "new_device.take_offer": (given) => {
      const { answer, digits } = device(given).takeOffer(given.bytes("sealed_offer"));
      return { answer: toHex(answer), digits };
    },
    "new_device.take_package": (given) => {
      const made = device(given).takePackage(given.bytes("sealed_package"));
      users.set(given.text("party"), made);
      return { name: made.name, id: made.id, user_id: toHex(made.userId) };
    },
  };
}
