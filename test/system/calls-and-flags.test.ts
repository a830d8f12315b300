/** System calls, RFLAGS as a whole, ports and their permissions. */
import { describe, expect, it } from 'vitest';
import { al, ax, dx, eax } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { AT, SEL, SystemMachine } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const machine = (mode: 64 | 32 = 64): SystemMachine => new SystemMachine(mode).gates();
const STAR = (BigInt(SEL.userCode32) << 48n) | (BigInt(SEL.code64) << 32n);

describe('SYSCALL', () => {
  const called = (): SystemMachine => {
    const m = machine();
    m.state.star = STAR;
    m.state.lstar = 0xffff_8000_0003_0500n;
    m.state.sfmask = BigInt(RFLAGS.IF | RFLAGS.TF);
    m.enterUser();
    m.rflags = RFLAGS.IF | RFLAGS.CF | 2;
    m.program((a) => a.syscall()).step();
    return m;
  };
  it('saves RIP in RCX and RFLAGS in R11, masks RFLAGS and leaves the stack alone', () => {
    const m = called();
    expect([m.state.gpr[1], m.state.gpr[11], m.rflags, m.rsp]).toEqual([BigInt(AT.userCode + 2), BigInt(RFLAGS.IF | RFLAGS.CF | 2), RFLAGS.CF | 2, BigInt(AT.userStack)]);
  });
  it('enters LSTAR at CPL 0 with flat segments from STAR', () => {
    const m = called();
    expect([m.state.rip, m.state.cpl, m.selector(SEGMENT.CS), m.selector(SEGMENT.SS), m.cpu.mode().codeSize]).toEqual([0xffff_8000_0003_0500n, 0, SEL.code64, SEL.data, 64]);
  });
  it('is #UD with EFER.SCE clear, and in compatibility mode', () => {
    const m = machine().program((a) => a.syscall());
    m.state.efer &= ~1;
    m.step();
    expect(m.lastException).toBe('#UD');
    const compatible = machine().enterUser(32).program((a) => a.db(0x0f, 0x05));
    compatible.step();
    expect(compatible.lastException).toBe('#UD');
  });
});

