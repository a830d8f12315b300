/**
 * From a region's graph to nested loops and blocks. Every block hangs below its immediate dominator; a target of backward
 * edges opens a loop; a block with several forward predecessors is placed behind a block that they branch out of. Edges
 * that fit into no nesting go by way of the region's own dispatcher, which makes their target an entry.
 * Ramsey, "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow" (ICFP 2022).
 */
import { blocksByIp, nextBlock, type Block } from './region.ts';

/** A place in the dominator tree. */
export interface Place {
  /** Undefined for the root: the dispatcher in front of all entries. */
  readonly block: Block | undefined;
  /** Number in reverse postorder. */
  order: number;
  dominator: Place | undefined;
  /** The places that this one dominates immediately and that are merges, last in reverse postorder first. */
  merges: Place[];
  /** It is the target of a backward edge. */
  loops: boolean;
  /** Several places go on to it, or the dispatcher does. */
  merge: boolean;
  predecessors: Place[];
}

export interface Structure { readonly root: Place; readonly placeOf: ReadonlyMap<Block, Place> }

/** The place before this one on the only way that leads to it: one function's code is inside the other's; undefined where several ways meet. */
export const onlyPredecessor = ({ merge, loops, dominator }: Place): Place | undefined => (merge || loops || dominator?.block === undefined ? undefined : dominator);

export function dominates(a: Place, b: Place): boolean {
  for (let x: Place | undefined = b; x !== undefined; x = x.dominator) {
    if (x === a) return true;
    if (x.dominator === x) return false;
  }
  return false;
}

/** The places of the loop that a place heads, itself among them; undefined where there is another loop in it. */
export function innermostLoop(head: Place): ReadonlySet<Place> | undefined {
  const loop = new Set([head]);
  const work = head.predecessors.filter((from) => from.order >= head.order && dominates(head, from));
  for (let place = work.pop(); place !== undefined; place = work.pop()) {
    if (loop.has(place)) continue;
    if (place.loops) return undefined;
    loop.add(place);
    work.push(...place.predecessors);
  }
  return loop;
}

const placeFor = (block: Block | undefined): Place => ({ block, order: -1, dominator: undefined, merges: [], loops: false, merge: false, predecessors: [] });

/** Makes irreducible targets entries. */
export function structure(blocks: readonly Block[]): Structure {
  const root = placeFor(undefined);
  const byIp = blocksByIp(blocks);
  const placeOf = new Map(blocks.map((block) => [block, placeFor(block)]));
  const places = [...placeOf.values()];
  const successors = (p: Place): Place[] => (p.block === undefined
    ? places.filter(({ block }) => block!.entry)
    : p.block.successors.flatMap((ip) => placeOf.get(nextBlock(p.block!, ip, byIp)!) ?? []));

  for (;;) {
    const order = reversePostorder(root, successors);
    findDominators(order, successors);
    let irreducible = false;
    for (const p of order) {
      for (const to of successors(p)) {
        if (to.order > p.order) continue;
        if (dominates(to, p)) to.loops = true;
        else if (!to.block!.entry) {
          to.block!.entry = true;
          irreducible = true;
        }
      }
    }
    if (irreducible) continue;
    for (const p of order.slice(1)) {
      p.merge = p.block!.entry || p.predecessors.filter((from) => from.order < p.order).length > 1;
      if (p.merge) p.dominator!.merges.push(p);
    }
    for (const p of order) p.merges.sort((x, y) => y.order - x.order);
    return { root, placeOf };
  }
}

function reversePostorder(root: Place, successors: (p: Place) => Place[]): Place[] {
  const postorder: Place[] = [];
  const seen = new Set<Place>([root]);
  const stack = [{ place: root, rest: successors(root) }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const next = top.rest.shift();
    if (next === undefined) {
      postorder.push(top.place);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      stack.push({ place: next, rest: successors(next) });
    }
  }
  const order = postorder.reverse();
  order.forEach((p, n) => {
    p.order = n;
    p.dominator = undefined;
    p.merges = [];
    p.predecessors = [];
    p.loops = false;
  });
  return order;
}

/** Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm". The root dominates itself. */
function findDominators(order: readonly Place[], successors: (p: Place) => Place[]): void {
  for (const p of order) for (const to of successors(p)) to.predecessors.push(p);
  const root = order[0]!;
  root.dominator = root;
  for (let changed = true; changed;) {
    changed = false;
    for (const p of order.slice(1)) {
      let dominator: Place | undefined;
      for (const from of p.predecessors) {
        if (from.dominator === undefined) continue;
        dominator = dominator === undefined ? from : common(from, dominator);
      }
      if (dominator !== p.dominator) {
        p.dominator = dominator;
        changed = true;
      }
    }
  }
}

function common(a: Place, b: Place): Place {
  let x = a, y = b;
  while (x !== y) {
    while (x.order > y.order) x = x.dominator!;
    while (y.order > x.order) y = y.dominator!;
  }
  return x;
}
