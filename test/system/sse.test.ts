/** Whether SSE may be used, and what becomes of its exceptions. SDM Vol. 3A, "Providing Operating System Support for SSE". */
import { describe, expect, it } from 'vitest';
import { byte, dword, eax, rdi, xmm0, xmm1, xmmword, ymm0, ymm1, type Assembler } from '../../src/assembler/index.ts';
import { EVERY_FEATURE } from '../../src/cpu/models.ts';
import { MXCSR_AFTER_RESET } from '../../src/cpu/mxcsr.ts';
import { CR0, CR4 } from '../../src/mmu/control-bits.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const ON = { cr0: 0, cr4: CR4.OSFXSR | CR4.OSXMMEXCPT };
/** A machine whose one instruction has run, under these bits of CR0 and CR4. */
function after(body: (a: Assembler) => void, bits = ON, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = new SystemMachine(64, 'reference', EVERY_FEATURE).gates();
  m.state.cr0 |= bits.cr0;
  m.state.cr4 |= bits.cr4;
  m.state.mxcsr = MXCSR_AFTER_RESET;
  m.state.gpr[7] = BigInt(AT.data);
  prepare(m);
  m.program(body).step();
  return m;
}
const exception = (...x: Parameters<typeof after>): string | undefined => {
  const m = after(...x);
  return m.delivered.length === 0 ? undefined : m.lastException;
};

describe.each<[string, (a: Assembler) => void]>([
  ['MOVAPS', (a) => a.movaps(xmm0, xmm1)], ['ADDSD', (a) => a.addsd(xmm0, xmm1)], ['PXOR', (a) => a.pxor(xmm0, xmm1)],
  ['LDMXCSR', (a) => a.ldmxcsr(dword(rdi))], ['STMXCSR', (a) => a.stmxcsr(dword(rdi))],
])('%s', (_name, body) => {
  it('runs where CR4.OSFXSR is set', () => expect(exception(body)).toBeUndefined());
  it('is #UD where CR4.OSFXSR is clear', () => expect(exception(body, { cr0: 0, cr4: 0 })).toBe('#UD'));
  it('is #UD where CR0.EM is set', () => expect(exception(body, { ...ON, cr0: CR0.EM })).toBe('#UD'));
  it('is #NM where CR0.TS is set', () => expect(exception(body, { ...ON, cr0: CR0.TS })).toBe('#NM'));
  it('is #UD, not #NM, where both say no', () => expect(exception(body, { cr0: CR0.TS, cr4: 0 })).toBe('#UD'));
});

describe.each<[string, (a: Assembler) => void]>([
  ['VADDPS of XMM registers', (a) => a.vaddps(xmm0, xmm1, xmm1)], ['VADDPS of YMM registers', (a) => a.vaddps(ymm0, ymm1, ymm1)], ['VZEROUPPER', (a) => a.vzeroupper()], ['VLDMXCSR', (a) => a.vldmxcsr(dword(rdi))],
])('%s', (_name, body) => {
  const AVX_ON = { cr0: 0, cr4: CR4.OSXSAVE | CR4.OSXMMEXCPT };
  const having = (xcr0: number) => (m: SystemMachine): void => { m.state.xcr0 = xcr0; };
  const avx = (bits = AVX_ON, xcr0 = 7): string | undefined => exception(body, bits, having(xcr0));
  it('runs where XCR0 enables AVX, whatever CR4.OSFXSR and CR0.EM say', () => {
    expect(avx()).toBeUndefined();
    expect(avx({ ...AVX_ON, cr0: CR0.EM })).toBeUndefined();
  });
  it('is #UD where CR4.OSXSAVE is clear, or XCR0 does not enable SSE and AVX', () => {
    expect(avx({ ...AVX_ON, cr4: CR4.OSFXSR })).toBe('#UD');
    expect(avx(AVX_ON, 3)).toBe('#UD');
    expect(avx(AVX_ON, 1)).toBe('#UD');
  });
  it('is #NM where CR0.TS is set, and #UD where both say no', () => {
    expect(avx({ ...AVX_ON, cr0: CR0.TS })).toBe('#NM');
    expect(avx({ ...AVX_ON, cr0: CR0.TS }, 3)).toBe('#UD');
  });
});

