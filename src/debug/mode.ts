/** The mode of the processor in the manual's words. SDM Vol. 3A, "Modes of Operation". */
import type { Machine } from '../machine/machine.ts';
import { pagingMode, type PagingMode } from '../mmu/paging-mode.ts';

export const PAGING_TEXT: Readonly<Record<PagingMode, string>> = { 'none': 'paging off', '32-bit': '32-bit paging', 'PAE': 'PAE paging', '4-level': '4-level paging', '5-level': '5-level paging' };

/** `64-bit mode, 4-level paging`. */
export function modeText({ cpu, state }: Pick<Machine, 'cpu' | 'state'>): string {
  const { codeSize } = cpu.mode();
  const mode = cpu.in64BitMode ? '64-bit mode'
    : cpu.longModeActive ? `compatibility mode, ${codeSize}-bit code`
      : cpu.virtual8086Mode ? 'virtual-8086 mode'
        : cpu.realMode ? 'real-address mode' : `protected mode, ${codeSize}-bit code`;
  return `${mode}, ${PAGING_TEXT[pagingMode(state)]}`;
}
