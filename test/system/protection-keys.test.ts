/** Protection keys for user pages: RDPKRU and WRPKRU, CR4.PKE, and what generated code may still do after PKRU changed. SDM Vol. 3A, "Protection Keys". */
import { describe, expect, it } from 'vitest';
import { at, cr4, dword, eax, ecx, edx, edi, qword, r8, rax, rbx, rdi, rsp } from '../../src/assembler/index.ts';
import { parseCpuModel, type CpuModel } from '../../src/cpu/models.ts';
import { ENGINE_NAMES, type EngineName } from '../../src/machine/machine.ts';
import { CR0, CR4, XCR0 } from '../../src/mmu/control-bits.ts';
import { linear } from '../../src/state/addresses.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const OPEN = 7n, KEY = 5, UNDER_KEY = OPEN | (BigInt(KEY) << 59n);
const ACCESS_DISABLE = 1 << (2 * KEY), WRITE_DISABLE = 2 << (2 * KEY);

/** A machine with CR4.PKE whose page at AT.pages is under KEY; RBX points at it. ECX and EDX are 0. */
function machine(engine: EngineName = 'reference', model?: CpuModel): SystemMachine {
  const m = new SystemMachine(64, engine, model).gates();
  m.state.cr4 |= CR4.PKE | CR4.OSXSAVE | CR4.OSFXSR;
  m.state.xcr0 = XCR0.X87 | XCR0.SSE | XCR0.PKRU;
  m.state.gpr[1] = m.state.gpr[2] = 0n;
  m.state.gpr[3] = BigInt(AT.pages);
  m.mapPage(0, UNDER_KEY);
  m.cpu.refresh();
  return m;
}

describe.each(ENGINE_NAMES)('on the %s engine', (engine) => {
  it('WRPKRU writes PKRU from EAX and RDPKRU reads it and clears EDX, at every privilege', () => {
    for (const user of [false, true]) {
      const m = machine(engine);
      if (user) m.enterUser();
      m.program((a) => { a.mov(rax, -4n); a.wrpkru(); a.mov(rax, -1); a.rdpkru(); });
      m.step(4);
      expect([m.state.pkru, m.state.gpr[0], m.state.gpr[2], m.delivered.length]).toEqual([0xffff_fffc, 0xffff_fffcn, 0n, 0]);
    }
  });

  it('both are #UD without CR4.PKE, and #GP(0) where ECX is not 0; so is WRPKRU where EDX is not 0', () => {
    const raised = (code: 'rdpkru' | 'wrpkru', prepare: (m: SystemMachine) => void): string => {
      const m = machine(engine);
      prepare(m);
      m.cpu.refresh();
      m.program((a) => a[code]()).step();
      return m.lastException;
    };
    for (const code of ['rdpkru', 'wrpkru'] as const) {
      expect(raised(code, (m) => { m.state.cr4 &= ~CR4.PKE; m.state.gpr[1] = 1n; })).toBe('#UD');
      expect(raised(code, (m) => { m.state.gpr[1] = 0x8000_0000n; })).toBe('#GP(0)');
      expect(raised(code, (m) => { m.state.gpr[1] = 1n << 32n; })).toBe('none');
      expect(raised(code, (m) => { m.state.gpr[2] = 1n; })).toBe(code === 'rdpkru' ? 'none' : '#GP(0)');
    }
  });

  it('a loop that has become hot faults at the access after the WRPKRU that forbids it, and nothing is lost', () => {
    const turns = 20_000;
    const m = machine(engine).enterUser();
    m.program((a) => {
      a.mov(edi, turns);
      a.xor(ecx, ecx);
      a.xor(edx, edx);
      a.label('turn');
      a.add(dword(rbx), 1);
      a.dec(edi);
      a.jnz('turn');
      a.mov(eax, WRITE_DISABLE);
      a.wrpkru();
      a.mov(edi, dword(rbx));
      a.label('refused');
      a.add(dword(rbx), 1);
    });
    m.runFast(10 * turns);
    expect(m.lastException).toBe('#PF(0x27)');
    expect([m.delivered[0]!.rip, m.state.cr2, m.state.gpr[7], m.delivered.length]).toEqual([m.symbol('refused'), BigInt(AT.pages), BigInt(turns), 1]);
  });

  it('a hot loop that turns the key each time sees every turn', () => {
    const turns = 2000;
    const m = machine(engine).enterUser();
    // The handler of #PF counts in R8, opens the key and returns to the access.
    m.gate(14, { offset: AT.handlers + 0x800 });
    m.program((a) => { a.inc(r8); a.xor(eax, eax); a.wrpkru(); a.add(rsp, 8); a.iretq(); }, { origin: AT.handlers + 0x800 });
    m.program((a) => {
      a.mov(edi, turns);
      a.label('turn');
      a.xor(ecx, ecx);
      a.xor(edx, edx);
      a.mov(eax, ACCESS_DISABLE);
      a.wrpkru();
      a.mov(eax, dword(rbx));
      a.add(dword(rbx), 1);
      a.dec(edi);
      a.jnz('turn');
      a.hlt();
    });
    m.runFast(30 * turns);
    expect([m.state.gpr[8], m.lastException]).toEqual([BigInt(turns), '#GP(0)']);
    expect(m.read64(AT.pages) & 0xffff_ffffn).toBe(BigInt(turns));
  });
});

