/**
 * Which accesses of translated code remember their page together. An access looks first whether it falls into the page that its base register
 * led to last; that costs half of what the TLB's column does. Loads and stores remember apart, because a page may be readable only; but the
 * stack, whose pages nearly always are both, has one slot. Without a base register the displacement says the page.
 */
import type { Column } from '../../../mmu/tlb.ts';
import { SEGMENT, type Segment } from '../../../state/layout.ts';
import { effectsOf } from '../../describe/effects.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { NO_REGISTER, RSP, type MemoryOperand } from '../../isa/operand.ts';
import type { RememberedPage } from '../emit/memory-ops.ts';
import { PAGE_SLOT_BYTES, PAGE_SLOTS, PAGES_BASE, PAGES_BYTES } from '../engine-memory.ts';

const REGISTERS = 16;
/** Slots of accesses without a base register, by page of the displacement, behind a pair for each register. */
const FIRST_OF_PAGES = 2 * REGISTERS;
const PAGES = (PAGE_SLOTS - FIRST_OF_PAGES) / 2;

/** Slots are those of a column. `operand`: undefined where the address is no memory operand; in SS that is the stack pointer's. `displacement`: of RIP-relative operands, the address. */
export function pageSlot(column: Column, segment: Segment, operand: { readonly base: MemoryOperand['base']; readonly displacement: bigint } | undefined, write: boolean): RememberedPage | undefined {
  const slot = (number: number, readAndWrite: boolean): RememberedPage => ({ slot: PAGES_BASE + column * PAGES_BYTES + number * PAGE_SLOT_BYTES, readAndWrite });
  if (segment === SEGMENT.FS || segment === SEGMENT.GS) return undefined;
  if (operand === undefined ? segment === SEGMENT.SS : operand.base === RSP) return slot(2 * RSP, true);
  if (operand === undefined) return undefined;
  if (operand.base !== NO_REGISTER) return slot(2 * operand.base + (write ? 1 : 0), false);
  const page = Number((operand.displacement >> 12n) & BigInt(PAGES - 1));
  return slot(FIRST_OF_PAGES + 2 * page + (write ? 1 : 0), false);
}

/** Slots that the instructions' operands in memory may use: not the stack's, which no operand names. */
export function pageSlotsOf(column: Column, instructions: readonly Instruction[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const i of instructions) {
    const effects = effectsOf(i);
    for (const x of i.operands) {
      if (x.kind !== 'memory' || x.ripRelative) continue;
      if (effects?.memoryRead) found.add(pageSlot(column, x.segment, x, false)?.slot ?? -1);
      if (effects?.memoryWritten) found.add(pageSlot(column, x.segment, x, true)?.slot ?? -1);
    }
  }
  found.delete(-1);
  return found;
}
