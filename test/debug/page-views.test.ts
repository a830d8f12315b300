/** What the debugger's page is told of registers and paging-structure entries: fields of several bits as numbers, with what they say. */
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { SourceLines } from '../../src/debug/source-lines.ts';
import { codeView, Sources } from '../../src/debugger/worker/code-view.ts';
import { treeView, walkView } from '../../src/debugger/worker/paging-view.ts';
import { registerView } from '../../src/debugger/worker/register-view.ts';
import { Machine } from '../../src/machine/machine.ts';
import { MACHINE_REGISTERS } from '../../src/machine/registers.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';

const PAGE = 0x4000_0000n;

/** A machine in long mode, whose first 4 GiB are mapped one to one by pages of 1 GiB. */
function longMachine(): Machine {
  const { bytes } = assemble((a) => { a.hlt(); }, { origin: 0x20_0000 });
  const machine = new Machine({ memoryBytes: 16 << 20, cpu: 'max' });
  machine.load(bytes, { flat: { loadAddress: 0x20_0000, entry: 0x20_0000, bits: 64 } });
  return machine;
}
const set = (machine: Machine, name: string, value: bigint): void => MACHINE_REGISTERS.get(name)!.write!(machine, value);
const fieldsOf = (machine: Machine, name: string): Record<string, bigint> => {
  const register = registerView(new Debugger(machine)).flatMap(({ registers }) => registers.flatMap((one) => [one, ...one.parts ?? []])).find((one) => one.name === name)!;
  return Object.fromEntries(register.fields!.map(({ name: field, mask }) => [field, (register.value & mask) / (mask & -mask)]));
};

describe('registers as fields', () => {
  it('IOPL is a number of two bits', () => {
    const machine = longMachine();
    set(machine, 'rflags', 0x3002n);
    expect(fieldsOf(machine, 'rflags')).toMatchObject({ IOPL: 3n, ZF: 0n });
  });
  it('a segment register\'s hidden part is type, privilege and bits', () => {
    expect(fieldsOf(longMachine(), 'cs_attributes')).toEqual({ 'G': 1n, 'D/B': 0n, 'L': 1n, 'AVL': 0n, 'P': 1n, 'DPL': 0n, 'S': 1n, 'TYPE': 0xbn });
  });
  it('CR3 has a PCID where CR4 says so, and cache bits where not', () => {
    const machine = longMachine();
    expect(Object.keys(fieldsOf(machine, 'cr3'))).toEqual(['PDBR', 'PCD', 'PWT']);
    set(machine, 'cr4', BigInt(machine.state.cr4 | CR4.PCIDE));
    expect(fieldsOf(machine, 'cr3')).toEqual({ PDBR: machine.state.cr3 >> 12n, PCID: machine.state.cr3 & 0xfffn });
  });
  it('no two fields of a register overlap', () => {
    for (const { registers } of registerView(new Debugger(longMachine()))) {
      for (const { name, bits, fields = [] } of registers) {
        const all = fields.reduce((sum, { mask }) => sum + mask, 0n);
        expect(fields.reduce((union, { mask }) => union | mask, 0n), name).toBe(all);
        expect(all >> BigInt(bits), name).toBe(0n);
      }
    }
  });
});

describe('what the next instruction does', () => {
  const meaningOf = (bytes: readonly number[]): ReturnType<typeof codeView>['meaning'] => {
    const machine = longMachine(), debug = new Debugger(machine);
    debug.writeMemory(machine.state.rip, Uint8Array.from(bytes));
    return codeView(debug, new Sources(new SourceLines(), {}), { before: 0, after: 1 }).meaning;
  };
  it('is its meaning in lines, and what it reads and writes', () => {
    expect(meaningOf([0x48, 0x01, 0xd8])).toMatchObject({ reads: ['rax', 'rbx'], writes: ['rax', 'CF', 'OF', 'AF', 'ZF', 'SF', 'PF'] });
    expect(meaningOf([0x0f, 0xfc, 0xc1])).toMatchObject({ reads: ['mm0', 'mm1'], writes: ['mm0', 'x87'] });
  });
  it('is a sentence where it is a system instruction', () => {
    expect(meaningOf([0x0f, 0x22, 0xd8])).toMatchObject({ text: ['cr3 ← rax; modes, paging and TLBs follow'], reads: ['rax'], writes: ['cr3', 'TLB'] });
    expect(meaningOf([0x0f, 0x01, 0x17])).toMatchObject({ text: ['limit and base of GDTR ← fword ptr [rdi]'], reads: ['rdi', 'memory'], writes: ['gdtr'] });
    expect(meaningOf([0xd9, 0xfe])).toMatchObject({ text: ['ST(0) ← sin ST(0)'], reads: ['x87'], writes: ['x87'] });
  });
});

describe('paging-structure entries as fields', () => {
  const entryAt = (machine: Machine): number => walkView(machine, PAGE).levels.at(-1)!.entryAddress!;
  const mark = (machine: Machine, bits: bigint): void => {
    const at = entryAt(machine), value = walkView(machine, PAGE).levels.at(-1)!.value | bits;
    new Debugger(machine).writeMemory(BigInt(at), new Uint8Array(BigUint64Array.of(value).buffer), true);
  };

  it('have none where nothing is set', () => {
    expect(walkView(longMachine(), PAGE).levels.map(({ fields }) => fields)).toEqual([[], []]);
  });
  it('leave bits to software', () => {
    const machine = longMachine();
    mark(machine, (5n << 9n) | (0x7n << 52n));
    expect(walkView(machine, PAGE).levels.at(-1)!.fields).toMatchObject([{ name: 'software', value: 5 }, { name: 'software, high', value: 7 }]);
  });
  it('have a protection key with CR4.PKE', () => {
    const machine = longMachine();
    mark(machine, 9n << 59n);
    expect(walkView(machine, PAGE).levels.at(-1)!.fields).toMatchObject([{ name: 'software, high', value: 9 << 7 }]);
    set(machine, 'cr4', BigInt(machine.state.cr4 | CR4.PKE));
    expect(walkView(machine, PAGE).levels.at(-1)!.fields).toMatchObject([{ name: 'PKEY', value: 9 }]);
    expect(treeView(machine, { base: 0n, depth: 1 })[1]!.fields).toMatchObject([{ name: 'PKEY', value: 9 }]);
  });
});
