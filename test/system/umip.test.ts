/** CR4.UMIP: instructions that tell where the system's tables are become #GP(0) outside CPL 0. SDM Vol. 3A, "Control Registers" (UMIP). */
import { describe, expect, test } from 'vitest';
import { cr4, rax } from '../../src/assembler/index.ts';
import { parseCpuModel, type CpuModel } from '../../src/cpu/models.ts';
import { ENGINE_NAMES, type EngineName } from '../../src/machine/machine.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const [lowest, low] = [AT.data & 0xff, (AT.data >> 16) & 0xff];
/** Each stores to AT.data. */
const TELLING: readonly (readonly [name: string, ...bytes: number[]])[] = [['sgdt', 0x0f, 0x01, 0x04], ['sidt', 0x0f, 0x01, 0x0c], ['sldt', 0x0f, 0x00, 0x04], ['str', 0x0f, 0x00, 0x0c], ['smsw', 0x0f, 0x01, 0x24]]
  .map(([name, ...opcode]) => [name as string, ...opcode as number[], 0x25, lowest, 0, low, 0]);

function outcome(bytes: readonly number[], user: boolean, umip: boolean, engine: EngineName = 'reference'): string {
  const m = new SystemMachine(64, engine).gates();
  if (umip) m.state.cr4 |= CR4.UMIP;
  if (user) m.enterUser();
  m.cpu.refresh();
  m.program((a) => a.db(...bytes));
  m.step();
  return m.lastException;
}

describe.each(TELLING.map(([name, ...bytes]) => [name, bytes] as const))('%s', (_name, bytes) => {
  test.each(ENGINE_NAMES)('with CR4.UMIP is #GP(0) at CPL 3 › %s', (engine) => expect(outcome(bytes, true, true, engine)).toBe('#GP(0)'));
  test('at CPL 0, or without CR4.UMIP, is allowed', () => {
    expect([outcome(bytes, false, true), outcome(bytes, true, false)]).toEqual(['none', 'none']);
  });
});

test('MOV to CR4 takes UMIP where CPUID announces it, and refuses it elsewhere', () => {
  const write = (model: CpuModel): string => {
    const m = new SystemMachine(64, 'reference', model).gates().program((a) => a.mov(cr4, rax));
    m.state.gpr[0] = BigInt(CR4.PAE | CR4.UMIP);
    m.step();
    return m.lastException;
  };
  expect([write(parseCpuModel('max')), write(parseCpuModel('max,-umip'))]).toEqual(['none', '#GP(0)']);
});

executesRows(SYSTEM_ROWS.umip);
