/** XCR0, YMM registers' upper halves and the XSAVE family, as a processor (Sapphire Rapids) does them. SDM Vol. 1, "Managing State Using the XSAVE Feature Set". */
import { describe, expect, it } from 'vitest';
import { at, eax, edi, rdi, xmm0, type Assembler } from '../../src/assembler/index.ts';
import { cpuid } from '../../src/cpu/cpuid.ts';
import { EVERY_FEATURE, parseCpuModel, type CpuModel } from '../../src/cpu/models.ts';
import { MSR } from '../../src/cpu/msr.ts';
import { MXCSR_AFTER_RESET } from '../../src/cpu/mxcsr.ts';
import { CR0, CR4 } from '../../src/mmu/control-bits.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const AREA = AT.data, HEADER = AREA + 512, AVX = AREA + 576;
const ALL = 7n;
/** A byte that no instruction writes here. */
const OTHER_MXCSR = 0x5f80n;
const UNTOUCHED = 0xcccc_cccc_cccc_ccccn;

/** A machine with XCR0 = 7 and RDI at an area full of CC with an MXCSR and a header of zeros; EDX:EAX requests everything. */
function machine(model: CpuModel = EVERY_FEATURE, codeSize: 32 | 64 = 64): SystemMachine {
  const m = new SystemMachine(codeSize, 'reference', model).gates();
  m.state.cr4 |= CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE;
  m.state.xcr0 = 7;
  m.state.mxcsr = MXCSR_AFTER_RESET;
  m.state.gpr[0] = ALL;
  m.state.gpr[2] = 0n;
  m.state.gpr[7] = BigInt(AREA);
  for (let n = 0; n < 1024; n += 8) m.write64(AREA + n, n >= 512 && n < 576 ? 0n : n === 24 ? OTHER_MXCSR : UNTOUCHED);
  return m;
}
function ran(body: (a: Assembler) => void, prepare: (m: SystemMachine) => void = () => undefined, m = machine()): SystemMachine {
  prepare(m);
  m.program(body).step();
  return m;
}
const exception = (...x: Parameters<typeof ran>): string | undefined => {
  const m = ran(...x);
  return m.delivered.length === 0 ? undefined : m.lastException;
};
const header = (m: SystemMachine): bigint[] => [0, 8, 16].map((n) => m.read64(HEADER + n));
const someState = ({ state }: SystemMachine): void => {
  state.xmm.forEach((_, n) => { state.xmm[n] = BigInt(n + 1); });
  state.ymmHigh.forEach((_, n) => { state.ymmHigh[n] = BigInt(n + 101); });
};
const cleared = ({ state }: SystemMachine): void => {
  state.xmm.fill(0n);
  state.ymmHigh.fill(0n);
};
const FAMILY: readonly [string, (a: Assembler) => void][] = [
  ['XSAVE', (a) => a.xsave(at(rdi))], ['XSAVE64', (a) => a.xsave64(at(rdi))], ['XSAVEOPT', (a) => a.xsaveopt(at(rdi))], ['XSAVEOPT64', (a) => a.xsaveopt64(at(rdi))],
  ['XSAVEC', (a) => a.xsavec(at(rdi))], ['XSAVEC64', (a) => a.xsavec64(at(rdi))], ['XRSTOR', (a) => a.xrstor(at(rdi))], ['XRSTOR64', (a) => a.xrstor64(at(rdi))],
];

const SUPERVISOR: readonly [string, (a: Assembler) => void][] = [
  ['XSAVES', (a) => a.xsaves(at(rdi))], ['XSAVES64', (a) => a.xsaves64(at(rdi))], ['XRSTORS', (a) => a.xrstors(at(rdi))], ['XRSTORS64', (a) => a.xrstors64(at(rdi))],
];
/** XRSTORS takes no other form. */
const compacted = (m: SystemMachine): void => m.write64(HEADER + 8, (1n << 63n) | ALL);

it.each(FAMILY)('%s runs where CR4.OSXSAVE is set, at every privilege', (_name, body) => {
  expect(exception(body)).toBeUndefined();
  expect(exception(body, (m) => m.enterUser())).toBeUndefined();
});
it.each(SUPERVISOR)('%s runs where CR4.OSXSAVE is set, at CPL 0', (_name, body) => {
  expect(exception(body, compacted)).toBeUndefined();
  expect(exception(body, (m) => { compacted(m); m.enterUser(); })).toBe('#GP(0)');
});

