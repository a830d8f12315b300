/**
 * SSE and AVX floating point on the engines that generate code: the reference engine's results and flags of MXCSR, whatever lanes and MXCSR hold;
 * and that ordinary numbers do not leave generated code. What the reference engine does is judged by silicon (test/isa/silicon.test.ts).
 */
import { describe, expect, it } from 'vitest';
import { label } from '../../src/assembler/index.ts';
import { xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6 } from '../../src/assembler/registers.ts';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { effectsOf } from '../../src/cpu/describe/effects.ts';
import type { FastEngine } from '../../src/cpu/engines/fast/engine.ts';
import { readRflags } from '../../src/cpu/flags.ts';
import { MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { CR4, XCR0 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { encodingOf } from '../support/random-encoding.ts';
import { Random, seedOf } from '../support/random.ts';
import { simdFor } from '../support/silicon/interesting-simd.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { LEFT_TO_REFERENCE } from './generated-rows.ts';

const seed = seedOf('floating point on every engine');
/** PE set, everything masked, to nearest: what most programs run with. */
const MXCSR_USUAL = 0x1fa0;
const LOOP_HERE = [0xeb, 0xfe];
const PROGRAMS = 12, INSTRUCTIONS = 25, STATES = 40;
/** Enough that a region is entered; what is left over goes round in the loop at the end. */
const BUDGET = 4000;

const left = LEFT_TO_REFERENCE.flatMap(({ mnemonics }) => mnemonics ?? []);
/** Rows whose results are a matter of MXCSR, on registers. */
const rows = ROWS.filter((row) => row.feature !== undefined && /^(sse|avx|fma)/.test(row.feature) && row.modes !== 'legacy' && !left.includes(row.mnemonic));
function randomInstruction(r: Random): { i: Instruction; bytes: Uint8Array } {
  for (;;) {
    const bytes = encodingOf(r.pick(rows), 64, r);
    const i = decode(bytes, 0, MODE_64);
    if (i instanceof DecodeFailure || i.operands.some((x) => x.kind === 'memory' || x.kind === 'mmx') || effectsOf(i)?.mxcsrWritten !== true) continue;
    return { i, bytes: bytes.slice(0, i.length) };
  }
}

interface State { readonly xmm: readonly bigint[]; readonly ymmHigh: readonly bigint[]; readonly mxcsr: number; readonly gpr: readonly bigint[] }
function machine(engine: 'reference' | 'interpreter' | 'translator'): SystemMachine {
  const m = new SystemMachine(64, engine);
  m.cpu.setMode(m.state.cr0, m.state.cr4 | CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE, m.state.efer);
  m.state.xcr0 = XCR0.X87 | XCR0.SSE | XCR0.AVX;
  m.gates();
  return m;
}
/** Runs the code at AT.code from a state; what it made of it, in words. */
function outcome(m: SystemMachine, { xmm, ymmHigh, mxcsr, gpr }: State): string[] {
  const { state } = m;
  state.rip = BigInt(AT.code);
  state.mxcsr = mxcsr;
  for (const [registers, values] of [[state.xmm, xmm], [state.ymmHigh, ymmHigh]] as const) {
    values.forEach((v, n) => {
      registers[2 * n] = BigInt.asUintN(64, v);
      registers[2 * n + 1] = v >> 64n;
    });
  }
  gpr.forEach((v, n) => { state.gpr[n] = v; });
  m.delivered.length = 0;
  m.engine.run(BUDGET);
  const hex = (v: bigint): string => v.toString(16);
  return [`rip ${hex(state.rip)} mxcsr ${state.mxcsr.toString(16)} flags ${readRflags(state).toString(16)} ${m.delivered.map(({ vector }) => vector).join(' ')}`,
    ...Array.from(state.xmm, (v, n) => `xmm${n >> 1}.${n & 1} ${hex(v)}`),
    ...Array.from(state.ymmHigh, (v, n) => `ymm${n >> 1}.${2 + (n & 1)} ${hex(v)}`), ...Array.from({ length: 16 }, (_, n) => `r${n} ${hex(state.gpr[n]!)}`)];
}

/** How many instructions are left to the reference engine, though they have handlers, in twenty runs of the program with numbers from 1/7 on: double precision in the registers from 4 on, single in those below. */
function leftForOrdinaryNumbers(m: SystemMachine): number {
  const words = new BigUint64Array(32), doubles = new Float64Array(words.buffer), singles = new Float32Array(words.buffer);
  const r = new Random(seed);
  const { statistics } = m.engine as FastEngine;
  const left = (): number => statistics.referenceInstructions - statistics.exits.notYet, before = left();
  for (let n = 0; n < 20; n++) {
    for (let k = 0; k < 16; k++) singles[k] = r.between(1, 1_000_000) / 7;
    for (let k = 8; k < 32; k++) doubles[k] = r.between(1, 1_000_000) / 7;
    const vectors = Array.from({ length: 16 }, (_, x) => words[2 * x]! | (words[2 * x + 1]! << 64n));
    outcome(m, { xmm: vectors, ymmHigh: vectors, mxcsr: MXCSR_USUAL, gpr: [] });
  }
  return left() - before;
}

describe.each(['interpreter', 'translator'] as const)('on the %s', (engine) => {
  it('programs of SSE and AVX arithmetic have the reference engine’s results, flags and exceptions', { timeout: 120_000 }, () => {
    const r = new Random(seed);
    for (let n = 0; n < PROGRAMS; n++) {
      const ours = machine(engine), reference = machine('reference');
      const code = Array.from({ length: INSTRUCTIONS }, () => randomInstruction(r));
      for (const m of [ours, reference]) m.memory.copyIn(physical(AT.code), Uint8Array.from([...code.flatMap(({ bytes }) => [...bytes]), ...LOOP_HERE]));
      for (let k = 0; k < STATES; k++) {
        const { xmm, mxcsr } = simdFor(r, 'floats'), { xmm: ymmHigh } = simdFor(r, 'floats');
        // Few programs get far when an exception is not masked.
        const state = { xmm, ymmHigh, mxcsr: r.chance(60) ? MXCSR_USUAL | r.below(0x40) : mxcsr, gpr: Array.from({ length: 16 }, (_, x) => (x === 4 ? BigInt(AT.kernelStack) : r.u64() >> BigInt(r.below(64)))) };
        expect(outcome(ours, state), `seed ${seed}: ${code.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join(' ')}`).toEqual(outcome(reference, state));
      }
    }
  });

  it.each(['vfmadd213ps', 'vfmsub231pd', 'vfnmadd132ss', 'vfnmsub213sd', 'vfmaddsub231ps', 'vfmsubadd132pd'] as const)('%s of ordinary numbers is done in generated code', (name) => {
    const m = machine(engine);
    m.program((a) => {
      const single = name.endsWith('s');
      if (/s[sd]$/.test(name)) a[name as 'vfnmadd132ss'](single ? xmm3 : xmm6, single ? xmm1 : xmm4, single ? xmm2 : xmm5);
      else a[name as 'vfmadd213ps'](single ? ymm3 : ymm6, single ? ymm1 : ymm4, single ? ymm2 : ymm5);
      a.label('end');
      a.jmp(label('end'));
    });
    expect(leftForOrdinaryNumbers(m), `seed ${seed}`).toBe(0);
  });

  it.each(['add', 'mul', 'sub', 'div', 'sqrt', 'min', 'max'])('%s of ordinary numbers in both formats is done in generated code, scalar and packed, of 128 and 256 bits', (name) => {
    const m = machine(engine);
    m.program((a) => {
      for (const suffix of ['ss', 'ps'] as const) a[`${name}${suffix}` as 'addss'](xmm1, xmm2);
      for (const suffix of ['sd', 'pd'] as const) a[`${name}${suffix}` as 'addsd'](xmm4, xmm5);
      if (name === 'sqrt') {
        a.vsqrtps(ymm3, ymm2);
        a.vsqrtpd(ymm6, ymm5);
      } else {
        a[`v${name}ps` as 'vaddps'](ymm3, ymm1, ymm2);
        a[`v${name}pd` as 'vaddpd'](ymm6, ymm4, ymm5);
      }
      a.label('end');
      a.jmp(label('end'));
    });
    expect(leftForOrdinaryNumbers(m), `seed ${seed}`).toBe(0);
  });
});
