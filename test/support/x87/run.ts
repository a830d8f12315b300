/** Runs an x87 case on our processor. */
import { emptyRegisters, readPhysical, retag, top, writePhysical } from '../../../src/cpu/fpu/registers.ts';
import { readRflags, writeRflags } from '../../../src/cpu/flags.ts';
import type { EngineName } from '../../../src/machine/machine.ts';
import { physical } from '../../../src/state/addresses.ts';
import { ACTIVITY } from '../../../src/state/layout.ts';
import { littleEndian } from '../encode-row.ts';
import { AT, SystemMachine } from '../system-machine.ts';
import { MEMORY_BYTES, STATUS_FLAGS, type X87State } from './cases.ts';

const RAX = 0, RSI = 6, HLT = 0xf4;

export class X87World {
  readonly #m: SystemMachine;
  readonly #engine: EngineName;
  constructor(engine: EngineName = 'reference') {
    this.#engine = engine;
    this.#m = new SystemMachine(64, engine).gates();
  }

  /** Where the last instruction was, and its operand: not recorded on silicon, but the same on every engine. */
  pointers(): Record<string, string> {
    const { state } = this.#m;
    return {
      instruction: `${state.fpuInstructionSelector}:${state.fpuInstructionPointer.toString(16)}`,
      data: `${state.fpuDataSelector}:${state.fpuDataPointer.toString(16)}`,
      opcode: state.fpuOpcode.toString(16), tags: state.fpuTag.toString(16),
    };
  }

  /** The state after the instruction; throws where it does not retire. */
  run(code: Uint8Array, before: X87State): X87State {
    const m = this.#m, { state, memory } = m;
    state.fpuControl = before.control;
    state.fpuStatus = before.status;
    before.stack.forEach((x, i) => writePhysical(state, (top(state) + i) & 7, { sign: Number(x >> 79n) as 0 | 1, exponent: Number((x >> 64n) & 0x7fffn), significand: BigInt.asUintN(64, x) }));
    retag(state, ~before.used & 0xff);
    writeRflags(state, before.flags | 2);
    state.gpr[RAX] = BigInt(before.ax);
    state.gpr[RSI] = BigInt(AT.data);
    memory.copyIn(physical(AT.data), Uint8Array.from(littleEndian(before.memory, MEMORY_BYTES)));
    memory.copyIn(physical(AT.code), Uint8Array.of(...code, HLT));
    state.rip = BigInt(AT.code);
    state.activity = ACTIVITY.running;
    m.cpu.refresh();
    // The reference engine is asked for one instruction; the others run on to the HLT behind it, as generated code does.
    const result = this.#engine === 'reference' ? m.step() : m.runFast(1000);
    if (result.kind !== (this.#engine === 'reference' ? 'retired' : 'halted')) throw new Error(`${result.kind} ${m.lastException}`);
    const bytes = memory.copyOut(physical(AT.data), MEMORY_BYTES);
    return {
      control: state.fpuControl, status: state.fpuStatus, used: ~emptyRegisters(state.fpuTag) & 0xff,
      stack: Array.from({ length: 8 }, (_, i) => {
        const x = readPhysical(state, (top(state) + i) & 7);
        return (BigInt((x.sign << 15) | x.exponent) << 64n) | x.significand;
      }),
      memory: bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
      flags: readRflags(state) & STATUS_FLAGS, ax: Number(state.gpr[RAX] & 0xffffn),
    };
  }
}
