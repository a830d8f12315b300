/**
 * System instructions in the widths and encodings that the other files do not need: one example each. In the text is the
 * operand size that the bytes choose; RDI points to data.
 */
import { describe, expect, test } from 'vitest';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT, type Segment } from '../../src/state/layout.ts';
import { executesRows } from '../support/rows-executed.ts';
import { ACCESS, AT, FLAGS, SEL, segment, SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSI = 6, RDI = 7;
const DATA = BigInt(AT.data), STACK = BigInt(AT.kernelStack);
const PORT = 0x80;
/** A data segment that is none of the machine's own. */
const BASE = 0x1234n;

/** A machine that has run the one instruction. `prepare` comes first. */
function ran(bits: 32 | 64, bytes: readonly number[], prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = new SystemMachine(bits).gates();
  m.descriptor(SEL.free, segment(ACCESS.data, FLAGS.big, 0xf_ffff, Number(BASE)));
  m.state.gpr[RDI] = m.state.gpr[RSI] = DATA;
  prepare(m);
  m.memory.copyIn(physical(AT.code), Uint8Array.from(bytes));
  m.step();
  return m;
}
const set = (register: number, value: bigint) => (m: SystemMachine): void => { m.state.gpr[register] = value; };
const store = (...values: bigint[]) => (m: SystemMachine): void => { values.forEach((value, n) => { m.write64(AT.data + 8 * n, value); }); };
const rax = (m: SystemMachine): bigint => m.state.gpr[RAX]!;

describe('a segment register', () => {
  test('goes to a register of 64 bits, zero-extended: mov rax, ds', () => {
    expect(rax(ran(64, [0x48, 0x8c, 0xd8], set(RAX, -1n)))).toBe(BigInt(SEL.data));
  });
  test.each([['es', 0x06, SEL.data], ['cs', 0x0e, SEL.code32], ['ss', 0x16, SEL.data], ['ds', 0x1e, SEL.data]] as const)('is pushed in 32-bit code: push %s', (_name, opcode, selector) => {
    const m = ran(32, [opcode]);
    expect([m.rsp, m.stacked(0, 4)]).toEqual([STACK - 4n, BigInt(selector)]);
  });
  test('is pushed in eight bytes in 64-bit mode: push gs', () => {
    const m = ran(64, [0x0f, 0xa8]);
    expect([m.rsp, m.stacked(0)]).toEqual([STACK - 8n, BigInt(SEL.data)]);
  });
  test.each([['es', [0x07], SEGMENT.ES, 32], ['ss', [0x17], SEGMENT.SS, 32], ['ds', [0x1f], SEGMENT.DS, 32], ['fs', [0x0f, 0xa1], SEGMENT.FS, 64], ['gs', [0x0f, 0xa9], SEGMENT.GS, 64]] as const)('is popped with its descriptor: pop %s', (_name, bytes, register: Segment, bits) => {
    const m = ran(bits, bytes, (before) => { before.write64(AT.kernelStack, BigInt(SEL.free)); });
    expect([m.rsp, m.selector(register), m.state.base[register]]).toEqual([STACK + BigInt(bits / 8), SEL.free, BASE]);
  });
});

describe('a far pointer in memory is an offset and behind it a selector', () => {
  const OFFSETS = { 16: 0xabcdn, 32: 0x89ab_cdefn, 64: 0x0123_4567_89ab_cdefn } as const;
  test.each([
    ['lds', 16, 32, [0x66, 0xc5, 0x07], SEGMENT.DS], ['lds', 32, 32, [0xc5, 0x07], SEGMENT.DS],
    ['les', 16, 32, [0x66, 0xc4, 0x07], SEGMENT.ES], ['les', 32, 32, [0xc4, 0x07], SEGMENT.ES],
    ['lfs', 16, 64, [0x66, 0x0f, 0xb4, 0x07], SEGMENT.FS], ['lfs', 32, 64, [0x0f, 0xb4, 0x07], SEGMENT.FS], ['lfs', 64, 64, [0x48, 0x0f, 0xb4, 0x07], SEGMENT.FS],
    ['lgs', 16, 64, [0x66, 0x0f, 0xb5, 0x07], SEGMENT.GS], ['lgs', 32, 64, [0x0f, 0xb5, 0x07], SEGMENT.GS], ['lgs', 64, 64, [0x48, 0x0f, 0xb5, 0x07], SEGMENT.GS],
    ['lss', 16, 64, [0x66, 0x0f, 0xb2, 0x07], SEGMENT.SS], ['lss', 32, 64, [0x0f, 0xb2, 0x07], SEGMENT.SS],
  ] as const)('%s with an offset of %d bits, in %d-bit code', (_name, width, bits, bytes, register: Segment) => {
    const pointer = (BigInt(SEL.free) << BigInt(width)) | OFFSETS[width];
    const m = ran(bits, bytes, store(pointer & 0xffff_ffff_ffff_ffffn, pointer >> 64n));
    expect([rax(m), m.selector(register)]).toEqual([OFFSETS[width], SEL.free]);
  });
  test('jmp m16:32', () => {
    const m = ran(64, [0xff, 0x2f], store((BigInt(SEL.code64) << 32n) | 0x3_4560n));
    expect([m.state.rip, m.selector(SEGMENT.CS)]).toEqual([0x3_4560n, SEL.code64]);
  });
  test('retf pops two doublewords', () => {
    const m = ran(64, [0xcb], (before) => { before.write64(AT.kernelStack, (BigInt(SEL.code64) << 32n) | 0x3_4560n); });
    expect([m.state.rip, m.selector(SEGMENT.CS), m.rsp]).toEqual([0x3_4560n, SEL.code64, STACK + 8n]);
  });
});

describe('GDTR and IDTR', () => {
  const LIMIT = 0x0fffn, TABLE = 0x5_6000n;
  test('lgdt and lidt in 32-bit code load a base of 32 bits', () => {
    const image = (TABLE << 16n) | LIMIT;
    const g = ran(32, [0x0f, 0x01, 0x17], store(image)).state, i = ran(32, [0x0f, 0x01, 0x1f], store(image)).state;
    expect([g.gdtrLimit, g.gdtrBase, i.idtrLimit, i.idtrBase]).toEqual([0xfff, TABLE, 0xfff, TABLE]);
  });
  test('lidt in 64-bit mode loads a base of 64 bits', () => {
    const { state } = ran(64, [0x0f, 0x01, 0x1f], store(0x7fff_0000_0000n << 16n | LIMIT));
    expect([state.idtrLimit, state.idtrBase]).toEqual([0xfff, 0x7fff_0000_0000n]);
  });
  test('sgdt and sidt store the limit and behind it the base', () => {
    expect(ran(32, [0x0f, 0x01, 0x07]).read64(AT.data)).toBe((BigInt(AT.gdt) << 16n) | LIMIT);
    expect(ran(32, [0x0f, 0x01, 0x0f]).read64(AT.data)).toBe((BigInt(AT.idt) << 16n) | LIMIT);
    const wide = ran(64, [0x0f, 0x01, 0x0f], (m) => { store(-1n, -1n)(m); m.state.idtrBase = 0xffff_8000_0000_1000n; });
    expect([wide.read64(AT.data), wide.read64(AT.data + 8)]).toEqual([0x8000_0000_1000_0fffn, 0xffff_ffff_ffff_ffffn]);
  });
});

describe('LDTR, TR and descriptors', () => {
  const ldt = (m: SystemMachine): void => {
    m.cpu.setSegment(SEGMENT.LDTR, { selector: SEL.free, attributes: ACCESS.ldt, limit: 0xff, base: DATA });
    m.state.gpr[RAX] = 0x9999_9999_9999_9999n;
  };
  test('sldt ax and str ax leave the bits above', () => {
    expect(rax(ran(64, [0x66, 0x0f, 0x00, 0xc0], ldt))).toBe(0x9999_9999_9999_0000n | BigInt(SEL.free));
    expect(rax(ran(64, [0x66, 0x0f, 0x00, 0xc8], ldt))).toBe(0x9999_9999_9999_0000n | BigInt(SEL.tss));
  });
  test('sldt rax and str rax clear them', () => {
    expect(rax(ran(64, [0x48, 0x0f, 0x00, 0xc0], ldt))).toBe(BigInt(SEL.free));
    expect(rax(ran(64, [0x48, 0x0f, 0x00, 0xc8], ldt))).toBe(BigInt(SEL.tss));
  });
  const ofData = set(RBX, BigInt(SEL.data));
  test('lar gives access byte and flags of a descriptor: 16 bits of them in ax, all in rax; bits 19:16 are undefined', () => {
    const narrow = ran(64, [0x66, 0x0f, 0x02, 0xc3], ofData), wide = ran(64, [0x48, 0x0f, 0x02, 0xc3], ofData);
    expect([rax(narrow) & 0xffffn, rax(wide) & ~0xf_0000n, narrow.rflags & RFLAGS.ZF, wide.rflags & RFLAGS.ZF]).toEqual([0x9300n, 0xc0_9300n, RFLAGS.ZF, RFLAGS.ZF]);
  });
  test('lsl gives the limit in bytes: 16 bits of it in ax, all in rax', () => {
    expect(rax(ran(64, [0x66, 0x0f, 0x03, 0xc3], ofData)) & 0xffffn).toBe(0xffffn);
    expect(rax(ran(64, [0x48, 0x0f, 0x03, 0xc3], ofData))).toBe(0xffff_ffffn);
  });
});

describe('control and debug registers', () => {
  test('mov eax, cr0 and mov rax, cr0', () => {
    expect(rax(ran(32, [0x0f, 0x20, 0xc0]))).toBe(0x4_0031n);
    expect(rax(ran(64, [0x0f, 0x20, 0xc0]))).toBe(0x8005_0031n);
  });
  test('mov eax, dr7 and mov dr0, eax in 32-bit code', () => {
    expect(rax(ran(32, [0x0f, 0x21, 0xf8], (m) => { m.state.dr7 = 0x401; }))).toBe(0x401n);
    expect(ran(32, [0x0f, 0x23, 0xc0], set(RAX, 0x1234_5678n)).state.dr[0]).toBe(0x1234_5678n);
  });
  test('smsw ax leaves the bits above, smsw rax gives CR0', () => {
    expect(rax(ran(64, [0x66, 0x0f, 0x01, 0xe0], set(RAX, 0x9999_9999n)))).toBe(0x9999_0031n);
    expect(rax(ran(64, [0x48, 0x0f, 0x01, 0xe0]))).toBe(0x8005_0031n);
  });
  const based = (m: SystemMachine): void => {
    m.cpu.setMode(m.state.cr0, m.state.cr4 | CR4.FSGSBASE, m.state.efer);
    m.state.base[SEGMENT.FS] = 0x1111_2222_3333n;
    m.state.base[SEGMENT.GS] = 0x4444_5555_6666n;
    m.state.gpr[RAX] = 0x7777_8888_9999n;
  };
  test('rdfsbase eax and rdgsbase eax give 32 bits, rdgsbase rax all', () => {
    expect(rax(ran(64, [0xf3, 0x0f, 0xae, 0xc0], based))).toBe(0x2222_3333n);
    expect(rax(ran(64, [0xf3, 0x0f, 0xae, 0xc8], based))).toBe(0x5555_6666n);
    expect(rax(ran(64, [0xf3, 0x48, 0x0f, 0xae, 0xc8], based))).toBe(0x4444_5555_6666n);
  });
  test('wrfsbase eax and wrgsbase eax clear the bits above, wrgsbase rax sets all', () => {
    expect(ran(64, [0xf3, 0x0f, 0xae, 0xd0], based).state.base[SEGMENT.FS]).toBe(0x8888_9999n);
    expect(ran(64, [0xf3, 0x0f, 0xae, 0xd8], based).state.base[SEGMENT.GS]).toBe(0x8888_9999n);
    expect(ran(64, [0xf3, 0x48, 0x0f, 0xae, 0xd8], based).state.base[SEGMENT.GS]).toBe(0x7777_8888_9999n);
  });
});

describe('the rest of the processor', () => {
  test('invpcid eax, [edi] flushes everything as type 2, and is #GP(0) as type 4', () => {
    const invpcid = [0x66, 0x0f, 0x38, 0x82, 0x07];
    expect(ran(32, invpcid, set(RAX, 2n)).state.rip).toBe(BigInt(AT.code + 5));
    expect(ran(32, invpcid, set(RAX, 4n)).lastException).toBe('#GP(0)');
  });
  test.each([['invd', 0x08], ['wbinvd', 0x09]])('%s has no cache to empty, and is #GP(0) in user mode', (_name, opcode) => {
    expect(ran(64, [0x0f, opcode]).state.rip).toBe(BigInt(AT.code + 2));
    const user = new SystemMachine().gates().enterUser().program((a) => a.db(0x0f, opcode));
    user.step();
    expect(user.lastException).toBe('#GP(0)');
  });
  test('rdpmc of a counter that is not there is #GP(0)', () => {
    expect(ran(64, [0x0f, 0x33], set(RCX, 0n)).lastException).toBe('#GP(0)');
  });
  test('sysexit goes to 32-bit code at EDX, with the stack at ECX', () => {
    const m = ran(64, [0x0f, 0x35], (before) => {
      before.state.sysenterCs = BigInt(SEL.code64);
      before.state.gpr[RCX] = 0x7000n;
      before.state.gpr[RDX] = BigInt(AT.userCode);
    });
    expect([m.state.cpl, m.rsp, m.state.rip, m.selector(SEGMENT.CS), m.selector(SEGMENT.SS), m.cpu.mode().codeSize]).toEqual([3, 0x7000n, BigInt(AT.userCode), SEL.code64 + 16 | 3, SEL.code64 + 24 | 3, 32]);
  });
  test('into is #OF where OF is set, and nothing where it is clear', () => {
    expect(ran(32, [0xce], (m) => { m.rflags = RFLAGS.OF | 2; }).lastException).toBe('#OF');
    expect(ran(32, [0xce]).lastException).toBe('none');
  });
});

describe('flags', () => {
  const some = (m: SystemMachine): void => { m.rflags = RFLAGS.CF | RFLAGS.DF | 2; };
  const SOME = BigInt(RFLAGS.CF | RFLAGS.DF | 2);
  test('pushf stores 16 bits, pushfd 32', () => {
    const narrow = ran(64, [0x66, 0x9c], some), wide = ran(32, [0x9c], some);
    expect([narrow.rsp, narrow.stacked(0, 4) & 0xffffn, wide.rsp, wide.stacked(0, 4)]).toEqual([STACK - 2n, SOME, STACK - 4n, SOME]);
  });
  test('popfd loads 32', () => {
    const m = ran(32, [0x9d], (before) => { before.write64(AT.kernelStack, SOME); });
    expect([m.rflags, m.rsp]).toEqual([Number(SOME), STACK + 4n]);
  });
  test('stac sets AC, clac clears it', () => {
    expect(ran(64, [0x0f, 0x01, 0xcb]).rflags & RFLAGS.AC).toBe(RFLAGS.AC);
    expect(ran(64, [0x0f, 0x01, 0xca], (m) => { m.rflags = RFLAGS.AC | 2; }).rflags & RFLAGS.AC).toBe(0);
  });
});

describe('ports', () => {
  const answering = (m: SystemMachine): void => {
    m.ports.set(PORT, 0x8899_aabb);
    m.state.gpr[RAX] = 0x1111_2222_3333_4444n;
    m.state.gpr[RDX] = BigInt(PORT);
  };
  test.each([['al', [0xec], 0x1111_2222_3333_44bbn], ['ax', [0x66, 0xed], 0x1111_2222_3333_aabbn], ['eax', [0xed], 0x8899_aabbn]] as const)('in %s, dx', (_name, bytes, value) => {
    expect(rax(ran(64, bytes, answering))).toBe(value);
  });
  test.each([
    ['out 0x80, ax', [0x66, 0xe7, PORT], 2, 0x4444], ['out 0x80, eax', [0xe7, PORT], 4, 0x3333_4444],
    ['out dx, ax', [0x66, 0xef], 2, 0x4444], ['out dx, eax', [0xef], 4, 0x3333_4444],
  ] as const)('%s', (_name, code, bytes, value) => {
    expect(ran(64, code, answering).written).toEqual([{ port: PORT, bytes, value }]);
  });
  test.each([['insw', [0x66, 0x6d], 2, 0xaabbn], ['insd', [0x6d], 4, 0x8899_aabbn]] as const)('%s stores at RDI and moves it', (_name, code, bytes, value) => {
    const m = ran(64, code, answering);
    expect([m.read64(AT.data), m.state.gpr[RDI]]).toEqual([value, DATA + BigInt(bytes)]);
  });
  test.each([['outsw', [0x66, 0x6f], 2, 0xaabb], ['outsd', [0x6f], 4, 0x8899_aabb]] as const)('%s writes from RSI and moves it', (_name, code, bytes, value) => {
    const m = ran(64, code, (before) => { answering(before); store(0x8899_aabbn)(before); });
    expect([m.written, m.state.gpr[RSI]]).toEqual([[{ port: PORT, bytes, value }], DATA + BigInt(bytes)]);
  });
});

executesRows(SYSTEM_ROWS['every-row']);