describe('SYSRET', () => {
  const returned = (wide: boolean, rcx: bigint): SystemMachine => {
    const m = machine();
    m.state.star = STAR;
    m.state.gpr[1] = rcx;
    m.state.gpr[11] = BigInt(RFLAGS.IF | RFLAGS.CF | RFLAGS.RF | RFLAGS.VM);
    m.program((a) => (wide ? a.sysretq() : a.sysret())).step();
    return m;
  };
  it('with REX.W goes to RCX in 64-bit mode at CPL 3; RF and VM are not taken', () => {
    const m = returned(true, 0x7fff_ffff_f000n);
    expect([m.state.rip, m.state.cpl, m.selector(SEGMENT.CS), m.selector(SEGMENT.SS), m.rflags]).toEqual([0x7fff_ffff_f000n, 3, SEL.userCode64, SEL.userData, RFLAGS.IF | RFLAGS.CF | 2]);
  });
  it('without REX.W goes to ECX in compatibility mode', () => {
    const m = returned(false, 0x1_0002_0000n);
    expect([m.state.rip, m.selector(SEGMENT.CS), m.cpu.mode().codeSize]).toEqual([0x2_0000n, SEL.userCode32, 32]);
  });
  it('to a non-canonical RCX is #GP(0) at CPL 0, as on Intel\'s processors', () => {
    const m = returned(true, 0x8000_0000_0000n);
    expect([m.lastException, m.stacked(2), m.state.cpl]).toEqual(['#GP(0)', BigInt(SEL.code64), 0]);
  });
  it('at CPL 3 is #GP(0)', () => {
    const m = machine().enterUser().program((a) => a.sysretq());
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('SYSENTER and SYSEXIT', () => {
  it('go in with RIP and RSP from MSRs and out with RDX and RCX', () => {
    const m = machine();
    m.state.sysenterCs = BigInt(SEL.code64);
    m.state.sysenterEip = BigInt(AT.handlers + 0x900);
    m.state.sysenterEsp = BigInt(AT.rsp0);
    m.enterUser();
    m.rflags = RFLAGS.IF | 2;
    m.program((a) => a.sysenter());
    m.program((a) => a.sysexitq(), { origin: AT.handlers + 0x900 });
    m.step();
    expect([m.state.cpl, m.rsp, m.rflags & RFLAGS.IF, m.selector(SEGMENT.SS)]).toEqual([0, BigInt(AT.rsp0), 0, SEL.data]);
    m.state.gpr[1] = 0x1000n;
    m.state.gpr[2] = BigInt(AT.userCode);
    m.step();
    expect([m.state.cpl, m.rsp, m.state.rip, m.selector(SEGMENT.CS), m.selector(SEGMENT.SS)]).toEqual([3, 0x1000n, BigInt(AT.userCode), SEL.code64 + 32 | 3, SEL.code64 + 40 | 3]);
  });
  it('with a null SYSENTER_CS are #GP(0)', () => {
    const m = machine().program((a) => a.sysenter());
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('POPF and PUSHF', () => {
  const popped = (value: number, prepare: (m: SystemMachine) => void): number => {
    const m = machine();
    prepare(m);
    m.program((a) => { a.push(value); a.popfq(); });
    m.step(2);
    return m.rflags & ~RFLAGS.TF;
  };
  const ALL = 0x3f_7fd7;
  const always = ALL & ~(RFLAGS.VM | RFLAGS.RF | RFLAGS.VIF | RFLAGS.VIP | RFLAGS.TF);
  it('at CPL 0 everything but VM, RF, VIF and VIP changes', () => expect(popped(ALL, () => undefined)).toBe(always | 2));
  it('at CPL 3 neither IOPL nor IF changes', () => expect(popped(ALL, (m) => m.enterUser())).toBe((always & ~(RFLAGS.IOPL | RFLAGS.IF)) | 2));
  it('at CPL 3 with IOPL 3 IF changes', () => expect(popped(RFLAGS.IF, (m) => { m.enterUser(); m.rflags = RFLAGS.IOPL | 2; })).toBe(RFLAGS.IOPL | RFLAGS.IF | 2));
  it('PUSHFQ pushes RF as 0', () => {
    const m = machine().program((a) => a.pushfq());
    m.rflags = RFLAGS.CF | RFLAGS.RF | 2;
    m.step();
    expect(m.stacked(0)).toBe(3n);
  });
  it('a 16-bit POPF leaves bits 31:16', () => {
    const m = machine();
    m.rflags = RFLAGS.ID | RFLAGS.AC | 2;
    m.write64(AT.kernelStack, 0x41n);
    m.program((a) => a.popf()).step();
    expect([m.rflags, m.rsp]).toEqual([RFLAGS.ID | RFLAGS.AC | 0x43, BigInt(AT.kernelStack + 2)]);
  });
});

it('CLI and STI at CPL 3 need IOPL 3', () => {
  const run = (iopl: number): string => {
    const m = machine().enterUser().program((a) => a.cli());
    m.rflags = (iopl << 12) | RFLAGS.IF | 2;
    m.step();
    return m.lastException;
  };
  expect([run(0), run(2), run(3)]).toEqual(['#GP(0)', '#GP(0)', 'none']);
});
it('HLT at CPL 3 is #GP(0), STAC and CLAC are #UD', () => {
  for (const [program, exception] of [['hlt', '#GP(0)'], ['stac', '#UD'], ['clac', '#UD']] as const) {
    const m = machine().enterUser().program((a) => a[program]());
    m.step();
    expect(m.lastException).toBe(exception);
  }
});

describe('ports', () => {
  it('IN zero-extends EAX and merges AL and AX', () => {
    const m = machine();
    m.ports.set(0x60, 0x1234_5678);
    m.state.gpr[0] = 0xffff_ffff_ffff_ffffn;
    m.program((a) => { a.in(al, 0x60); a.in(ax, 0x60); a.in(eax, 0x60); });
    m.step();
    expect(m.state.gpr[0]).toBe(0xffff_ffff_ffff_ff78n);
    m.step();
    expect(m.state.gpr[0]).toBe(0xffff_ffff_ffff_5678n);
    m.step();
    expect(m.state.gpr[0]).toBe(0x1234_5678n);
  });
  it('OUT to DX uses all 16 bits of the port number', () => {
    const m = machine();
    m.state.gpr[2] = 0xabcd_cf8n << 8n | 0x3f8n;
    m.state.gpr[0] = 0x41n;
    m.program((a) => a.out(dx, al)).step();
    expect(m.written).toEqual([{ port: Number(m.state.gpr[2] & 0xffffn), bytes: 1, value: 0x41 }]);
  });
  it('INSB stores before the registers move, and a fault in its store reads no port', () => {
    const m = machine();
    m.mapPage(0x3000, 0n);
    m.ports.set(0x60, 0x5a);
    m.state.gpr[2] = 0x60n;
    m.state.gpr[7] = BigInt(AT.pages + 0x2fff);
    m.state.gpr[1] = 3n;
    m.program((a) => a.rep.insb());
    m.step(2);
    expect([m.lastException, m.state.gpr[1], m.state.gpr[7]]).toEqual(['#PF(0x2)', 2n, BigInt(AT.pages + 0x3000)]);
    expect(m.read64(AT.pages + 0x2ff8) >> 56n).toBe(0x5an);
    expect(m.stacked(1)).toBe(BigInt(AT.code));
  });
  it('REP OUTSB writes one byte per instruction boundary', () => {
    const m = machine();
    m.state.gpr[6] = BigInt(AT.data);
    m.write64(AT.data, 0x4342_4140n);
    m.state.gpr[1] = 3n;
    m.program((a) => { a.rep.outsb(); a.hlt(); });
    m.run();
    expect([m.written.map((w) => w.value), m.state.retired, m.state.gpr[6]]).toEqual([[0x40, 0x41, 0x42], 4, BigInt(AT.data + 3)]);
  });
  it('REP OUTSB with a count of 0 does nothing', () => {
    const m = machine().program((a) => a.rep.outsb());
    m.step();
    expect([m.lastException, m.written.length, m.state.rip]).toEqual(['none', 0, BigInt(AT.code + 2)]);
  });
  it.each(['insb', 'outsb'] as const)('REP %s must be permitted even with a count of 0, as on silicon (AMD EPYC)', (name) => {
    const m = machine().enterUser().program((a) => a.rep[name]());
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('the I/O permission bitmap', () => {
  const output = (port: number, width: 8 | 16, prepare: (m: SystemMachine) => void): string => {
    const m = machine();
    m.memory.write(physical(AT.tss + 102), 2, 0x68);
    for (let n = 0; n < 0x2000; n += 4) m.memory.write(physical(AT.tss + 0x68 + n), 4, 0xffff_ffff);
    prepare(m);
    m.enterUser();
    m.state.gpr[2] = BigInt(port);
    m.program((a) => (width === 8 ? a.out(dx, al) : a.out(dx, ax))).step();
    return m.lastException;
  };
  const allow = (m: SystemMachine, port: number): void => m.memory.write(physical(AT.tss + 0x68 + (port >> 3)), 1, 0xff & ~(1 << (port & 7)));
  it('forbids what its bits forbid', () => expect(output(0x3f8, 8, () => undefined)).toBe('#GP(0)'));
  it('allows what its bits allow', () => expect(output(0x3f8, 8, (m) => allow(m, 0x3f8))).toBe('none'));
  it('must allow every byte of the access', () => expect(output(0x3f8, 16, (m) => allow(m, 0x3f8))).toBe('#GP(0)'));
  it('must lie within the limit of the TSS', () => expect(output(0xfff8, 8, (m) => { allow(m, 0xfff8); m.state.limit[SEGMENT.TR] = 0x2000; })).toBe('#GP(0)'));
  it('is not asked at CPL within IOPL', () => {
    const m = machine().enterUser().program((a) => a.out(0x80, al));
    m.rflags = RFLAGS.IOPL | 2;
    m.step();
    expect(m.lastException).toBe('none');
  });
});

executesRows(SYSTEM_ROWS['calls-and-flags']);
