/** MMX registers beside the x87 FPU: when they may be used, and what the one leaves for the other. SDM Vol. 3A, "Intel MMX Technology System Programming". */
import { describe, expect, it } from 'vitest';
import { eax, mm0, mm1, mm7, qword, rax, rdi, xmm0, type Assembler } from '../../src/assembler/index.ts';
import { CR0, CR4 } from '../../src/mmu/control-bits.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';

const ON = { cr0: CR0.NE, cr4: CR4.OSFXSR | CR4.OSXMMEXCPT };
function after(body: (a: Assembler) => void, bits = ON, prepare: (m: SystemMachine) => void = () => undefined, steps = 1): SystemMachine {
  const m = new SystemMachine().gates();
  m.state.cr0 |= bits.cr0;
  m.state.cr4 |= bits.cr4;
  m.state.mxcsr = 0x1f80;
  m.state.fpuControl = 0x37f;
  m.state.fpuTag = 0xffff;
  m.state.gpr[7] = BigInt(AT.data);
  prepare(m);
  m.program(body);
  for (let n = 0; n < steps; n++) m.step();
  return m;
}
const exception = (...x: Parameters<typeof after>): string | undefined => {
  const m = after(...x);
  return m.delivered.length === 0 ? undefined : m.lastException;
};
/** ZE is flagged and not masked: an exception waits. */
const waiting = (m: SystemMachine): void => {
  m.state.fpuControl = 0x37b;
  m.state.fpuStatus = 0x8084;
};

describe.each<[string, (a: Assembler) => void, needsSse: boolean]>([
  ['PADDB mm0, mm1', (a) => a.paddb(mm0, mm1), false],
  ['MOVD eax, mm0', (a) => a.movd(eax, mm0), false],
  ['PAVGB mm0, mm1, which SSE brought', (a) => a.pavgb(mm0, mm1), false],
  ['EMMS', (a) => a.emms(), false],
  ['CVTPI2PS xmm0, mm0', (a) => a.cvtpi2ps(xmm0, mm0), true],
  ['CVTPD2PI mm0, xmm0', (a) => a.cvtpd2pi(mm0, xmm0), true],
  ['MOVDQ2Q mm0, xmm0', (a) => a.movdq2q(mm0, xmm0), true],
])('%s', (_name, body, needsSse) => {
  it('runs', () => expect(exception(body)).toBeUndefined());
  it('is #UD where CR0.EM is set, also where an exception waits', () => expect(exception(body, { ...ON, cr0: CR0.NE | CR0.EM | CR0.TS }, waiting)).toBe('#UD'));
  it('is #NM where CR0.TS is set, also where an exception waits', () => expect(exception(body, { ...ON, cr0: CR0.NE | CR0.TS }, waiting)).toBe('#NM'));
  it('raises the x87 exception that waits', () => expect(exception(body, ON, waiting)).toBe('#MF'));
  it(`${needsSse ? 'needs' : 'does not need'} CR4.OSFXSR`, () => expect(exception(body, { cr0: CR0.NE, cr4: 0 })).toBe(needsSse ? '#UD' : undefined));
});

describe('the x87 exception that waits', () => {
  it('comes before the memory operand is looked at', () => {
    expect(exception((a) => a.paddb(mm0, qword(rdi)), ON, (m) => { waiting(m); m.state.gpr[7] = 0x8000_0000_0000n; })).toBe('#MF');
  });
  it('is none of CVTPI2PD’s with a memory operand, which uses no MMX register', () => {
    expect(exception((a) => a.cvtpi2pd(xmm0, qword(rdi)), ON, waiting)).toBeUndefined();
  });
});

describe('an MMX register', () => {
  it('is the significand of the physical x87 register of its number', () => {
    const m = after((a) => {
      a.fninit();
      a.fld1();
      a.movq(qword(rdi), mm7);
      a.movq(qword(rdi, 8), mm0);
    }, ON, (x) => { x.state.fpuRegisters[0] = 0x1234n; }, 4);
    // FLD1 pushed onto an empty stack: TOP was 7.
    expect([m.read64(AT.data), m.read64(AT.data + 8)]).toEqual([1n << 63n, 0x1234n]);
  });
  it('that was written is a NaN for the x87 FPU, and the stack is full until EMMS', () => {
    const m = after((a) => {
      a.movq(mm1, rax);
      a.fincstp();
      a.fxam();
    }, ON, (x) => { x.state.gpr[0] = 0xc000_0000_0000_0000n; }, 3);
    // FXAM of ST(0), now R1: C3 C2 C0 = 001 is a NaN; its sign is C1.
    expect(m.state.fpuStatus & 0x4700).toBe(0x0300);
    const pushed = after((a) => {
      a.movd(mm1, eax);
      a.fld1();
    }, ON, undefined, 2);
    // A stack fault, which is an overflow: IE, SF and C1.
    expect(pushed.state.fpuStatus & 0x0241).toBe(0x0241);
    const emptied = after((a) => {
      a.movd(mm1, eax);
      a.emms();
      a.fld1();
    }, ON, undefined, 3);
    expect(emptied.state.fpuStatus & 0x0241).toBe(0);
  });
});