describe.each([...FAMILY, ...SUPERVISOR])('%s', (_name, body) => {
  it('is #UD where CR4.OSXSAVE is clear, before #NM', () => expect(exception(body, (m) => { m.state.cr4 &= ~CR4.OSXSAVE; m.state.cr0 |= CR0.TS; })).toBe('#UD'));
  it('is #NM where CR0.TS is set', () => expect(exception(body, (m) => { m.state.cr0 |= CR0.TS; })).toBe('#NM'));
  it('is #GP(0) where the area is not aligned to 64 bytes', () => expect(exception(body, (m) => { m.state.gpr[7]! += 32n; })).toBe('#GP(0)'));
});

describe('XCR0', () => {
  const set = (value: bigint, prepare: (m: SystemMachine) => void = () => undefined, model = EVERY_FEATURE): SystemMachine =>
    ran((a) => a.xsetbv(), (m) => { m.state.gpr[0] = value & 0xffff_ffffn; m.state.gpr[2] = value >> 32n; m.state.gpr[1] = 0n; prepare(m); }, machine(model));
  it('is 1 after reset', () => {
    const m = machine();
    m.cpu.reset();
    expect(m.state.xcr0).toBe(1);
  });
  it('can be 1, 3 and 7', () => {
    for (const value of [1n, 3n, 7n]) expect(set(value).state.xcr0).toBe(Number(value));
  });
  it('cannot be without x87, have AVX without SSE, or what the processor has not', () => {
    for (const value of [0n, 2n, 6n, 5n, 8n, 0xe7n, 1n << 32n]) expect(set(value).lastException).toBe('#GP(0)');
    expect(set(7n, () => undefined, parseCpuModel('max,-avx')).lastException).toBe('#GP(0)');
  });
  it('is the only extended control register, and ring 0 writes it', () => {
    expect(set(3n, (m) => { m.state.gpr[1] = 1n; }).lastException).toBe('#GP(0)');
    expect(set(3n, (m) => m.enterUser()).lastException).toBe('#GP(0)');
    expect(set(3n, (m) => { m.state.cr4 &= ~CR4.OSXSAVE; m.enterUser(); }).lastException).toBe('#UD');
  });
  it('is read by XGETBV at every privilege, and with ECX = 1 what of it is in use', () => {
    const get = (number: bigint, prepare: (m: SystemMachine) => void): bigint[] => {
      const m = ran((a) => a.xgetbv(), (x) => { x.state.gpr[1] = number; prepare(x); x.enterUser(); });
      return [m.state.gpr[0]!, m.state.gpr[2]!];
    };
    expect(get(0n, cleared)).toEqual([7n, 0n]);
    expect(get(1n, (m) => { cleared(m); m.state.ymmHigh[5] = 1n; })).toEqual([5n, 0n]);
    expect(exception((a) => a.xgetbv(), (m) => { m.state.gpr[1] = 2n; })).toBe('#GP(0)');
    expect(exception((a) => a.xgetbv(), (m) => { m.state.cr4 &= ~CR4.OSXSAVE; })).toBe('#UD');
  });
});

describe('XSAVE', () => {
  it('writes the components that are requested and enabled, and in XSTATE_BV which are in use', () => {
    const m = ran((a) => a.xsave(at(rdi)), (x) => { cleared(x); x.state.xmm[3] = 5n; });
    expect(header(m)).toEqual([3n, 0n, 0n]);
    expect([m.read64(AREA + 160 + 24), m.read64(AVX)]).toEqual([5n, 0n]);
  });
  it('leaves what is not requested, and its bit of XSTATE_BV', () => {
    const m = ran((a) => a.xsave(at(rdi)), (x) => { someState(x); x.state.gpr[0] = 4n; x.write64(HEADER, 3n); });
    expect(header(m)).toEqual([7n, 0n, 0n]);
    expect([m.read64(AREA), m.read64(AREA + 160), m.read64(AVX + 8)]).toEqual([UNTOUCHED, UNTOUCHED, 102n]);
    expect(m.read64(AREA + 24)).toBe(0xffff_0000_1f80n);
  });
  it('leaves what XCR0 does not enable', () => {
    const m = ran((a) => a.xsave(at(rdi)), (x) => { someState(x); x.state.xcr0 = 3; });
    expect([header(m)[0], m.read64(AVX)]).toEqual([3n, UNTOUCHED]);
  });
  it('outside 64-bit mode writes eight registers', () => {
    const m = ran((a) => a.xsave(at(edi)), someState, machine(EVERY_FEATURE, 32));
    expect([m.read64(AREA + 160 + 120), m.read64(AREA + 160 + 128), m.read64(AVX + 120), m.read64(AVX + 128)]).toEqual([16n, UNTOUCHED, 116n, UNTOUCHED]);
  });
});

describe('XSAVEOPT', () => {
  it('does not write a component in its initial configuration, but MXCSR', () => {
    const m = ran((a) => a.xsaveopt(at(rdi)), (x) => { cleared(x); x.state.ymmHigh[0] = 9n; x.state.mxcsr = 0x3f80; });
    expect(header(m)[0]! & 6n).toBe(4n);
    expect([m.read64(AREA + 160), m.read64(AREA + 24), m.read64(AVX)]).toEqual([UNTOUCHED, 0xffff_0000_3f80n, 9n]);
  });
});

