/** XMM and YMM registers, MXCSR, and the x87 FPU, whose words are called as gdb calls them. */
import { setControl, setStatus } from '../../cpu/fpu/control.ts';
import { emptyRegisters, readSt, retag, writeSt } from '../../cpu/fpu/registers.ts';
import { checkMxcsr } from '../../cpu/mxcsr.ts';
import type { GuestState } from '../../state/guest-state.ts';
import type { Machine } from '../machine.ts';
import type { MachineRegister } from './register.ts';

export function* vectorRegisters(): Generator<MachineRegister> {
  for (let n = 0; n < 16; n++) {
    yield {
      name: `xmm${n}`, bits: 128, read: ({ state }) => state.xmm[2 * n]! | (state.xmm[2 * n + 1]! << 64n),
      write: ({ state }, value) => { state.xmm[2 * n] = BigInt.asUintN(64, value); state.xmm[2 * n + 1] = value >> 64n; },
    };
  }
  for (let n = 0; n < 16; n++) {
    const halves = ({ state }: Machine): readonly bigint[] => [state.xmm[2 * n]!, state.xmm[2 * n + 1]!, state.ymmHigh[2 * n]!, state.ymmHigh[2 * n + 1]!];
    yield {
      name: `ymm${n}`, bits: 256, read: (machine) => halves(machine).reduceRight((value, part) => (value << 64n) | part, 0n),
      write: ({ state }, value) => {
        for (const [at, registers] of [state.xmm, state.ymmHigh].entries()) {
          for (const half of [0, 1]) registers[2 * n + half] = BigInt.asUintN(64, value >> BigInt(128 * at + 64 * half));
        }
      },
    };
  }
  yield {
    name: 'mxcsr', bits: 32, read: ({ state }) => BigInt(state.mxcsr),
    write: ({ state }, value) => {
      checkMxcsr(Number(value));
      state.mxcsr = Number(value);
    },
  };
}

/** A word of the x87 environment that has so many bits. */
const word = (name: string, bits: number, read: (state: GuestState) => bigint | number, set: (state: GuestState, value: number) => void): MachineRegister => ({
  name, bits: 32, read: ({ state }) => BigInt(read(state)),
  write: ({ state }, value) => {
    if (value >> BigInt(bits) !== 0n) throw new RangeError(`it has ${bits} bits`);
    set(state, Number(value));
  },
});

/** ST(i) counts from TOP; one that is written is empty no longer. Tags say of a register that is not empty what is in it, whatever is written to them. */
export function* floatingPointRegisters(): Generator<MachineRegister> {
  for (let n = 0; n < 8; n++) {
    yield {
      name: `st${n}`, bits: 80,
      read: ({ state }) => {
        const { sign, exponent, significand } = readSt(state, n);
        return (BigInt((sign << 15) | exponent) << 64n) | significand;
      },
      write: ({ state }, value) => {
        const high = Number(value >> 64n);
        writeSt(state, n, { sign: high >> 15 === 0 ? 0 : 1, exponent: high & 0x7fff, significand: BigInt.asUintN(64, value) });
      },
    };
  }
  yield word('fctrl', 16, ({ fpuControl }) => fpuControl, setControl);
  yield word('fstat', 16, ({ fpuStatus }) => fpuStatus, setStatus);
  yield word('ftag', 16, ({ fpuTag }) => fpuTag, (state, value) => { retag(state, emptyRegisters(value)); });
  yield word('fop', 11, ({ fpuOpcode }) => fpuOpcode, (state, value) => { state.fpuOpcode = value; });
  yield word('fiseg', 16, ({ fpuInstructionSelector }) => fpuInstructionSelector, (state, value) => { state.fpuInstructionSelector = value; });
  yield word('foseg', 16, ({ fpuDataSelector }) => fpuDataSelector, (state, value) => { state.fpuDataSelector = value; });
  // The pointers have 64 bits with REX.W forms of FXSAVE only.
  yield { name: 'fioff', bits: 64, read: ({ state }) => state.fpuInstructionPointer, write: ({ state }, value) => { state.fpuInstructionPointer = value; } };
  yield { name: 'fooff', bits: 64, read: ({ state }) => state.fpuDataPointer, write: ({ state }, value) => { state.fpuDataPointer = value; } };
}
