/** "Who wrote this?" is answered by the last write before now, whoever made it, on every engine, and the machine stays where it is. */
import { describe, expect, it, vi } from 'vitest';
import { al, cr0, dword, eax, ecx, qword, rax, rbx, rcx, r14, rsp, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { History } from '../../src/debug/history/history.ts';
import { lastWrite, type LastWrite, type WriteTarget } from '../../src/debug/history/last-write.ts';
import { ENGINE_NAMES, type EngineName } from '../../src/machine/machine.ts';
import { NotedWrites } from '../../src/debug/history/noted-writes.ts';
import { writesAt } from '../../src/debug/history/register-writes.ts';
import { momentOf, type Position } from '../../src/machine/position.ts';
import { MACHINE_REGISTERS } from '../../src/machine/registers.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { linear } from '../../src/state/addresses.ts';
import { Random, seedOf } from '../support/random.ts';
import { flatMachine, kernelMachine, wholeState } from '../machine/support/guests.ts';

function program(a: Assembler): void {
  a.mov(rsp, 0x40_0000);
  a.label('early');
  a.mov(r14, 1);
  a.label('first');
  a.mov(rbx, 5);
  a.mov(ecx, 20_000);
  a.label('loop');
  a.label('store');
  a.add(dword('counter'), 1);
  a.dec(ecx);
  a.jnz('loop');
  a.label('same');
  a.mov(rbx, 5);
  a.label('call');
  a.call('function');
  a.mov(ecx, 30_000);
  a.label('wait');
  a.dec(ecx);
  a.jnz('wait');
  a.hlt();
  a.label('function');
  a.mov(rax, qword('counter'));
  a.ret();
  a.align(8);
  a.label('counter');
  a.dq(0);
}

const ended = (engine: EngineName): { history: History; ask: (target: WriteTarget) => LastWrite | undefined; address: (name: string) => bigint } => {
  const { machine, address } = flatMachine(program, { engine });
  const history = new History(machine);
  expect(history.run()).toEqual({ kind: 'halted', wakeable: false });
  return {
    history, address,
    ask: (target) => {
      const whole = wholeState(machine), { now } = history;
      const found = lastWrite(history, target).finish();
      expect([wholeState(machine), history.now]).toEqual([whole, now]);
      return found;
    },
  };
};

describe('the last write to CR3', () => {
  /** Writes to CR3 from a moment up to now. */
  const writesSince = (history: History, at: Position): number => {
    const here = history.now;
    let writes = 0;
    const observer = { controlRegister: (number: number) => { if (number === 3) writes++; } };
    history.runTo(at);
    history.machine.observers.add(observer);
    history.pass({ until: here });
    history.machine.observers.remove(observer);
    return writes;
  };

  it('is known, since the history notes each, and is the last one, wherever it is asked for', () => {
    const history = new History(kernelMachine('ring3'));
    history.run();
    const { end } = history;
    for (let n = 1; n <= 8; n++) {
      history.runTo(Math.floor((end.retired * n) / 8));
      const search = lastWrite(history, { kind: 'register', name: 'cr3' });
      let pieces = 1;
      while (search.advance() === undefined) pieces++;
      const found = search.finish()!;
      expect(pieces).toBeLessThan(4);
      expect([found.by, found.after, writesSince(history, found.at)]).toEqual(['instruction', history.machine.state.cr3, 1]);
    }
  });
  it('is an edit, where that came later', () => {
    const history = new History(kernelMachine('ring3'));
    history.run({ maxInstructions: 150_000 });
    const { cr3 } = history.machine.state, at = history.now;
    history.give({ kind: 'register', name: 'cr3', value: cr3 });
    history.run({ maxInstructions: 100 });
    expect(lastWrite(history, { kind: 'register', name: 'cr3' }).finish()).toMatchObject({ by: 'edit', at: { retired: at.retired } });
  });
});

describe('the last write to CR0, CR3, CR4 and EFER', () => {
  it('is what a search finds, and known at once however far back it is', () => {
    const history = new History(kernelMachine('ring3'));
    history.run();
    const { end } = history;
    for (const at of [end.retired, 150_000, 40, 3, 0]) {
      history.runTo(at);
      for (const name of ['cr0', 'cr3', 'cr4', 'efer', 'lstar', 'sysenter_eip']) {
        const noted = lastWrite(history, { kind: 'register', name });
        let pieces = 1;
        while (noted.advance() === undefined) pieces++;
        expect(pieces).toBeLessThan(8);
        const unaided = vi.spyOn(NotedWrites, 'namesFor').mockReturnValue(undefined);
        expect(noted.finish(), `${name} at ${at}`).toEqual(lastWrite(history, { kind: 'register', name }).finish());
        unaided.mockRestore();
      }
    }
  });
  it('is none where it was before the beginning of the history', () => {
    const { machine } = flatMachine((a) => {
      a.mov(rax, cr0);
      a.mov(cr0, rax);
      a.label('again');
      a.mov(rbx, 0x40_0000);
      a.label('fill');
      a.inc(dword(rbx));
      a.add(rbx, 4096);
      a.cmp(rbx, 0xc0_0000);
      a.jb('fill');
      a.jmp('again');
    });
    const history = new History(machine, { budgetBytes: 4 << 20 });
    history.run({ maxInstructions: 100 });
    expect(lastWrite(history, { kind: 'register', name: 'cr0' }).finish()).toMatchObject({ at: { retired: 1 } });
    history.run({ maxInstructions: 300_000 });
    expect(history.start.retired).toBeGreaterThan(1);
    const search = lastWrite(history, { kind: 'register', name: 'cr0' });
    expect([search.advance(), lastWrite(history, { kind: 'register', name: 'cr4' }).advance()]).toEqual([{ what: undefined }, { what: undefined }]);
  });
});

describe('the last write', () => {
  it.each(ENGINE_NAMES)('to memory is found by linear and by physical address › %s', (engine) => {
    const { ask, address } = ended(engine);
    const counter = address('counter');
    const found = { rip: address('store'), by: 'instruction', before: 19_999n, after: 20_000n, at: { retired: 3 + 1 + 3 * 19_999 } };
    expect(ask({ kind: 'memory', address: counter, bytes: 4 })).toMatchObject(found);
    expect(ask({ kind: 'memory', address: counter + 3n, bytes: 1, physical: true })).toMatchObject({ ...found, before: 0n, after: 0n });
    expect(ask({ kind: 'memory', address: 0x40_0000n - 8n, bytes: 8 })).toMatchObject({ rip: address('call'), by: 'instruction', before: 0n, after: address('call') + 5n });
    expect(ask({ kind: 'memory', address: counter + 8n, bytes: 8 })).toBeUndefined();
  });
  it.each(ENGINE_NAMES)('to a register is found where the same value was written again, too › %s', (engine) => {
    const { ask, address } = ended(engine);
    expect(ask({ kind: 'register', name: 'rbx' })).toMatchObject({ rip: address('same'), by: 'instruction', before: 5n, after: 5n });
    expect(ask({ kind: 'register', name: 'RAX' })).toMatchObject({ rip: address('function'), before: 0n, after: 20_000n });
    expect(ask({ kind: 'register', name: 'r14' })).toMatchObject({ rip: address('early') });
    expect(ask({ kind: 'register', name: 'cr3' })).toBeUndefined();
    expect(ask({ kind: 'register', name: 'r15' })).toBeUndefined();
  });
  it.each(ENGINE_NAMES)('to a register is what a look at every boundary finds, through deliveries and changes of address space › %s', (engine) => {
    const BEGIN = 168_000, END = 172_000, REGISTERS = ['rax', 'rcx', 'rsp', 'rdi', 'r12', 'rflags', 'cs', 'ss_attributes', 'gs_base', 'ldtr', 'dr6', 'st0', 'mxcsr', 'rip'].map((name) => MACHINE_REGISTERS.get(name)!);
    /** At each boundary, the last write of each register before it. */
    const expected = new Map<string, Map<string, { readonly at: Position; readonly by: string }>>();
    const straight = kernelMachine('ring3', { engine: 'reference' });
    straight.run({ maxInstructions: BEGIN });
    const last = new Map<string, { readonly at: Position; readonly by: string }>();
    while (straight.state.retired < END) {
      const { retired, deliveries } = momentOf(straight), at = { retired, deliveries }, { rip } = straight.state;
      const before = REGISTERS.map((register) => ({ register, value: register.read(straight), isWritten: writesAt(straight, register, rip) }));
      straight.run({ maxInstructions: 1 });
      for (const { register: { name, read }, value, isWritten } of before) {
        // RF is cleared by whatever instruction comes next, which is not called its writer.
        const RF = name === 'rflags' ? ~BigInt(RFLAGS.RF) : -1n, isChanged = (read(straight) & RF) !== (value & RF), ran = straight.state.retired > retired;
        if (isChanged || (ran && isWritten === true)) last.set(name, { at, by: ran ? 'instruction' : 'delivery' });
      }
      expected.set(`${straight.state.retired}+${straight.cpu.deliveries}`, new Map(last));
    }
    const history = new History(kernelMachine('ring3', { engine }));
    history.run({ maxInstructions: END });
    const random = new Random(seedOf('last-write'));
    for (const key of Array.from({ length: 4 }, () => random.pick([...expected.keys()].slice(2000)))) {
      const [retired, deliveries] = key.split('+').map(Number) as [number, number];
      history.runTo({ retired, deliveries });
      // What was written before BEGIN is not known to the judge, and not asked.
      for (const [name, known] of expected.get(key)!) {
        expect(lastWrite(history, { kind: 'register', name }).finish(), `${name} at ${key}`).toMatchObject(known);
      }
    }
  });
  it('to a register is found behind millions of instructions that write it and millions that do not', () => {
    const { machine, address } = flatMachine((a) => {
      a.mov(ecx, 1_000_000);
      a.label('busy');
      a.inc(rbx);
      a.dec(ecx);
      a.jnz('busy');
      a.label('last');
      a.mov(rbx, 7);
      a.mov(ecx, 3_000_000);
      a.label('wait');
      a.dec(ecx);
      a.jnz('wait');
      a.hlt();
    });
    const history = new History(machine);
    history.run();
    expect(lastWrite(history, { kind: 'register', name: 'rbx' }).finish()).toMatchObject({ rip: address('last'), by: 'instruction', before: 1_000_000n, after: 7n, at: { retired: 3_000_001 } });
  });
  it('to a segment register, a flag or the x87 stack is found behind millions of instructions that cannot write it', () => {
    const { machine, address } = flatMachine((a) => {
      a.mov(rsp, 0x40_0000);
      a.fninit();
      a.label('x87');
      a.fld1();
      a.label('flags');
      a.std();
      a.label('segment');
      a.wrfsbase(rbx);
      a.mov(ecx, 3_000_000);
      a.label('wait');
      // LEA and JRCXZ leave the flags alone.
      a.lea(rcx, qword(rcx, -1));
      a.jrcxz('end');
      a.jmp('wait');
      a.label('end');
      a.hlt();
    });
    machine.cpu.setMode(machine.state.cr0, machine.state.cr4 | CR4.FSGSBASE, machine.state.efer);
    const history = new History(machine);
    history.run();
    expect(lastWrite(history, { kind: 'register', name: 'rflags' }).finish()).toMatchObject({ rip: address('flags'), before: 2n, after: 0x402n });
    expect(lastWrite(history, { kind: 'register', name: 'fs_base' }).finish()).toMatchObject({ rip: address('segment'), before: 0n, after: 0n });
    expect(lastWrite(history, { kind: 'register', name: 'st0' }).finish()).toMatchObject({ rip: address('x87'), before: 0n, after: 0x3fff_8000_0000_0000_0000n });
    expect(lastWrite(history, { kind: 'register', name: 'dr3' }).finish()).toBeUndefined();
    // Nine million instructions; a look at each of them would have been the reference engine's.
    expect(machine.reference.noted).toBeLessThan(100_000);
  });
  it('to RIP is the instruction before, a system instruction as well', () => {
    const { machine, address } = flatMachine((a) => {
      a.label('out');
      a.out(0x80, al);
      a.hlt();
    });
    const history = new History(machine);
    history.run({ maxInstructions: 1 });
    expect(lastWrite(history, { kind: 'register', name: 'rip' }).finish()).toMatchObject({ rip: address('out'), by: 'instruction', at: { retired: 0 } });
  });
  it('to CR8 is found where the local APIC was told, too', () => {
    const { machine, address } = flatMachine((a) => {
      a.mov(eax, 0xfee0_0080);
      a.mov(ecx, 0x50);
      a.label('tpr');
      a.mov(dword(rax), ecx);
      a.nop();
      a.hlt();
    });
    const history = new History(machine);
    history.run();
    expect(machine.state.cr8).toBe(5);
    expect(lastWrite(history, { kind: 'register', name: 'cr8' }).finish()).toMatchObject({ rip: address('tpr'), before: 0n, after: 5n });
  });
  it('is an edit where the user made one', () => {
    const { history, ask, address } = ended('auto');
    history.runTo(100_000);
    const counter = BigInt(history.machine.readLinear(address('counter'), 1)[0]!);
    history.give({ kind: 'memory', address: Number(address('counter')), bytes: Uint8Array.of(7) });
    history.give({ kind: 'register', name: 'rbx', value: 5n });
    history.give({ kind: 'register', name: 'rbx', value: 9n });
    history.run({ maxInstructions: 100 });
    expect(ask({ kind: 'memory', address: address('counter'), bytes: 1 })).toMatchObject({ by: 'edit', at: { retired: 100_000 }, before: counter, after: 7n });
    expect(ask({ kind: 'register', name: 'rbx' })).toMatchObject({ by: 'edit', at: { retired: 100_000 }, before: 5n, after: 9n });
  });
  it.each(ENGINE_NAMES)('is an edit right behind an instruction that wrote the same › %s', (engine) => {
    const { machine } = flatMachine((a) => { a.nop(); a.mov(rax, 3); a.nop(); a.hlt(); }, { engine }), history = new History(machine);
    history.run({ maxInstructions: 2 });
    history.give({ kind: 'register', name: 'rax', value: 0x99n });
    expect(lastWrite(history, { kind: 'register', name: 'rax' }).finish()).toMatchObject({ by: 'edit', at: { retired: 2 }, before: 3n, after: 0x99n });
    expect(machine.state.gpr[0]).toBe(0x99n);
  });
  it.each(ENGINE_NAMES)('of the guest kernel to CR2, CR3, a stack frame and a page-table entry › %s', (engine) => {
    const machine = kernelMachine('ring3', { engine });
    const history = new History(machine);
    history.run({ maxInstructions: 169_400 });
    const fault = history.records.events.findLast((event) => event.kind === 'fault')!;
    expect(lastWrite(history, { kind: 'register', name: 'cr2' }).finish()).toMatchObject({ by: 'delivery', at: fault.at, rip: fault.rip, after: machine.state.cr2 });
    const cr3 = history.records.events.findLast((event) => event.kind === 'cr3')!;
    expect(lastWrite(history, { kind: 'register', name: 'cr3' }).finish()).toMatchObject({ by: 'instruction', at: cr3.at, rip: cr3.rip, after: machine.state.cr3 });
    history.runTo({ retired: fault.at.retired, deliveries: fault.at.deliveries + 1 });
    // The error code, which the delivery pushed last.
    expect(lastWrite(history, { kind: 'memory', address: machine.state.gpr[4]!, bytes: 8 }).finish()).toMatchObject({ by: 'delivery', at: fault.at });
    history.runTo(169_400);
    const entry = lastWrite(history, { kind: 'page-table', address: machine.state.cr2 }).finish()!;
    expect(entry.where).toMatch(/^PD?[TD]E at physical 0x/);
    expect([entry.by, entry.before & 1n, entry.after & 1n]).toEqual(['instruction', 0n, 1n]);
    expect(machine.mmu.explain(linear(machine.state.cr2)).levels.find(({ entryAddress }) => entry.where.endsWith(`0x${entryAddress!.toString(16)}`))!.value & ~0x60n).toBe(entry.after & ~0x60n);
  });
  it('is refused of what there is not', () => {
    const { history } = ended('auto');
    for (const [target, message] of [
      [{ kind: 'register', name: 'rzx' }, 'there is no register rzx'], [{ kind: 'register', name: 'tsc' }, 'changes with time'], [{ kind: 'memory', address: 0n, bytes: 0 }, '1 to 4096 bytes'],
      [{ kind: 'memory', address: 1n << 40n, bytes: 1, physical: true }, 'is not RAM'], [{ kind: 'memory', address: 1n << 46n, bytes: 1 }, 'is not mapped to RAM'],
    ] as const) expect(() => lastWrite(history, target)).toThrow(message);
  });
});