describe('XSAVEC', () => {
  it('says in XCOMP_BV what is requested, and MXCSR other than after reset makes SSE used', () => {
    const m = ran((a) => a.xsavec(at(rdi)), (x) => { cleared(x); x.state.mxcsr = 0x3f80; x.state.gpr[0] = 6n; });
    expect(header(m)).toEqual([2n, 0x8000_0000_0000_0006n, 0n]);
    expect([m.read64(AREA + 24), m.read64(AREA + 160), m.read64(AVX)]).toEqual([0xffff_0000_3f80n, 0n, UNTOUCHED]);
  });
  it('writes nothing of MXCSR without SSE', () => {
    const m = ran((a) => a.xsavec(at(rdi)), (x) => { someState(x); x.state.gpr[0] = 4n; });
    expect([header(m)[0], m.read64(AREA + 24), m.read64(AVX)]).toEqual([4n, OTHER_MXCSR, 101n]);
  });
});

describe('XRSTOR', () => {
  it.each([['XSAVE', (a: Assembler) => a.xsave64(at(rdi))], ['XSAVEC', (a: Assembler) => a.xsavec64(at(rdi))]])('gives back what %s wrote', (_name, save) => {
    const m = machine();
    someState(m);
    m.state.mxcsr = 0x3f80;
    m.program((a) => { save(a); a.xrstor64(at(rdi)); a.hlt(); });
    m.step();
    cleared(m);
    m.state.mxcsr = MXCSR_AFTER_RESET;
    m.step();
    expect([m.state.xmm[31], m.state.ymmHigh[31], m.state.mxcsr]).toEqual([32n, 132n, 0x3f80]);
  });
  it('gives what is requested and not there its initial configuration; in the standard form MXCSR is taken all the same', () => {
    const m = ran((a) => a.xrstor(at(rdi)), someState);
    expect([m.state.xmm.every((v) => v === 0n), m.state.ymmHigh.every((v) => v === 0n), m.state.mxcsr, m.state.fpuControl]).toEqual([true, true, 0x5f80, 0x37f]);
  });
  it('in the compacted form MXCSR belongs to SSE', () => {
    const m = ran((a) => a.xrstor(at(rdi)), (x) => { someState(x); x.state.mxcsr = 0x3f80; x.write64(HEADER + 8, (1n << 63n) | ALL); });
    expect(m.state.mxcsr).toBe(MXCSR_AFTER_RESET);
  });
  it('leaves what is not requested', () => {
    const m = ran((a) => a.xrstor(at(rdi)), (x) => { someState(x); x.state.gpr[0] = 1n; });
    expect([m.state.xmm[0], m.state.ymmHigh[0]]).toEqual([1n, 101n]);
  });
  it('is #GP(0) for a header that no form has, and for reserved bits of MXCSR', () => {
    const with64 = (offset: number, value: bigint) => (m: SystemMachine): void => m.write64(AREA + offset, value);
    const compacted = (value: bigint) => (m: SystemMachine): void => { m.write64(HEADER + 8, (1n << 63n) | value); };
    const restored = (...prepare: ((m: SystemMachine) => void)[]): string | undefined => exception((a) => a.xrstor(at(rdi)), (m) => {
      for (const x of prepare) x(m);
    });
    expect(restored()).toBeUndefined();
    for (const wrong of [with64(512, 8n), with64(520, 1n), with64(528, 1n), with64(24, 0x1_0000n)]) expect(restored(wrong)).toBe('#GP(0)');
    expect(restored(with64(536, 1n))).toBeUndefined();
    expect(restored(compacted(7n))).toBeUndefined();
    for (const wrong of [[compacted(8n)], [compacted(3n), with64(512, 4n)], [compacted(7n), with64(536, 1n)]]) expect(restored(...wrong)).toBe('#GP(0)');
  });
});

describe('XSAVES', () => {
  it('writes what XSAVEC writes', () => {
    const area = (save: (a: Assembler) => void): bigint[] => {
      const m = ran(save, (x) => { someState(x); x.state.mxcsr = 0x3f80; x.state.gpr[0] = 6n; });
      return Array.from({ length: 128 }, (_, n) => m.read64(AREA + 8 * n));
    };
    expect(area((a) => a.xsaves64(at(rdi)))).toEqual(area((a) => a.xsavec64(at(rdi))));
    expect(header(ran((a) => a.xsaves(at(rdi)), (x) => { cleared(x); x.state.gpr[0] = 6n; x.state.mxcsr = 0x3f80; }))).toEqual([2n, 0x8000_0000_0000_0006n, 0n]);
  });
});

