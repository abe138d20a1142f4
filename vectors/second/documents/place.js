// Places of leaves in a tree whose root was signed. [DOC-32]
// Not here: signatures (signature.js).

import { PATH, U32 } from "../limits.js";
import * as typed from "../typed.js";

export function readPlace(item) {
  const [index, size, path] = typed.array(item, 3);
  typed.integer(index, 0, U32 - 1);
  typed.integer(size, index + 1, U32);
  return { index, size, path: typed.array(path, 0, PATH).map((each) => typed.bytes(each, 32)) };
}
