/** A debugger's edits of registers: what follows from one follows, what the processor cannot have is refused in a line, and a replay has them again. */
import { beforeAll, describe, expect, it } from 'vitest';
import { InputLog, Replay } from '../../src/machine/input-log.ts';
import { ENGINE_NAMES, Machine } from '../../src/machine/machine.ts';
import { momentOf } from '../../src/machine/position.ts';
import { MACHINE_REGISTERS, writeRegister } from '../../src/machine/registers.ts';
import { flatMachine, kernelMachine, wholeState } from './support/guests.ts';

/** Where the guest kernel is in 64-bit mode with its own GDT: null, kernel code and data, user32, user data and code, TSS. */
const BOOTED = 200_000;
const KERNEL_DATA = 0x10n, USER_DATA = 0x23n, USER_CODE = 0x2bn;

let machine: Machine;
const write = (name: string, value: bigint): void => { writeRegister(machine, name, value); };
const read = (name: string): bigint => MACHINE_REGISTERS.get(name)!.read(machine);

const booted = (): Machine => {
  const kernel = kernelMachine('timer');
  kernel.run({ maxInstructions: BOOTED });
  return kernel;
};
beforeAll(() => { machine = booted(); });

describe('an edit of a segment register', () => {
  it('brings the hidden part of its descriptor with it', () => {
    write('fs', USER_DATA);
    expect(machine.cpu.segment(4)).toEqual({ selector: 0x23, base: 0n, limit: 0xffff_ffff, attributes: 0xc0f3 });
    write('fs', 0n);
    expect(machine.cpu.segment(4)).toEqual({ selector: 0, base: 0n, limit: 0, attributes: 1 << 16 });
  });
  it('leaves no trace where the descriptor lies', () => {
    const gdt = machine.readLinear(machine.state.gdtrBase, machine.state.gdtrLimit + 1), tlb = machine.mmu.tlb.save();
    write('es', KERNEL_DATA);
    expect(() => { write('ss', USER_DATA); }).toThrow(RangeError);
    expect(machine.readLinear(machine.state.gdtrBase, gdt.length)).toEqual(gdt);
    expect(machine.mmu.tlb.save()).toEqual(tlb);
  });
  it('is a paragraph in real-address mode', () => {
    const real = flatMachine((a) => { a.nop(); }).machine;
    real.cpu.setMode(0, 0, 0);
    writeRegister(real, 'ds', 0x1234n);
    expect(real.state.base[3]).toBe(0x1_2340n);
  });
  it.each<[register: string, value: bigint, refusal: string]>([
    ['ds', 0x7f8n, 'ds cannot be 0x7f8: the selector is outside its descriptor table'],
    ['ds', 0x14n, 'ds cannot be 0x14: its descriptor cannot be read'],
    ['ds', 0x30n, 'ds cannot be 0x30: neither a data nor a readable code segment that is accessed'],
    ['ds', 0x13n, 'ds cannot be 0x13: RPL or CPL exceeds the DPL of the segment'],
    ['cs', KERNEL_DATA, 'cs cannot be 0x10: not a code segment'],
    ['cs', USER_CODE, 'cs cannot be 0x2b: RPL of the selector is not CPL'],
    ['cs', 0n, 'cs cannot be 0x0: not a code segment'],
    ['ss', USER_DATA, 'ss cannot be 0x23: RPL of the selector is not CPL'],
    ['ss', 8n, 'ss cannot be 0x8: not a writable data segment that is accessed'],
    ['ldtr', KERNEL_DATA, 'ldtr cannot be 0x10: not an LDT'],
    ['tr', 0n, 'tr cannot be 0x0: TR cannot be null'],
    ['tr', 0x34n, 'tr cannot be 0x34: its descriptor must be in the GDT'],
    ['cs_base', 1n << 32n, 'the base of this segment has 32 bits'],
    ['tr_base', 1n << 57n, 'the base is not canonical'],
    ['fs_base', 1n << 63n, 'non-canonical'],
    ['ds_attributes', 0x1_0000_0000n, 'ds_attributes has 32 bits'],
    ['ds_attributes', 0xcf93n, 'a reserved bit of the attributes is set'],
    ['ds_attributes', 0xc013n, 'the segment is not present'],
    ['cs_attributes', 0xe09bn, 'L and D are both set'],
    ['cs_attributes', 0xc09bn, 'RIP is beyond 4 GiB'],
    ['ds_limit', 0xf_fffen, 'the limit is no number of pages'],
  ])('%s = %#x is refused, and changes nothing', (register, value, refusal) => {
    const before = wholeState(machine);
    expect(() => { write(register, value); }).toThrow(refusal);
    expect(wholeState(machine)).toBe(before);
  });
  it('names the LDT only where there is one', () => {
    write('ldtr', 0n);
    expect(() => { write('es', 0x14n); }).toThrow('es cannot be 0x14: there is no LDT');
  });
  it('may change the hidden part alone', () => {
    write('ds_limit', 0xfffn);
    write('ds_base', 0x1000n);
    write('ds_attributes', 0xc091n);
    expect(machine.cpu.segment(3)).toEqual({ selector: 0x10, base: 0x1000n, limit: 0xfff, attributes: 0xc091 });
  });
});