describe('a page under a key', () => {
  /** The exception that an access raises, with PKRU, CR0.WP, and the page's own rights. */
  const raised = (access: 'read' | 'write' | 'fetch', pkru: number, options: { user?: boolean; wp?: boolean; page?: bigint; pke?: boolean } = {}): string => {
    const m = machine();
    if (options.wp === false) m.state.cr0 = (m.state.cr0 & ~CR0.WP) >>> 0;
    if (options.pke === false) m.state.cr4 &= ~CR4.PKE;
    if (options.page !== undefined) m.mapPage(0, options.page);
    m.mmu.setPkru(pkru);
    if (options.user) m.enterUser();
    m.program((a) => { a.nop(); }, { origin: AT.pages });
    m.cpu.refresh();
    if (access === 'fetch') m.state.rip = BigInt(AT.pages);
    else m.program((a) => { if (access === 'read') a.mov(rax, qword(rbx)); else a.mov(qword(rbx), rax); });
    m.step();
    return m.lastException;
  };
  it('whose access-disable bit is set refuses data accesses of every privilege, and no fetch', () => {
    expect([raised('read', ACCESS_DISABLE), raised('write', ACCESS_DISABLE)]).toEqual(['#PF(0x21)', '#PF(0x23)']);
    expect([raised('read', ACCESS_DISABLE, { user: true }), raised('write', ACCESS_DISABLE, { user: true })]).toEqual(['#PF(0x25)', '#PF(0x27)']);
    expect([raised('fetch', ACCESS_DISABLE), raised('fetch', ACCESS_DISABLE, { user: true })]).toEqual(['none', 'none']);
  });
  it('whose write-disable bit is set refuses writes, those of the supervisor with CR0.WP only', () => {
    expect([raised('read', WRITE_DISABLE), raised('read', WRITE_DISABLE, { user: true }), raised('write', WRITE_DISABLE), raised('write', WRITE_DISABLE, { user: true })]).toEqual(['none', 'none', '#PF(0x23)', '#PF(0x27)']);
    expect([raised('write', WRITE_DISABLE, { wp: false }), raised('write', WRITE_DISABLE, { wp: false, user: true })]).toEqual(['none', '#PF(0x27)']);
  });
  it('is not concerned by the rights of other keys, or without CR4.PKE', () => {
    expect([raised('write', ~(3 << (2 * KEY)) >>> 0), raised('write', 0xffff_ffff, { pke: false })]).toEqual(['none', 'none']);
  });
  it('that is a supervisor page has no key', () => {
    expect([raised('write', 0xffff_ffff, { page: UNDER_KEY & ~4n }), raised('read', 0xffff_fffc, { page: UNDER_KEY & ~4n, user: true })]).toEqual(['none', '#PF(0x5)']);
  });
  it('that is read-only reports PK where the key forbids the write too', () => {
    expect([raised('write', WRITE_DISABLE, { page: UNDER_KEY & ~2n, user: true }), raised('write', 0, { page: UNDER_KEY & ~2n, user: true })]).toEqual(['#PF(0x27)', '#PF(0x7)']);
  });
  it('is shown with its key and what PKRU says of it', () => {
    const { mmu } = machine();
    mmu.setPkru(WRITE_DISABLE);
    const { key, verdicts } = mmu.explain(linear(BigInt(AT.pages)));
    expect(key).toEqual({ number: KEY, accessDisable: false, writeDisable: true });
    expect(verdicts.map(({ denial }) => denial)).toEqual([undefined, 'protection key', undefined, undefined, 'protection key', undefined]);
    expect(verdicts[4]!.errorCode).toBe(0x27);
  });
});

