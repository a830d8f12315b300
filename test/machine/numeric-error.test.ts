/** x87 exceptions with CR0.NE = 0: FERR#, IRQ 13, port 0xf0 and IGNNE#, as MS-DOS programs have them, on every engine. */
import { describe, expect, it } from 'vitest';
import { al, ax, cr0, dword, mm0, mm1, qword, rax, rbx, rcx, rsp, st0, st1, word, type Assembler } from '../../src/assembler/index.ts';
import { ENGINE_NAMES, type EngineName, type Machine } from '../../src/machine/machine.ts';
import { openSnapshot, saveSnapshot } from '../../src/machine/snapshot.ts';
import { CR0, CR4 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { flatMachine, wholeState } from './support/guests.ts';

const GDT = 0x10_0000, IDT = 0x10_1000, STACK = 0x18_0000;
const CONTROL_WORD = STACK, NOTED_RIP = STACK + 8, NOTED_STATUS = STACK + 16;
/** IRQ 13 as firmware programs the PICs: INT 75h. */
const IRQ_13 = 0x75, NMI = 2;
/** All exceptions masked but division by zero. */
const ZERO_DIVIDE_UNMASKED = 0x37b;
const COPROCESSOR_ERROR = 0xf0, SLAVE = 0xa0, MASTER = 0x20, END_OF_INTERRUPT = 0x20, CASCADE = 1 << 2;

/** 1 / 0: from now on an exception waits. */
const divide = (a: Assembler): void => { a.fld1(); a.fldz(); a.fdivp(st1, st0); };
const ignoreError = (a: Assembler): void => { a.mov(al, 0); a.out(COPROCESSOR_ERROR, al); };
const noteReturn = (a: Assembler): void => { a.mov(rax, qword(rsp)); a.mov(qword(NOTED_RIP), rax); };
const noteStatus = (a: Assembler): void => { a.fnstsw(ax); a.mov(word(NOTED_STATUS), ax); };

interface Guest { readonly machine: Machine; readonly address: (name: string) => bigint }
/** A machine before `body`, with CR0.NE = 0 and interrupts on. `handler` serves IRQ 13, which is counted in RBX. An NMI is counted in RCX. */
function guest(engine: EngineName, handler: (a: Assembler) => void, body: (a: Assembler) => void): Guest {
  const { machine, address } = flatMachine((a) => {
    a.mov(rax, cr0); a.and(rax, ~CR0.NE); a.mov(cr0, rax);
    a.xor(rbx, rbx); a.xor(rcx, rcx);
    a.fninit(); a.fldcw(word(CONTROL_WORD)); a.sti();
    body(a);
    a.cli(); a.hlt();
    a.label('irq 13'); a.inc(rbx); handler(a); a.mov(al, END_OF_INTERRUPT); a.out(SLAVE, al); a.out(MASTER, al); a.iretq();
    a.label('nmi'); a.inc(rcx); a.iretq();
  }, { engine });
  const { state, memory } = machine;
  const code = state.selector[SEGMENT.CS]!, data = state.selector[SEGMENT.SS]!;
  const descriptor = (at: number, low: number, high: number): void => { memory.write(physical(at), 4, low >>> 0); memory.write(physical(at + 4), 4, high >>> 0); };
  descriptor(GDT + code, 0xffff, 0x00af_9b00);
  descriptor(GDT + data, 0xffff, 0x00cf_9300);
  for (const [vector, name] of [[IRQ_13, 'irq 13'], [NMI, 'nmi']] as const) {
    const handlerAt = Number(address(name));
    descriptor(IDT + 16 * vector, (code << 16) | (handlerAt & 0xffff), (handlerAt & 0xffff_0000) | 0x8e00);
  }
  machine.devices.ports.write(MASTER + 1, 1, ~CASCADE & 0xff);
  memory.write(physical(CONTROL_WORD), 2, ZERO_DIVIDE_UNMASKED);
  Object.assign(state, { gdtrBase: BigInt(GDT), gdtrLimit: 0xfff, idtrBase: BigInt(IDT), idtrLimit: 0xfff });
  state.gpr[4] = BigInt(STACK);
  return { machine, address };
}
const END = { kind: 'halted', wakeable: false };
const run = ({ machine }: Guest): unknown => machine.run({ maxInstructions: 10_000, maxIdleTime: 1e9 });
const read = ({ machine }: Guest, at: number, bytes: 2 | 4): number => machine.memory.read(physical(at), bytes);
const counted = ({ machine: { state } }: Guest): { irqs: bigint; nmis: bigint } => ({ irqs: state.gpr[3]!, nmis: state.gpr[1]! });
const noted = (g: Guest): bigint => BigInt(read(g, NOTED_RIP, 4));

describe.each(ENGINE_NAMES)('an unmasked x87 exception with CR0.NE = 0 on the %s engine', (engine) => {
  it('is IRQ 13 before the next instruction that waits, which runs once the handler has cleared it', () => {
    const g = guest(engine, (a) => { noteReturn(a); a.fnclex(); ignoreError(a); }, (a) => {
      divide(a); a.nop(); noteStatus(a); a.label('waits'); a.fld1(); a.fstp(qword(NOTED_STATUS + 8));
    });
    expect(run(g)).toEqual(END);
    expect(counted(g)).toEqual({ irqs: 1n, nmis: 0n });
    expect(noted(g)).toBe(g.address('waits'));
    expect(read(g, NOTED_STATUS, 2) & 0x80ff).toBe(0x8084);
    expect([g.machine.state.fpuStatus & 0x80ff, read(g, NOTED_STATUS + 12, 4)]).toEqual([0, 0x3ff0_0000]);
  });

  it('is reported by WAIT and by MMX instructions, too', () => {
    for (const waits of [(a: Assembler) => a.wait(), (a: Assembler) => a.paddb(mm0, mm1), (a: Assembler) => a.emms()]) {
      const g = guest(engine, (a) => { noteReturn(a); a.fnclex(); ignoreError(a); }, (a) => { divide(a); a.label('waits'); waits(a); });
      g.machine.state.cr4 |= CR4.OSFXSR;
      expect(run(g)).toEqual(END);
      expect([counted(g).irqs, noted(g)]).toEqual([1n, g.address('waits')]);
    }
  });

  it('is ignored from a write to port 0xf0 on until it is cleared; the one after it is reported again', () => {
    const g = guest(engine, (a) => ignoreError(a), (a) => {
      divide(a); a.fld1(); a.fld1(); noteStatus(a); a.fnclex();
      divide(a); a.wait(); a.fnclex();
    });
    expect(run(g)).toEqual(END);
    expect(counted(g).irqs).toBe(2n);
    expect(read(g, NOTED_STATUS, 2) & 0x80ff).toBe(0x8084);
  });

  it('raises no second IRQ 13 before the handler has written to port 0xf0', () => {
    const g = guest(engine, (a) => a.fnclex(), (a) => { divide(a); a.wait(); divide(a); a.label('second'); a.wait(); });
    expect(run(g)).toEqual({ kind: 'halted', wakeable: true });
    expect(counted(g).irqs).toBe(1n);
    expect(g.machine.state.rip).toBe(g.address('second'));
  });

  it('freezes the processor until an interrupt where IRQ 13 cannot come; an NMI returns to the same instruction', () => {
    const g = guest(engine, (a) => a.fnclex(), (a) => { a.cli(); divide(a); a.label('waits'); a.fld1(); a.inc(rbx); });
    expect(run(g)).toEqual(END);
    expect([g.machine.state.rip, counted(g)]).toEqual([g.address('waits'), { irqs: 0n, nmis: 0n }]);
    g.machine.cpu.requestNmi();
    expect(run(g)).toEqual(END);
    expect([g.machine.state.rip, counted(g)]).toEqual([g.address('waits'), { irqs: 0n, nmis: 1n }]);
  });

  it('is IRQ 13 even in the shadow of STI', () => {
    const g = guest(engine, (a) => { noteReturn(a); a.fnclex(); ignoreError(a); }, (a) => { a.cli(); divide(a); a.sti(); a.label('waits'); a.fld1(); });
    expect(run(g)).toEqual(END);
    expect([counted(g).irqs, noted(g)]).toEqual([1n, g.address('waits')]);
  });

  it('is reported once in a loop that is hot, however often that divides', () => {
    const g = guest(engine, (a) => { a.fninit(); ignoreError(a); a.fldcw(word(CONTROL_WORD)); }, (a) => {
      a.mov(dword(NOTED_STATUS), 300);
      a.label('again'); a.fninit(); a.fldcw(word(CONTROL_WORD)); divide(a); a.wait(); a.dec(dword(NOTED_STATUS)); a.jnz('again');
    });
    expect(run(g)).toEqual(END);
    expect(counted(g).irqs).toBe(300n);
  });

  it('goes on from a snapshot of the frozen processor as it would have gone on', async () => {
    const g = guest(engine, (a) => { a.fnclex(); ignoreError(a); }, (a) => { a.cli(); divide(a); a.wait(); });
    expect(run(g)).toEqual(END);
    const again = guest(engine, () => undefined, () => undefined).machine;
    (await openSnapshot(await saveSnapshot(g.machine))).restore(again);
    expect(wholeState(again)).toBe(wholeState(g.machine));
    for (const machine of [again, g.machine]) {
      machine.cpu.setRflags(0x202);
      machine.run({ maxInstructions: 100 });
    }
    expect([again.state.gpr[3], wholeState(again)]).toEqual([1n, wholeState(g.machine)]);
  });
});

it('a write to port 0xf0 does nothing while no exception is reported: the next one is', () => {
  const g = guest('auto', (a) => { a.fnclex(); ignoreError(a); }, (a) => { ignoreError(a); divide(a); ignoreError(a); a.wait(); });
  expect(run(g)).toEqual(END);
  expect(counted(g).irqs).toBe(1n);
});
it('with CR0.NE = 1 is #MF, and IRQ 13 stays quiet', () => {
  const g = guest('auto', () => undefined, (a) => { a.mov(rax, cr0); a.or(rax, CR0.NE); a.mov(cr0, rax); divide(a); a.wait(); });
  const vectors: number[] = [];
  g.machine.cpu.onException = (vector) => vectors.push(vector);
  run(g);
  expect([vectors[0], counted(g).irqs]).toEqual([16, 0n]);
});
