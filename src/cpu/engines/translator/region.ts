/**
 * Regions: blocks of guest code that become one function. Breadth-first from a hot address over direct jumps and calls, as far as
 * the fetch column of the TLB knows the pages: forming a region changes nothing that the guest could see.
 */
import { effectsOf } from '../../describe/effects.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { STATUS_FLAGS } from '../../isa/ops.ts';
import type { CodeStore } from '../fast/code-store.ts';
import { endsBlock, type Crossing } from '../fast/decoded-block.ts';
import type { Context } from '../fast/context.ts';
import { MAX_REGION_INSTRUCTIONS } from '../fast/dispatcher.ts';
import { HANDLER, type Handlers } from '../interpreter/handlers.ts';
import { accessesPort } from '../emit/port-ops.ts';
import { branchTarget } from '../interpreter/record.ts';

export interface Block {
  /** Its number in the region: the parameter that enters it. */
  readonly number: number;
  readonly ip: bigint;
  readonly frame: number;
  /** It is one instruction that reaches into another page. */
  readonly crossing: Crossing | undefined;
  readonly instructions: readonly Instruction[];
  /** A copy of their bytes. */
  readonly bytes: Uint8Array;
  /** Offset in CS behind the last instruction. */
  readonly end: bigint;
  /** Where it can go on directly, in the region or not. */
  readonly successors: readonly bigint[];
  /** It can be entered from the dispatcher: the region's first block, and where returns and indirect branches lead. */
  entry: boolean;
  /** It stands behind a call, or indirect branches have been seen to lead to it. */
  role: 'return' | 'target' | undefined;
  /** Something in it, or behind it, may see the flags that it is entered with. */
  readonly flagsLiveIn: boolean;
  /** Of a short loop that is one block: the copy of it that runs next. The last one goes on to the first. */
  again: Block | undefined;
  /** It is such a copy. */
  readonly isCopy: boolean;
}

const MAX_BLOCKS = 64;
/** The same, where it is known that other places are reached from this one. */
const MAX_BLOCKS_WITH_TARGETS = 160;
/** Longest block, in instructions. */
const MAX_BLOCK = 128;
/** A loop of one block is written so many times in a row, so that it pays for its way backwards less often; together at most so many instructions. */
const UNROLLED = 4;
const MAX_UNROLLED_INSTRUCTIONS = 32;
/** The trail's words have eight bits for a block. */
const MAX_NUMBERS = 256;

export class RegionFormer {
  readonly #store: CodeStore;
  readonly #handlers: Handlers;
  readonly #onlyExecuted: boolean;

  /** `onlyExecuted`: what has not been interpreted yet stays outside. */
  constructor(store: CodeStore, handlers: Handlers, onlyExecuted: boolean) {
    this.#onlyExecuted = onlyExecuted;
    this.#store = store;
    this.#handlers = handlers;
  }