describe('PKRU in the XSAVE area', () => {
  const AREA = AT.data, STANDARD = AREA + 2688;
  const area = (): SystemMachine => {
    const m = machine();
    m.state.gpr[7] = BigInt(AREA);
    m.state.gpr[0] = BigInt(XCR0.PKRU);
    for (let n = 512; n < 576; n += 8) m.write64(AREA + n, 0n);
    return m;
  };
  it('is component 9: 8 bytes at 2688 in the standard form, and nothing between is touched', () => {
    const m = area();
    m.mmu.setPkru(0x1234_5678);
    m.write64(STANDARD, ~0n);
    m.write64(AREA + 1024, 0x5555n);
    m.program((a) => a.xsave(at(rdi))).step();
    expect([m.read64(AREA + 512), m.read64(STANDARD), m.read64(AREA + 1024)]).toEqual([0x200n, 0x1234_5678n, 0x5555n]);
  });
  it('lies behind what XCOMP_BV names in the compacted form', () => {
    for (const [components, place] of [[XCR0.PKRU, 576], [XCR0.PKRU | XCR0.AVX, 832]] as const) {
      const m = area();
      m.state.xcr0 |= XCR0.AVX;
      m.state.gpr[0] = BigInt(components);
      m.mmu.setPkru(0x54);
      m.program((a) => { a.xsavec(at(rdi)); a.xrstor(at(rdi)); });
      m.step();
      expect([m.read64(AREA + 520), m.read64(AREA + place)]).toEqual([(1n << 63n) | BigInt(components), 0x54n]);
      m.mmu.setPkru(0);
      m.step();
      expect(m.state.pkru).toBe(0x54);
    }
  });
  it('comes back with XRSTOR, which what is remembered of pages obeys; not in the area it is 0', () => {
    const m = area();
    m.write64(AREA + 512, 0x200n);
    m.write64(STANDARD, BigInt(ACCESS_DISABLE));
    m.program((a) => { a.mov(rax, qword(rbx)); a.mov(eax, XCR0.PKRU); a.xrstor(at(rdi)); a.mov(rax, qword(rbx)); });
    m.step(4);
    expect([m.state.pkru, m.lastException]).toEqual([ACCESS_DISABLE, '#PF(0x21)']);
    const absent = area();
    absent.mmu.setPkru(4);
    absent.program((a) => a.xrstor(at(rdi))).step();
    expect(absent.state.pkru).toBe(0);
  });
  it('is in use unless it is 0', () => {
    const m = area();
    m.state.gpr[1] = 1n;
    m.program((a) => { a.xgetbv(); a.xor(ecx, ecx); a.mov(eax, 4); a.wrpkru(); a.mov(ecx, 1); a.xgetbv(); });
    m.step();
    expect(m.state.gpr[0]! & 0x200n).toBe(0n);
    m.state.gpr[2] = 0n;
    m.step(5);
    expect(m.state.gpr[0]! & 0x200n).toBe(0x200n);
  });
});

describe('a processor', () => {
  it('announces PKU, and OSPKE where CR4.PKE is set', () => {
    const leaf7 = (pke: boolean): bigint => {
      const m = machine();
      if (!pke) m.state.cr4 &= ~CR4.PKE;
      m.state.gpr[0] = 7n;
      m.program((a) => a.cpuid()).step();
      return m.state.gpr[1]! & 0x18n;
    };
    expect([leaf7(false), leaf7(true)]).toEqual([8n, 0x18n]);
  });
  it('without PKU has neither CR4.PKE nor XCR0 bit 9', () => {
    const raised = (model: CpuModel): string[] => {
      const m = machine('reference', model);
      m.state.gpr[0] = BigInt(CR4.PAE | CR4.PKE | CR4.OSXSAVE);
      m.program((a) => a.mov(cr4, rax)).step();
      const n = machine('reference', model);
      n.state.gpr[0] = 0x203n;
      n.program((a) => a.xsetbv()).step();
      return [m.lastException, n.lastException];
    };
    expect([raised(parseCpuModel('max')), raised(parseCpuModel('max,-pku'))]).toEqual([['none', 'none'], ['#GP(0)', '#GP(0)']]);
  });
  it('has PKRU 0 after reset', () => {
    const m = machine();
    m.mmu.setPkru(4);
    m.cpu.reset();
    expect(m.state.pkru).toBe(0);
  });
});

executesRows(SYSTEM_ROWS['protection-keys']);
