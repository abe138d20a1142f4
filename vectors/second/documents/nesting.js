// Collections inside each other. [DOC-77] [DOC-78]
//
// An edge is {outer, inner, entry}: two ids as texts, and the hash of the entry by which `inner` became a member.

import { compare } from "../bytes.js";
import { NESTED } from "../limits.js";

const insideOf = (edges, id) => edges.filter(({ outer }) => outer === id).map(({ inner }) => inner);

/** Return whether one collection is another one, or inside it. */
function reaches(edges, from, to, seen = new Set()) {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return insideOf(edges, from).some((each) => reaches(edges, each, to, seen));
}

/** Return the edges that are void. `closed` are the ids of closed collections. [DOC-78] */
export function voidEdges(edges, closed) {
  return edges.filter(({ outer, inner, entry }) => {
    const smaller = edges.filter((each) => compare(each.entry, entry) < 0);
    return closed.has(inner) || reaches(smaller, inner, outer); // the greatest one of some circle
  });
}

/** Return how many collections are inside each other from one on, counting it. It stops counting above the limit. */
function levels(id, neighbours) {
  let [level, count] = [new Set([id]), 0];
  while (level.size > 0 && count <= NESTED) {
    level = new Set([...level].flatMap(neighbours));
    count += 1;
  }
  return count;
}

/** Return whether a collection may become a member of another one. [DOC-77] */
export function mayNest(edges, outer, inner) {
  const outside = (id) => edges.filter((each) => each.inner === id).map((each) => each.outer);
  const count = levels(outer, outside) + levels(inner, (id) => insideOf(edges, id));
  return !reaches(edges, inner, outer) && count <= NESTED;
}