  /** The region of an address, with the `targets` where execution goes from there; no blocks where its first instruction cannot be translated. */
  form(start: bigint, context: Context, targets: readonly bigint[] = []): readonly Block[] {
    const found = new Map<bigint, Block>();
    const most = targets.length === 0 ? MAX_BLOCKS : MAX_BLOCKS_WITH_TARGETS;
    const work: { ip: bigint; entry: boolean; role?: Block['role']; from?: Block }[] = [{ ip: start, entry: true }, ...targets.map((ip) => ({ ip, entry: true, role: 'target' as const }))];
    let instructions = 0;
    for (let n = 0; n < work.length; n++) {
      const { ip, entry, role, from } = work[n]!;
      const seen = found.get(ip);
      if (seen) {
        seen.entry ||= entry;
        seen.role ??= role;
        continue;
      }
      const frame = found.size < most && instructions + MAX_BLOCK <= MAX_REGION_INSTRUCTIONS && !(n > 0 && this.#store.isStop(ip)) ? this.#store.frameOf(ip) : undefined;
      const block = frame === undefined || (n > 0 && this.#onlyExecuted && !this.#store.knows(frame, ip, context) && !(from && fallsInto(from, ip))) ? undefined : this.#block(found.size, frame, ip, context, entry);
      if (block === undefined) {
        if (n === 0) return [];
        continue;
      }
      block.role = role;
      found.set(ip, block);
      instructions += block.instructions.length;
      for (const successor of block.successors) work.push({ ip: successor, entry: false, from: block });
      const last = block.instructions.at(-1)!;
      if (last.mnemonic === 'CALL') work.push({ ip: block.end, entry: true, role: 'return' });
    }
    return withCopies([...found.values()], instructions);
  }

  #block(number: number, frame: number, ip: bigint, { mode }: Context, entry: boolean): Block | undefined {
    const decoded = this.#store.decode(frame, ip, mode, MAX_BLOCK);
    // A repeated instruction goes on to itself: it is a block of its own.
    const stop = decoded.instructions.findIndex((i, n) => (n > 0 && i.repeat !== 'none') || this.#handlers.of(i) === HANDLER.reference);
    const instructions = stop < 0 ? decoded.instructions : decoded.instructions.slice(0, stop);
    if (instructions.length === 0) return undefined;
    const last = instructions.at(-1)!;
    let end = ip;
    for (const i of instructions) end = BigInt.asUintN(mode.codeSize, end + BigInt(i.length));
    const successors = last.repeat !== 'none' ? [ip, end] : stop < 0 && decoded.branches ? branchSuccessors(last, end) : [end];
    const bytes = decoded.bytes.slice(0, instructions.reduce((sum, { length }) => sum + length, 0));
    return { number, ip, frame, crossing: decoded.crossing, instructions, bytes, end, successors, entry, role: undefined, flagsLiveIn: flagsLiveInto(instructions), again: undefined, isCopy: false };
  }
}

/** The blocks by address, copies aside. */
export const blocksByIp = (blocks: readonly Block[]): ReadonlyMap<bigint, Block> => new Map(blocks.filter(({ isCopy }) => !isCopy).map((block) => [block.ip, block]));

/** The block that a block goes on to at an address; undefined where that is not in the region. */
export const nextBlock = (from: Block, ip: bigint, byIp: ReadonlyMap<bigint, Block>): Block | undefined => (from.again !== undefined && ip === from.ip ? from.again : byIp.get(ip));

/** Puts copies of short loops behind the blocks of a region. */
function withCopies(blocks: readonly Block[], instructions: number): readonly Block[] {
  const all = [...blocks];
  let room = MAX_REGION_INSTRUCTIONS - instructions;
  for (const block of blocks) {
    const { length } = block.instructions;
    if (block.instructions.at(-1)!.mnemonic !== 'Jcc' || block.successors[0] !== block.ip || block.crossing !== undefined) continue;
    let last = block;
    for (let n = 2; n <= UNROLLED && n * length <= MAX_UNROLLED_INSTRUCTIONS && room >= length && all.length < MAX_NUMBERS; n++) {
      const copy: Block = { ...block, number: all.length, entry: false, role: undefined, again: undefined, isCopy: true };
      all.push(copy);
      last = last.again = copy;
      room -= length;
    }
  }
  return all;
}

/** What a block falls into without a branch has been executed as it has. */
const fallsInto = ({ successors, end, instructions }: Block, ip: bigint): boolean =>
  end === ip && successors.length === 1 && !endsBlock(instructions.at(-1)!);

function branchSuccessors(i: Instruction, end: bigint): bigint[] {
  const x = i.operands[0];
  if (accessesPort(i)) return [end];
  if (x?.kind !== 'relative') return [];
  const target = branchTarget(i, end - BigInt(i.length), x.displacement);
  return i.mnemonic === 'JMP' || i.mnemonic === 'CALL' ? [target] : [target, end];
}

/** Flags are live into a block unless all are written before one is read or an instruction can leave. */
function flagsLiveInto(instructions: readonly Instruction[]): boolean {
  const missing = new Set<string>(STATUS_FLAGS);
  for (const i of instructions) {
    const effects = effectsOf(i);
    if (effects === undefined || effects.mayFault || STATUS_FLAGS.some((f) => effects.flagsRead.has(f))) return true;
    for (const f of effects.flagsAlwaysWritten) missing.delete(f);
    if (missing.size === 0) return false;
  }
  return true;
}
