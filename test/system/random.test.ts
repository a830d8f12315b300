/** RDRAND and RDSEED, whose numbers belong to the machine, and RDPID. SDM Vol. 2B, "RDRAND—Read Random Number", "RDSEED—Read Random SEED", "RDPID—Read Processor ID". */
import { describe, expect, test } from 'vitest';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { ENGINE_NAMES } from '../../src/machine/machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const RAX = 0;
const RDRAND = { 16: [0x66, 0x0f, 0xc7, 0xf0], 32: [0x0f, 0xc7, 0xf0], 64: [0x48, 0x0f, 0xc7, 0xf0] } as const;
const RDSEED = { 16: [0x66, 0x0f, 0xc7, 0xf8], 32: [0x0f, 0xc7, 0xf8], 64: [0x48, 0x0f, 0xc7, 0xf8] } as const;
const STATUS = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;

/** RAX after each of `count` times the instruction. */
function numbers(bytes: readonly number[], count: number, machine = new SystemMachine().gates(), prepare = 0n): bigint[] {
  machine.program((a) => { for (let n = 0; n < count; n++) a.db(...bytes); });
  return Array.from({ length: count }, () => {
    machine.state.gpr[RAX] = prepare;
    machine.step();
    return machine.state.gpr[RAX];
  });
}

describe.each([['RDRAND', RDRAND], ['RDSEED', RDSEED]] as const)('%s', (_name, encodings) => {
  test('gives another number each time, with every bit of it at times 0 and at times 1', () => {
    const all = numbers(encodings[64], 200);
    expect(new Set(all).size).toBe(200);
    expect([all.reduce((a, b) => a | b), all.reduce((a, b) => a & b)]).toEqual([0xffff_ffff_ffff_ffffn, 0n]);
  });
  test('sets CF, for there is always a number, and clears the other status flags', () => {
    const m = new SystemMachine().gates().program((a) => a.db(...encodings[64]));
    m.rflags |= STATUS & ~RFLAGS.CF;
    m.step();
    expect(m.rflags & STATUS).toBe(RFLAGS.CF);
  });
  test('of 16 bits leaves the other bits, of 32 bits clears the upper half', () => {
    const ones = 0xffff_ffff_ffff_ffffn;
    expect(numbers(encodings[16], 1, undefined, ones)[0]! >> 16n).toBe(ones >> 16n);
    expect(numbers(encodings[32], 1, undefined, ones)[0]! >> 32n).toBe(0n);
  });
  test('is for every privilege level', () => {
    const m = new SystemMachine().gates().enterUser();
    expect(new Set(numbers(encodings[64], 2, m)).size).toBe(2);
    expect(m.lastException).toBe('none');
  });
  test('gives the same numbers on every engine, and again from a copy of the state', () => {
    const runs = ENGINE_NAMES.map((engine) => {
      const m = new SystemMachine(64, engine).gates();
      m.program((a) => { for (let n = 0; n < 3; n++) { a.db(...encodings[64]); a.db(0x50); } a.hlt(); });
      m.runFast(100);
      return [0, 1, 2].map((n) => m.stacked(n));
    });
    expect(new Set(runs.map(String)).size).toBe(1);
    const first = new SystemMachine().gates();
    numbers(encodings[64], 5, first);
    const second = new SystemMachine().gates();
    second.state.randomState = first.state.randomState;
    expect(numbers(encodings[64], 3, second)).toEqual(numbers(encodings[64], 3, first));
  });
});

test.each([[64, 0x0123_4567_89ab_cdefn], [32, 0n]] as const)('RDPID in %d-bit code reads IA32_TSC_AUX, zero-extended', (bits, before) => {
  const m = new SystemMachine(bits).gates().program((a) => a.db(0xf3, 0x0f, 0xc7, 0xf8));
  m.state.tscAux = 0x8000_0001n;
  m.state.gpr[RAX] = before;
  m.step();
  expect(m.state.gpr[RAX]).toBe(0x8000_0001n);
});

executesRows(SYSTEM_ROWS.random);
