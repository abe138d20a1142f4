// The types of elements that several bodies of recovery have.

import * as composite from "../composite.js";
import { refuse } from "../errors.js";
import { checkPublic as checkXWing, KEY_SIZE as XWING_KEY } from "../hpke.js";
import { blob, text } from "../relay-types.js";

export const checked = (of, check) => ({ ...of, read: (item) => check(of.read(item)) });

export const hash = blob(32);
export const edwardsKey = checked(blob(32), (key) => {
  composite.checkEdwards(key);
  return key;
});
export const xwingKey = checked(blob(XWING_KEY), checkXWing);
export const kind = checked(text, (found) => (/^[a-z][a-z0-9-]{0,15}$/.test(found) ? found : refuse("MalformedMessage", "no kind of check")));

/** The last elements of a call that a device signs. */
export const signed = [["ml_dsa", blob(composite.ML_DSA_KEY)], ["signature", blob(composite.SIGNATURE)]];