describe('without SSE', () => {
  it('MOVNTI, fences and prefetches run', () => {
    for (const body of [(a: Assembler) => a.movnti(dword(rdi), eax), (a: Assembler) => a.mfence(), (a: Assembler) => a.prefetcht0(byte(rdi))] as ((a: Assembler) => void)[]) {
      expect(exception(body, { cr0: CR0.EM | CR0.TS, cr4: 0 })).toBeUndefined();
    }
  });
  it('the exception comes before the memory operand is looked at', () => {
    expect(exception((a) => a.movaps(xmm0, xmmword(rdi)), { cr0: 0, cr4: 0 }, (m) => { m.state.gpr[7] = 1n; })).toBe('#UD');
  });
});

describe('a floating-point exception that is not masked', () => {
  const division = (a: Assembler): void => a.divsd(xmm0, xmm1);
  const one = (m: SystemMachine): void => {
    m.state.xmm[0] = 0x3ff0_0000_0000_0000n;
    m.state.xmm[2] = 0n;
    m.state.mxcsr = 0x1d80;
  };
  it('is #XM, without an error code', () => expect(exception(division, ON, one)).toBe('#XM'));
  it('is #UD where CR4.OSXMMEXCPT is clear', () => expect(exception(division, { cr0: 0, cr4: CR4.OSFXSR }, one)).toBe('#UD'));
  it('sets its flag and leaves the register as it was', () => {
    const { state } = after(division, ON, one);
    expect([state.mxcsr, state.xmm[0]]).toEqual([0x1d84, 0x3ff0_0000_0000_0000n]);
  });
});

describe('after reset', () => {
  it('all exceptions are masked and the registers are 0', () => {
    const { cpu, state } = new SystemMachine();
    state.mxcsr = 0;
    state.xmm[3] = 5n;
    cpu.reset();
    expect([state.mxcsr, state.xmm[3]]).toEqual([0x1f80, 0n]);
  });
});

describe('an access of 16 bytes', () => {
  const USER_AC = (m: SystemMachine): void => {
    m.enterUser();
    m.cpu.setRflags(0x4_0002);
  };
  it('is #AC where alignment is checked and it is not a multiple of 8', () => {
    const at = (offset: number): string | undefined => exception((a) => a.movups(xmm0, xmmword(rdi, offset)), ON, USER_AC);
    expect([at(0), at(4), at(8), at(16)]).toEqual([undefined, '#AC(0)', undefined, undefined]);
  });
  it('is #GP(0), not #AC, for an instruction that needs alignment', () => {
    expect(exception((a) => a.movaps(xmm0, xmmword(rdi, 4)), ON, USER_AC)).toBe('#GP(0)');
  });
  it('trips a breakpoint on its last byte', () => {
    const m = after((a) => a.movups(xmmword(rdi), xmm0), ON, ({ state, cpu }) => {
      state.dr[0] = BigInt(AT.data + 15);
      state.dr7 = 0x1_0401;
      cpu.refresh();
    });
    m.step();
    expect(m.lastException).toBe('#DB');
  });
  it('is #GP(0) where its end is beyond the canonical addresses', () => {
    expect(exception((a) => a.movups(xmm0, xmmword(rdi)), ON, (m) => { m.state.gpr[7] = 0x7fff_ffff_fff1n; })).toBe('#GP(0)');
    expect(exception((a) => a.movups(xmm0, xmmword(rdi)), ON, (m) => { m.state.gpr[7] = 0x7fff_ffff_fff0n; })).toMatch(/^#PF/);
  });
  it('stores nothing where its second page is not there, and reports the first byte that is not', () => {
    const m = after((a) => a.movups(xmmword(rdi), xmm0), ON, (x) => {
      x.mapPage(0x1000, 0n);
      x.state.gpr[7] = BigInt(AT.pages + 0x1000 - 5);
      x.state.xmm[0] = x.state.xmm[1] = 0xffff_ffff_ffff_ffffn;
    });
    expect([m.lastException, m.state.cr2, m.read64(AT.pages + 0xff8)]).toEqual(['#PF(0x2)', BigInt(AT.pages + 0x1000), 0n]);
  });
});

executesRows(SYSTEM_ROWS.sse);