describe('XRSTORS', () => {
  it('gives back what XSAVES wrote, and what is not there its initial configuration', () => {
    const m = machine();
    someState(m);
    m.state.mxcsr = 0x3f80;
    m.state.gpr[0] = 2n;
    m.program((a) => { a.xsaves64(at(rdi)); a.mov(eax, 6); a.xrstors64(at(rdi)); a.hlt(); });
    m.step();
    m.state.xmm.fill(0n);
    m.state.mxcsr = MXCSR_AFTER_RESET;
    m.write64(HEADER + 8, (1n << 63n) | 6n);
    m.step();
    m.step();
    expect([m.state.xmm[31], m.state.ymmHigh[31], m.state.mxcsr]).toEqual([32n, 0n, 0x3f80]);
  });
  it('is #GP(0) for the standard form, components that XCR0 and IA32_XSS do not have, reserved bytes and reserved bits of MXCSR', () => {
    const restored = (layout: bigint, ...words: readonly (readonly [offset: number, value: bigint])[]): string | undefined => exception((a) => a.xrstors(at(rdi)), (m) => {
      m.write64(HEADER + 8, layout);
      for (const [offset, value] of words) m.write64(AREA + offset, value);
    });
    const room = (1n << 63n) | ALL;
    expect(restored(room, [512, 2n])).toBeUndefined();
    expect([restored(0n), restored(room | 0x100n), restored((1n << 63n) | 3n, [512, 4n]), restored(room, [528, 1n]), restored(room, [536, 1n]), restored(room, [512, 2n], [24, 0x1_0000n])])
      .toEqual(Array(6).fill('#GP(0)'));
  });
});

describe('IA32_XSS', () => {
  const written = (value: bigint, model = EVERY_FEATURE): string | undefined =>
    exception((a) => a.wrmsr(), (m) => { m.state.gpr[1] = BigInt(MSR.XSS); m.state.gpr[0] = value & 0xffff_ffffn; m.state.gpr[2] = value >> 32n; }, machine(model));
  it('is 0 and takes 0: no component is a supervisor\'s alone', () => {
    expect([written(0n), written(0x100n), written(7n), written(1n << 32n)]).toEqual([undefined, '#GP(0)', '#GP(0)', '#GP(0)']);
    const m = ran((a) => a.rdmsr(), (x) => { x.state.gpr[1] = BigInt(MSR.XSS); });
    expect([m.delivered, m.state.gpr[0], m.state.gpr[2]]).toEqual([[], 0n, 0n]);
  });
  it('is there with XSAVES only', () => expect(written(0n, parseCpuModel('max,-xsaves'))).toBe('#GP(0)'));
});

describe('an SSE instruction', () => {
  it('leaves bits 255:128', () => {
    const m = ran((a) => a.pxor(xmm0, xmm0), someState);
    expect([m.state.xmm[0], m.state.ymmHigh[0]]).toEqual([0n, 101n]);
  });
});

describe('CPUID', () => {
  const leaf = (n: number, subleaf: number, xcr0 = 7, model = EVERY_FEATURE): ReturnType<typeof cpuid> => cpuid(model, n, subleaf, { in64BitMode: true, apicEnabled: true, monitorEnabled: true, osxsave: true, ospke: false, xcr0 });
  it('leaf 0D tells the components, the size of the area for XCR0 and for all, and where AVX and PKRU are', () => {
    expect(leaf(0xd, 0)).toEqual({ eax: 0x207, ebx: 832, ecx: 2696, edx: 0 });
    expect(leaf(0xd, 0, 0x207).ebx).toBe(2696);
    expect(leaf(0xd, 0, 3).ebx).toBe(576);
    expect(leaf(0xd, 1, 7, parseCpuModel('max'))).toEqual({ eax: 15, ebx: 832, ecx: 0, edx: 0 });
    expect(leaf(0xd, 1, 0x203).ebx).toBe(584);
    expect(leaf(0xd, 2)).toEqual({ eax: 256, ebx: 576, ecx: 0, edx: 0 });
    expect(leaf(0xd, 9)).toEqual({ eax: 8, ebx: 2688, ecx: 0, edx: 0 });
    expect(leaf(0xd, 9, 7, parseCpuModel('max,-pku'))).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
    expect(leaf(0xd, 0, 1, parseCpuModel('max,-xsave'))).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
  });
  it('leaf 1 shows CR4.OSXSAVE', () => {
    const m = machine();
    m.state.gpr[0] = 1n;
    m.program((a) => a.cpuid()).step();
    expect(m.state.gpr[1]! & (1n << 27n)).not.toBe(0n);
  });
});

executesRows(SYSTEM_ROWS.xsave);
