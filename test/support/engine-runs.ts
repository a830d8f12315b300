/** The same program on every engine: what the guest can see afterwards must be what the reference engine leaves. */
import { expect, it } from 'vitest';
import { FastEngine } from '../../src/cpu/engines/fast/engine.ts';
import type { CodeSize } from '../../src/cpu/isa/instruction.ts';
import { readRflags } from '../../src/cpu/flags.ts';
import { ENGINE_NAMES, type EngineName, type Machine } from '../../src/machine/machine.ts';
import { stateHash } from './state-hash.ts';
import { SystemMachine } from './system-machine.ts';

export const FAST: readonly Exclude<EngineName, 'reference'>[] = ENGINE_NAMES.filter((name) => name !== 'reference');

/** Registers, the TLBs and a hash of everything, as text whose difference says where to look. */
export function visibleState(m: Pick<Machine, 'state' | 'mmu'>): Record<string, string> {
  const { state, mmu } = m;
  const gpr = [...state.gpr.subarray(0, 16)].map((v) => v.toString(16)).join(' ');
  const tlb = [...mmu.tlb.entries()].map((e) => `${e.tlb[0]!}:${e.high.toString(16)}.${e.low.toString(16)}/${e.pcid}=${e.frame.toString(16)}${e.dirty ? 'D' : ''}`);
  return { gpr, rip: state.rip.toString(16), rflags: readRflags(state).toString(16), retired: String(state.retired), tlb: tlb.join(' '), everything: stateHash(m) };
}

/** What can be run: a fresh machine with a program in it. */
export type Setup = (m: SystemMachine) => void;

export function machineWith(engine: EngineName, setup: Setup, mode: CodeSize = 64): SystemMachine {
  const m = new SystemMachine(mode, engine).gates();
  setup(m);
  return m;
}

/** The engine of a machine that is not the reference engine's. */
export function fastEngine(m: { readonly engine: unknown }): FastEngine {
  if (!(m.engine instanceof FastEngine)) throw new Error('not a fast engine');
  return m.engine;
}

export interface SameOptions {
  readonly mode?: CodeSize;
  /** Most instructions of the run, which ends with HLT. */
  readonly budget?: number;
  /** Something of the final state and what it must be, whatever the engines agree on. */
  readonly finds?: (m: SystemMachine) => readonly [unknown, unknown];
}

/** One test for each fast engine: the program ends with HLT in the reference engine's state. */
export function sameOnEveryEngine(sentence: string, setup: Setup, { mode = 64, budget = 1_000_000, finds }: SameOptions = {}): void {
  it.each(FAST)(`${sentence} › %s`, (name) => {
    const reference = machineWith('reference', setup, mode);
    expect(reference.runFast(budget)).toEqual({ kind: 'halted' });
    const [found, wanted] = finds?.(reference) ?? [];
    expect(found).toEqual(wanted);
    const m = machineWith(name, setup, mode);
    expect(m.runFast(budget)).toEqual({ kind: 'halted' });
    expect(visibleState(m)).toEqual(visibleState(reference));
    expect(m.delivered).toEqual(reference.delivered);
  });
}