describe('an edit of another register', () => {
  it.each<[register: string, value: bigint, becomes?: bigint]>([
    ['gdtr_base', 0xffff_8000_0000_1000n], ['idtr_limit', 0x7fn], ['dr3', 0x1234n], ['dr6', 0x4001n, 0xffff_4ff1n], ['dr7', 0x1n, 0x401n],
    ['mxcsr', 0x7f80n], ['xmm3', 5n << 64n], ['st0', 0x4000_c000_0000_0000_0000n], ['fctrl', 0x27fn], ['fstat', 0x3800n], ['fop', 0x7ffn], ['fioff', 0x1234n],
    ['cr2', 0x1000n], ['rflags', 0x246n],
  ])('%s takes %#x', (register, value, becomes = value) => {
    write(register, value);
    expect(read(register)).toBe(becomes);
  });
  it.each<[register: string, value: bigint, refusal: string]>([
    ['gdtr_base', 1n << 60n, 'the base is not canonical'], ['dr7', 1n << 32n, 'reserved bit of DR7'], ['mxcsr', 0x1_0000n, 'reserved bit of MXCSR'], ['fctrl', 0x1_0000n, 'it has 16 bits'],
    ['fop', 0x800n, 'it has 11 bits'], ['xcr0', 2n, 'components that XCR0 cannot have'], ['rflags', 0x2_0002n, 'only IRET and task switches change RFLAGS.VM'], ['rflags', 0x8002n, 'a reserved bit of RFLAGS'],
    ['cr4', 1n << 40n, 'reserved bit of CR4'], ['cr3', 1n << 62n, 'reserved bit of CR3'], ['cr8', 16n, 'reserved bit of CR8'], ['efer', 1n << 20n, 'a reserved bit'], ['lstar', 1n << 60n, 'a non-canonical address'],
  ])('%s = %#x is refused', (register, value, refusal) => {
    const before = wholeState(machine);
    expect(() => { write(register, value); }).toThrow(refusal);
    expect(wholeState(machine)).toBe(before);
  });
  it('of ST(i) counts from TOP and says what is in the register; of the tag word only empties and fills', () => {
    write('fstat', 0n);
    write('st0', 0n);
    write('ftag', 0xffffn);
    write('fstat', 0x3000n);
    write('st1', 0n);
    expect([machine.state.fpuRegisters[14], read('ftag')]).toEqual([0n, 0x7fffn]);
    write('ftag', 0x3ff0n);
    expect(read('ftag')).toBe(0x7ff5n);
  });
  it('of DR7 arms a breakpoint', () => {
    write('dr0', machine.state.rip);
    write('dr7', 1n);
    expect(machine.cpu.executionBreakpoints).toBe(true);
  });
});

describe('edits in a log', () => {
  it('are the same run when they are replayed on any engine', () => {
    const recorded = booted(), log = new InputLog();
    const edits: [string, bigint][] = [['fs', USER_DATA], ['gs_base', 0xffff_8000_0000_0000n], ['ds_limit', 0xfffn], ['st2', 0x3fff_8000_0000_0000_0000n], ['mxcsr', 0x1fa0n], ['dr2', 5n], ['idtr_limit', 0xfffn], ['cr2', 7n]];
    for (const [name, value] of edits) {
      recorded.run({ maxInstructions: 100 });
      log.give(recorded, { kind: 'register', name, value });
    }
    log.end = momentOf(recorded);
    for (const engine of ENGINE_NAMES) {
      const other = kernelMachine('timer', { engine });
      expect(new Replay(other, log).run()).toBe(true);
      expect(wholeState(other), engine).toBe(wholeState(recorded));
    }
  });
});

it('a register that the processor does not have reads 0, and cannot be changed', () => {
  const old = new Machine({ cpu: '486', memoryBytes: 1 << 20 });
  for (const { name, read: readIt } of MACHINE_REGISTERS.values()) expect(typeof readIt(old), name).toBe('bigint');
  expect(MACHINE_REGISTERS.get('efer')!.read(old)).toBe(0n);
  expect(() => { writeRegister(old, 'efer', 0x100n); }).toThrow(RangeError);
});
