/** Real-address mode: 16-bit code, segments without descriptors, the interrupt vector table. */
import { describe, expect, it } from 'vitest';
import { al, at, ax, bp, bx, byte, cr0, cs, ds, dword, eax, ebx, ecx, edx, es, esi, far, far16, far32, imm, rel, si, ss, word, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { CR0 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { sameOnEveryEngine } from '../support/engine-runs.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';
import { ACCESS, AT, FLAGS, REAL, SEL, SystemMachine, nameOf, segment } from '../support/system-machine.ts';

const machine = (): SystemMachine => new SystemMachine(16).gates();
const ran = (body: (a: Assembler) => void, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine => {
  const m = machine();
  prepare(m);
  m.program((a) => { body(a); a.hlt(); });
  expect(m.run().kind).toBe('halted');
  return m;
};
const word16 = (m: SystemMachine, at: number): number => m.memory.read(physical(at), 2);
const exceptions = (m: SystemMachine): string[] => m.delivered.map(nameOf);
/** The n-th word from the top of the stack. */
const stacked = (m: SystemMachine, n: number): number => word16(m, (REAL.stack << 4) + Number(m.rsp & 0xffffn) + 2 * n);

describe('16-bit code', () => {
  it('has 16-bit operands, and 32-bit ones behind a prefix', () => {
    const m = ran((a) => { a.mov(eax, imm(0x1111_ffff, 32)); a.inc(ax); a.mov(ebx, imm(0x1111_ffff, 32)); a.inc(ebx); });
    expect([m.state.gpr[0], m.state.gpr[3]]).toEqual([0x1111_0000n, 0x1112_0000n]);
  });
  it('has 16-bit addresses, which wrap at 64 KiB', () => {
    const m = ran((a) => { a.mov(bx, 0xfff0); a.mov(si, 0x30); a.mov(ax, word(bx, si, 1, 2)); }, (x) => x.memory.write(physical(AT.data + 0x22), 2, 0xbeef));
    expect(m.state.gpr[0]).toBe(0xbeefn);
  });
  it('has no VEX prefix: in real-address mode C4 with a register behind it is LES of a register, #UD; 16-bit protected mode has one', () => {
    const andn = (m: SystemMachine): SystemMachine => m.program((a) => a.db(0xc4, 0xe2, 0x60, 0xf2, 0xc1)); // ANDN EAX, EBX, ECX
    const m = machine();
    andn(m).step();
    expect(exceptions(m)).toEqual(['#UD']);
    const p = new SystemMachine(32).gates();
    p.cpu.setSegment(SEGMENT.CS, { selector: SEL.code32, attributes: 0x9b, limit: 0xffff_ffff, base: 0n });
    p.state.gpr[1] = 0xffn;
    p.state.gpr[3] = 0xfn;
    expect(andn(p).step().kind).toBe('retired');
    expect(p.state.gpr[0]).toBe(0xf0n);
  });
  it('takes SS for BP', () => {
    const m = ran((a) => { a.mov(bp, 0x100); a.mov(word(bp, 4), imm(0x1234, 16)); });
    expect(word16(m, (REAL.stack << 4) + 0x104)).toBe(0x1234);
  });
  it('keeps 16 bits of IP in a near branch, and all of EIP with an operand of 32 bits', () => {
    const m = machine();
    m.state.gpr[0] = 0x9_0100n;
    expect(m.program((a) => a.jmp(ax)).step().kind).toBe('retired');
    expect(m.state.rip).toBe(0x100n);
    m.program((a) => a.jmp(eax)).step();
    expect(m.lastException).toBe('#GP(0)');
  });
  it('calls and returns with 16 bits on the stack, 32 with a prefix', () => {
    const m = machine();
    m.program((a) => { a.call(rel('f', 16)); a.label('f'); a.o32.call('g'); a.label('g'); a.hlt(); });
    m.run();
    expect([m.rsp, stacked(m, 0), stacked(m, 1), stacked(m, 2)]).toEqual([0x8000n - 6n, 9, 0, 3]);
  });
  it('wraps SP at 64 KiB and leaves the upper half of ESP', () => {
    const m = machine();
    m.state.gpr[4] = 0xabcd_0000n;
    m.program((a) => a.push(ax)).step();
    expect(m.state.gpr[4]).toBe(0xabcd_fffen);
  });
  it('a push across the end of the segment is #SS, which cannot be delivered on that stack: shutdown', () => {
    const m = machine();
    m.state.gpr[4] = 1n;
    expect(m.program((a) => a.push(ax)).step().kind).toBe('shutdown');
    expect(exceptions(m)).toEqual(['#SS(0)', '#DF(0)']);
  });
  it('a word at offset FFFF is beyond the limit: #GP', () => {
    const m = machine();
    m.program((a) => { a.mov(bx, 0xffff); a.mov(ax, word(bx)); }).step(2);
    expect(exceptions(m)).toEqual(['#GP(0)']);
  });
  it('an instruction that reaches beyond offset FFFF is #GP', () => {
    const m = machine();
    m.state.rip = 0xffffn;
    m.memory.write(physical((REAL.code << 4) + 0xffff), 1, 0xb8);
    m.step();
    expect(exceptions(m)).toEqual(['#GP(0)']);
  });
});

describe('a segment register', () => {
  it('has 16 times the selector as its base', () => {
    const m = ran((a) => { a.mov(ax, 0xf123); a.mov(ds, ax); a.mov(es, ax); });
    expect([m.state.base[SEGMENT.DS], m.state.limit[SEGMENT.DS], m.selector(SEGMENT.ES)]).toEqual([0xf_1230n, 0xffff, 0xf123]);
  });
  it('reaches 64 KiB less 16 bytes beyond 1 MiB', () => {
    const m = ran((a) => { a.mov(ax, 0xffff); a.mov(ds, ax); a.mov(al, byte(0x10)); }, (x) => x.memory.write(physical(0x10_0000), 1, 0x5a));
    expect(m.state.gpr[0]! & 0xffn).toBe(0x5an);
  });
  it('keeps the limit that protected mode has left ("unreal mode")', () => {
    const m = machine();
    m.descriptor(SEL.data, segment(ACCESS.data, FLAGS.big));
    m.memory.write(physical(0x20_0000), 4, 0xdead_beef);
    m.program((a) => {
      a.mov(eax, cr0); a.or(al, CR0.PE); a.mov(cr0, eax);
      a.mov(bx, SEL.data); a.mov(ds, bx);
      a.and(al, ~CR0.PE & 0xff); a.mov(cr0, eax);
      a.mov(ax, 0); a.mov(ds, ax);
      a.mov(esi, imm(0x20_0000, 32)); a.mov(edx, dword(esi));
      a.hlt();
    });
    m.run();
    expect([exceptions(m), m.state.gpr[2], m.state.limit[SEGMENT.DS]]).toEqual([[], 0xdead_beefn, 0xffff_ffff]);
  });
});

describe('a far transfer', () => {
  it('JMP ptr16:16 loads CS and IP', () => {
    const m = machine();
    m.program((a) => a.jmp(far(0x2345, 0x10))).step();
    expect([m.selector(SEGMENT.CS), m.state.base[SEGMENT.CS], m.state.rip]).toEqual([0x2345, 0x2_3450n, 0x10n]);
  });
  it('JMP through memory, with a 32-bit offset too', () => {
    const m = machine();
    m.memory.write(physical(AT.data), 4, 0x2000_0040);
    m.program((a) => a.jmp(far16(0))).step();
    expect([m.selector(SEGMENT.CS), m.state.rip]).toEqual([0x2000, 0x40n]);
    m.memory.write(physical(AT.data), 4, 0x1_0000);
    m.program((a) => a.jmp(far32(0))).step();
    expect(m.lastException).toBe('#GP(0)');
  });
  it('CALL and RETF go there and back', () => {
    const m = machine();
    m.memory.copyIn(physical(0x2_0000), Uint8Array.of(0xca, 4, 0));
    m.program((a) => { a.call(far(0x2000, 0)); a.hlt(); });
    m.step();
    expect([m.selector(SEGMENT.CS), stacked(m, 0), stacked(m, 1)]).toEqual([0x2000, 5, REAL.code]);
    m.step();
    expect([m.selector(SEGMENT.CS), m.state.rip, m.rsp]).toEqual([REAL.code, 5n, 0x8004n]);
  });
});

describe('an interrupt', () => {
  it('pushes FLAGS, CS and IP, clears IF and TF, and goes where the vector table says', () => {
    const m = machine();
    m.rflags = RFLAGS.IF | RFLAGS.CF | 2;
    m.program((a) => a.int(0x21));
    m.vector(0x21, 0x123, 0x3456);
    m.step();
    expect([m.selector(SEGMENT.CS), m.state.rip, m.rsp]).toEqual([0x3456, 0x123n, 0x8000n - 6n]);
    expect([stacked(m, 0), stacked(m, 1), stacked(m, 2)]).toEqual([2, REAL.code, RFLAGS.IF | RFLAGS.CF | 2]);
    expect(m.rflags).toBe(RFLAGS.CF | 2);
  });
  it('from outside comes the same way, and IRET goes back', () => {
    const m = machine();
    m.memory.copyIn(physical(REAL.handlers << 4), Uint8Array.of(0xcf));
    m.vector(8, 0);
    m.rflags = RFLAGS.IF | 2;
    m.program((a) => { a.nop(); a.nop(); a.hlt(); });
    m.interrupts.push(8);
    m.cpu.interruptLineChanged();
    m.step(3);
    expect([m.delivered.map((d) => d.vector), m.selector(SEGMENT.CS), m.state.rip, m.rflags & RFLAGS.IF]).toEqual([[8], REAL.code, 1n, RFLAGS.IF]);
  });
  it('an exception pushes no error code', () => {
    const m = machine();
    m.program((a) => { a.mov(bx, 0xffff); a.mov(ax, word(bx)); }).step(2);
    expect([m.rsp, stacked(m, 0)]).toEqual([0x8000n - 6n, 3]);
  });
  it('beyond the limit of the table is #GP, then #DF, then a shutdown', () => {
    const m = machine();
    m.state.idtrLimit = 4 * 5 - 1;
    expect(m.program((a) => a.ud2()).step().kind).toBe('shutdown');
    expect(m.delivered.map((d) => d.vector)).toEqual([6, 13, 8]);
  });
  it('finds the table where LIDT put it', () => {
    const m = machine();
    m.memory.write(physical(AT.data), 2, 0x3ff);
    m.memory.write(physical(AT.data + 2), 4, 0xff05_4000);
    m.memory.write(physical(AT.ldt + 4 * 3), 4, 0x1234_0010);
    m.program((a) => { a.lidt(at(0)); a.int3(); }).step(2);
    expect([m.state.idtrBase, m.selector(SEGMENT.CS), m.state.rip]).toEqual([0x5_4000n, 0x1234, 0x10n]);
  });
  it('IRETD takes EFLAGS but VM, VIF and VIP', () => {
    const m = machine();
    m.program((a) => { a.push(imm(0, 8)); a.iretd(); });
    m.state.gpr[4] = 0x1000n;
    const frame = (REAL.stack << 4) + 0x1000;
    m.memory.write(physical(frame), 4, 0x77);
    m.memory.write(physical(frame + 4), 4, 0x2000);
    m.memory.write(physical(frame + 8), 4, 0x003f_3202);
    m.state.rip = 2n;
    m.step();
    expect([m.state.rip, m.selector(SEGMENT.CS), m.rflags]).toEqual([0x77n, 0x2000, (RFLAGS.RF | RFLAGS.AC | RFLAGS.ID | RFLAGS.IOPL | RFLAGS.IF | 2)]);
  });
});

describe('what needs descriptors', () => {
  it.each([
    ['LLDT', (a: Assembler) => a.lldt(ax)], ['LTR', (a: Assembler) => a.ltr(ax)], ['SLDT', (a: Assembler) => a.sldt(ax)], ['STR', (a: Assembler) => a.str(ax)],
    ['LAR', (a: Assembler) => a.lar(ax, bx)], ['VERR', (a: Assembler) => a.verr(ax)], ['ARPL', (a: Assembler) => a.arpl(ax, bx)],
  ] as const)('%s is #UD', (_name, body) => {
    const m = machine();
    m.program(body).step();
    expect(exceptions(m)).toEqual(['#UD']);
  });
});

describe('every engine', () => {
  sameOnEveryEngine('runs a loop of 16-bit code with calls and interrupts', (m) => {
    m.memory.copyIn(physical(REAL.handlers << 4), Uint8Array.of(0x43, 0xcf));
    m.vector(0x40, 0);
    m.program((a) => {
      a.mov(ecx, 500);
      a.label('again');
      a.push(ecx);
      a.mov(si, 0); a.mov(bp, 0x10);
      a.call('work');
      a.int(0x40);
      a.pop(ecx);
      a.loop('again');
      a.hlt();
      a.label('work');
      a.add(word(bp), 3); a.mov(ax, word(bp)); a.xor(word(bx, si), ax);
      a.push(ss); a.pop(es);
      a.ret();
    });
  }, { mode: 16, finds: (m) => [m.state.gpr[3], 500n] });
  sameOnEveryEngine('never runs in one code size what it made for another', (m) => {
    // The same bytes, first as 16-bit code, then as 32-bit code of a flat segment: inc ax and a jump, or inc eax.
    m.descriptor(SEL.code32, segment(ACCESS.code, FLAGS.big));
    const shared = 0x2_0000;
    m.memory.copyIn(physical(shared), Uint8Array.of(0x40, 0x81, 0xc3, 0x01, 0x00, 0x00, 0x00, 0xcb));
    m.program((a) => {
      a.mov(ecx, 300);
      a.label('real'); a.push(ecx); a.call(far(0x2000, 0)); a.pop(ecx); a.loop('real');
      a.mov(eax, cr0); a.or(al, CR0.PE); a.mov(cr0, eax);
      a.o32.jmp(far(SEL.code32, 0x1_0100));
    });
    m.program((a) => {
      a.bits(32);
      a.mov(bx, SEL.data); a.mov(ds, bx); a.mov(es, bx); a.mov(ss, bx);
      a.mov(eax, 0); a.mov(ebx, 0); a.mov(ecx, 300);
      a.label('flat'); a.push(cs); a.call('there'); a.loop('flat');
      a.hlt();
      a.label('there'); a.jmp(esi);
    }, { bits: 32, origin: 0x1_0100 });
    m.state.gpr[6] = BigInt(shared);
    m.state.gpr[4] = 0x7000n;
  }, { mode: 16, finds: (m) => [[m.state.gpr[0], m.state.gpr[3]], [300n, 300n]] });
});

executesRows(SYSTEM_ROWS['real-mode']);
