/** Segment registers, descriptor tables, and the checks of accesses through segments. */
import { describe, expect, it } from 'vitest';
import { at, ax, bx, cx, di, ds, dword, eax, ebx, ecx, es, fs, gs, qword, rax, rbx, rsp, ss, word } from '../../src/assembler/index.ts';
import { getFlag } from '../../src/cpu/flags.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { physical } from '../../src/state/addresses.ts';
import { ACCESS, AT, FLAGS, SEL, SystemMachine, gate, segment } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const machine = (mode: 64 | 32 = 64): SystemMachine => new SystemMachine(mode).gates();
const FREE = SEL.free;

/** The exception of `MOV sreg, selector`, or `none`. */
function loading(register: typeof ds | typeof ss | typeof fs, selector: number, options: { descriptor?: bigint; user?: boolean; mode?: 64 | 32 } = {}): string {
  const m = machine(options.mode);
  if (options.descriptor !== undefined) m.descriptor(selector, options.descriptor);
  if (options.user) m.enterUser(options.mode ?? 64);
  m.state.gpr[0] = BigInt(selector);
  m.program((a) => a.mov(register, ax));
  m.step();
  return m.lastException;
}

describe('loading DS, ES, FS or GS', () => {
  it('takes a null selector', () => expect(loading(ds, 3)).toBe('none'));
  it('takes data, and readable code', () => {
    expect(loading(ds, FREE, { descriptor: segment(ACCESS.readOnly, FLAGS.big) })).toBe('none');
    expect(loading(ds, FREE, { descriptor: segment(ACCESS.code, FLAGS.big) })).toBe('none');
  });
  it('of execute-only code is #GP(selector)', () => expect(loading(ds, FREE, { descriptor: segment(ACCESS.executeOnly, FLAGS.big) })).toBe('#GP(0x48)'));
  it('of a system segment is #GP(selector)', () => expect(loading(ds, FREE, { descriptor: segment(ACCESS.tss, 0) })).toBe('#GP(0x48)'));
  it('beyond the GDT is #GP(selector), without RPL in the error code', () => expect(loading(ds, 0x2003)).toBe('#GP(0x2000)'));
  it('from an LDT that is not loaded is #GP(selector)', () => expect(loading(ds, 0x0c)).toBe('#GP(0xc)'));
  it('of a more privileged segment is #GP(selector)', () => expect(loading(ds, SEL.data, { user: true })).toBe('#GP(0x10)'));
  it('with an RPL beyond DPL is #GP(selector)', () => expect(loading(ds, SEL.data | 1)).toBe('#GP(0x10)'));
  it('of conforming code asks for no privilege', () => expect(loading(ds, FREE | 3, { descriptor: segment(ACCESS.conforming, FLAGS.big), user: true })).toBe('none'));
  it('of a segment that is not present is #NP(selector)', () => expect(loading(ds, FREE, { descriptor: segment(ACCESS.data & ~0x80, FLAGS.big) })).toBe('#NP(0x48)'));
  it('sets the accessed bit in the table', () => {
    const m = machine();
    m.descriptor(FREE, segment(ACCESS.data & ~1, FLAGS.big));
    m.state.gpr[0] = BigInt(FREE);
    m.program((a) => a.mov(es, ax)).step();
    expect(Number((m.read64(AT.gdt + FREE) >> 40n) & 0xffn)).toBe(ACCESS.data);
  });
  it('that faults leaves the register as it was', () => {
    const m = machine();
    m.state.gpr[0] = BigInt(SEL.tss);
    m.program((a) => a.mov(ds, ax)).step();
    expect(m.selector(SEGMENT.DS)).toBe(SEL.data);
  });
  it('takes base and limit from the descriptor', () => {
    const m = machine();
    m.descriptor(FREE, segment(ACCESS.data, FLAGS.big, 0x123, 0x1234_5678));
    m.state.gpr[0] = BigInt(FREE);
    m.program((a) => a.mov(fs, ax)).step();
    expect(m.cpu.segment(SEGMENT.FS)).toEqual({ selector: FREE, attributes: ACCESS.data | 0xc000, limit: 0x12_3fff, base: 0x1234_5678n });
  });
});

describe('loading SS', () => {
  it('takes a null selector in 64-bit mode at CPL 0 when RPL is CPL', () => expect(loading(ss, 0)).toBe('none'));
  it('refuses a null selector with another RPL, at CPL 3, and in 32-bit mode', () => {
    expect(loading(ss, 1)).toBe('#GP(0)');
    expect(loading(ss, 3, { user: true })).toBe('#GP(0)');
    expect(loading(ss, 0, { mode: 32 })).toBe('#GP(0)');
  });
  it('refuses read-only data and code', () => {
    expect(loading(ss, FREE, { descriptor: segment(ACCESS.readOnly, FLAGS.big) })).toBe('#GP(0x48)');
    expect(loading(ss, FREE, { descriptor: segment(ACCESS.code, FLAGS.big) })).toBe('#GP(0x48)');
  });
  it('refuses an RPL or DPL that is not CPL', () => {
    expect(loading(ss, SEL.data | 3)).toBe('#GP(0x10)');
    expect(loading(ss, SEL.userData & ~3)).toBe('#GP(0x28)');
  });
  it('of a segment that is not present is #SS(selector)', () => expect(loading(ss, FREE, { descriptor: segment(ACCESS.data & ~0x80, FLAGS.big) })).toBe('#SS(0x48)'));
});

it('MOV to CS is #UD', () => {
  const m = machine();
  m.memory.copyIn(physical(AT.code), new Uint8Array([0x8e, 0xc8]));
  m.step();
  expect(m.lastException).toBe('#UD');
});

describe('MOV and PUSH of a segment register', () => {
  it('zero-extends to a 32- or 64-bit register and writes 16 bits to memory', () => {
    const m = machine();
    m.state.gpr.fill(0xffff_ffff_ffff_ffffn, 0, 4);
    m.write64(AT.data, 0xffff_ffff_ffff_ffffn);
    m.program((a) => { a.mov(eax, ds); a.mov(bx, ds); a.mov(word(AT.data), ds); a.push(fs); });
    m.step(4);
    expect([m.state.gpr[0], m.state.gpr[3], m.read64(AT.data), m.stacked(0)]).toEqual([0x10n, 0xffff_ffff_ffff_0010n, 0xffff_ffff_ffff_0010n, 0x10n]);
  });
  it('POP to a segment register moves the stack pointer only when the load succeeds', () => {
    const m = machine();
    m.program((a) => { a.push(SEL.tss); a.pop(gs); });
    m.step(2);
    expect(m.lastException).toBe('#GP(0x38)');
    expect(m.stacked(4)).toBe(BigInt(AT.kernelStack - 8));
  });
});

it('LSS loads SS and a 64-bit offset', () => {
  const m = machine();
  m.write64(AT.data, 0x1234_5678_9abcn);
  m.write64(AT.data + 8, BigInt(SEL.data));
  m.memory.copyIn(physical(AT.code), new Uint8Array([0x48, 0x0f, 0xb2, 0x24, 0x25, 0, 0, 4, 0]));
  m.step();
  expect([m.lastException, m.rsp, m.selector(SEGMENT.SS)]).toEqual(['none', 0x1234_5678_9abcn, SEL.data]);
});

describe('an access in 64-bit mode', () => {
  const reading = (offset: bigint, through: 'rbx' | 'rsp'): string => {
    const m = machine();
    m.gate(12, { ist: 1 });
    m.state.gpr[through === 'rbx' ? 3 : 4] = offset;
    m.program((a) => a.mov(rax, qword(through === 'rbx' ? rbx : rsp))).step();
    return m.lastException;
  };
  it('of a non-canonical address is #GP(0), through the stack #SS(0)', () => {
    expect(reading(0x8000_0000_0000n, 'rbx')).toBe('#GP(0)');
    expect(reading(0x8000_0000_0000n, 'rsp')).toBe('#SS(0)');
    expect(reading(0xffff_7fff_ffff_ffffn, 'rbx')).toBe('#GP(0)');
  });
  it('that only ends in the hole is refused too', () => {
    expect(reading(0x7fff_ffff_fff8n, 'rbx')).toBe('#PF(0)');
    expect(reading(0x7fff_ffff_fff9n, 'rbx')).toBe('#GP(0)');
  });
  it('ignores base and limit of DS, and adds the base of FS', () => {
    const m = machine();
    m.cpu.setSegment(SEGMENT.DS, { selector: 0, attributes: 0x1_0000, limit: 0, base: 0x1000n });
    m.state.base[SEGMENT.FS] = BigInt(AT.data) - 0x10n;
    m.state.limit[SEGMENT.FS] = 0;
    m.write64(AT.data, 42n);
    m.program((a) => { a.mov(rax, qword(AT.data)); a.mov(rbx, qword(0x10).in(fs)); });
    m.step(2);
    expect([m.state.gpr[0], m.state.gpr[3]]).toEqual([42n, 42n]);
  });
});

describe('an access in 32-bit mode', () => {
  /** The exception of reading or writing through ES with this segment. */
  const through = (descriptor: { access: number; flags?: number; limit?: number }, offset: number, how: 'read' | 'write' = 'read'): string => {
    const m = machine(32);
    const { access, flags = FLAGS.byte, limit = 0xfff } = descriptor;
    m.descriptor(FREE, segment(access, flags, limit, AT.data));
    m.state.gpr[1] = BigInt(FREE);
    m.state.gpr[3] = BigInt(offset);
    m.program((a) => {
      a.mov(es, cx);
      if (how === 'read') a.mov(eax, dword(ebx).in(es));
      else a.mov(dword(ebx).in(es), eax);
    });
    m.step(2);
    return m.lastException;
  };
  it('must lie within the limit with all its bytes', () => {
    expect(through({ access: ACCESS.data }, 0xffc)).toBe('none');
    expect(through({ access: ACCESS.data }, 0xffd)).toBe('#GP(0)');
  });
  it('must lie above the limit of an expand-down segment', () => {
    expect(through({ access: ACCESS.expandDown }, 0xfff)).toBe('#GP(0)');
    expect(through({ access: ACCESS.expandDown }, 0x1000)).toBe('none');
  });
  it('must not lie above 64 KiB in an expand-down segment whose B is clear', () => {
    expect(through({ access: ACCESS.expandDown, flags: 0 }, 0xfffc)).toBe('none');
    expect(through({ access: ACCESS.expandDown, flags: 0 }, 0xfffd)).toBe('#GP(0)');
  });
  it('must not write to read-only data or to code', () => {
    expect(through({ access: ACCESS.readOnly }, 0, 'write')).toBe('#GP(0)');
    expect(through({ access: ACCESS.code }, 0, 'write')).toBe('#GP(0)');
    expect(through({ access: ACCESS.code }, 0)).toBe('none');
  });
  it('through a null selector is #GP(0)', () => {
    const m = machine(32);
    m.state.gpr[1] = 0n;
    m.program((a) => { a.mov(es, cx); a.mov(eax, dword(AT.data).in(es)); });
    m.step(2);
    expect(m.lastException).toBe('#GP(0)');
  });
  it('adds the base and cuts the sum to 32 bits', () => {
    const m = machine(32);
    m.cpu.setSegment(SEGMENT.ES, { selector: SEL.data, attributes: ACCESS.data | 0xc000, limit: 0xffff_ffff, base: 0xffff_0000n });
    m.write64(AT.data, 7n);
    m.program((a) => a.mov(eax, dword(AT.data + 0x1_0000).in(es))).step();
    expect(m.state.gpr[0]).toBe(7n);
  });
});

describe('alignment checks', () => {
  const m = (cpl: 0 | 3): SystemMachine => {
    const x = machine();
    if (cpl === 3) x.enterUser();
    x.rflags = (1 << 18) | 2;
    return x.program((a) => a.mov(eax, dword(AT.data + 2)));
  };
  it('raise #AC(0) at CPL 3 with CR0.AM and RFLAGS.AC', () => {
    const x = m(3);
    x.step();
    expect(x.lastException).toBe('#AC(0)');
  });
  it('do not exist at CPL 0', () => {
    const x = m(0);
    x.step();
    expect(x.lastException).toBe('none');
  });
});

describe('LGDT and SGDT', () => {
  it('move ten bytes in 64-bit mode', () => {
    const m = machine();
    m.write64(AT.data, 0x5678_9abc_def0_0fffn);
    m.program((a) => { a.lgdt(at(AT.data)); a.sgdt(at(AT.data + 32)); });
    m.step(2);
    expect(m.state.gdtrBase).toBe(0x5678_9abc_def0n);
    expect([m.read64(AT.data + 32), m.read64(AT.data + 40) & 0xffffn]).toEqual([0x5678_9abc_def0_0fffn, 0n]);
  });
  it.each(['sgdt', 'sidt'] as const)('%s stores the limit first: where the page is missing, the fault is at its first byte', (name) => {
    const m = machine();
    m.mapPage(0x3000, 0n);
    m.program((a) => a[name](at(AT.pages + 0x3100))).step();
    expect([m.lastException, m.state.cr2]).toEqual(['#PF(0x2)', BigInt(AT.pages + 0x3100)]);
  });
  it('of a non-canonical base is #GP(0)', () => {
    const m = machine();
    m.write64(AT.data, 0x5678_9abc_def0_0fffn);
    m.write64(AT.data + 8, 0x8000n);
    m.program((a) => a.lidt(at(AT.data))).step();
    expect(m.lastException).toBe('#GP(0)');
  });
  it('at CPL 3: LGDT is #GP(0), SGDT is not', () => {
    const m = machine().enterUser().program((a) => { a.sgdt(at(AT.data)); a.lgdt(at(AT.data)); });
    m.step();
    expect(m.lastException).toBe('none');
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('LTR and LLDT', () => {
  const loaded = (what: 'ltr' | 'lldt', selector: number, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine => {
    const m = machine();
    prepare(m);
    m.state.gpr[0] = BigInt(selector);
    m.program((a) => a[what](ax)).step();
    return m;
  };
  it('LTR takes the 16-byte descriptor and marks it busy', () => {
    const m = loaded('ltr', FREE, (x) => x.descriptor(FREE, segment(ACCESS.tss, 0, 0x67, AT.tss), 0xffff_8000n));
    expect(m.cpu.segment(SEGMENT.TR)).toEqual({ selector: FREE, attributes: 0x8b, limit: 0x67, base: 0xffff_8000_0005_2000n });
    expect(Number((m.read64(AT.gdt + FREE) >> 40n) & 0xffn)).toBe(0x8b);
  });
  it('LTR refuses a busy TSS, a null selector and an LDT', () => {
    expect(loaded('ltr', FREE, (x) => x.descriptor(FREE, segment(0x8b, 0, 0x67), 0n)).lastException).toBe('#GP(0x48)');
    expect(loaded('ltr', 0).lastException).toBe('#GP(0)');
    expect(loaded('ltr', FREE, (x) => x.descriptor(FREE, segment(ACCESS.ldt, 0, 0x67), 0n)).lastException).toBe('#GP(0x48)');
  });
  it('LTR of a TSS that is not present is #NP(selector)', () => {
    expect(loaded('ltr', FREE, (x) => x.descriptor(FREE, segment(ACCESS.tss & ~0x80, 0, 0x67), 0n)).lastException).toBe('#NP(0x48)');
  });
  it('LLDT of a null selector makes the LDT unusable; of an LDT lets its segments be loaded', () => {
    const m = loaded('lldt', FREE, (x) => {
      x.descriptor(FREE, segment(ACCESS.ldt, 0, 15, AT.ldt), 0n);
      x.write64(AT.ldt + 8, segment(ACCESS.data, FLAGS.big));
    });
    m.state.gpr[0] = 0x0cn;
    m.program((a) => { a.mov(ds, ax); a.sldt(eax); a.str(ebx); });
    m.step(3);
    expect([m.selector(SEGMENT.DS), m.state.gpr[0], m.state.gpr[3]]).toEqual([0x0c, BigInt(FREE), BigInt(SEL.tss)]);
    expect(loaded('lldt', 0).cpu.segment(SEGMENT.LDTR).attributes).toBe(0x1_0000);
  });
});

describe('LAR, LSL, VERR, VERW', () => {
  const m = machine();
  m.descriptor(FREE, segment(ACCESS.readOnly, FLAGS.big, 0x12));
  m.descriptor(FREE + 8, gate(ACCESS.callGate, SEL.code64, 0), 0n);
  const ask = (selector: number, instruction: 'lar' | 'lsl' | 'verr' | 'verw'): [boolean, bigint] => {
    m.state.gpr[1] = BigInt(selector);
    m.state.gpr[0] = 0x55n;
    m.program((a) => {
      if (instruction === 'lar' || instruction === 'lsl') a[instruction](eax, ecx);
      else a[instruction](cx);
    }).step();
    return [getFlag(m.state, 'ZF'), m.state.gpr[0]];
  };
  it('LAR gives the access rights where they lie in the descriptor', () => expect(ask(FREE, 'lar')).toEqual([true, 0x00c0_9100n]));
  it('LSL gives the limit in bytes', () => expect(ask(FREE, 'lsl')).toEqual([true, 0x1_2fffn]));
  it('VERR and VERW tell readable from writable', () => expect([ask(FREE, 'verr')[0], ask(FREE, 'verw')[0]]).toEqual([true, false]));
  it('a call gate has rights but no limit', () => expect([ask(FREE + 8, 'lar')[0], ask(FREE + 8, 'lsl')]).toEqual([true, [false, 0x55n]]));
  it('an invisible descriptor clears ZF and leaves the register', () => {
    expect(ask(0, 'lar')).toEqual([false, 0x55n]);
    expect(ask(0x2000, 'lsl')).toEqual([false, 0x55n]);
    expect(ask(FREE | 3, 'lar')).toEqual([false, 0x55n]);
  });
});

it('ARPL raises RPL to that of the source', () => {
  const m = machine(32);
  m.state.gpr[0] = 0x10n;
  m.state.gpr[7] = 0x23n;
  m.program((a) => { a.arpl(ax, di); a.arpl(ax, di); });
  m.step();
  expect([m.state.gpr[0], getFlag(m.state, 'ZF')]).toEqual([0x13n, true]);
  m.step();
  expect([m.state.gpr[0], getFlag(m.state, 'ZF')]).toEqual([0x13n, false]);
});

executesRows(SYSTEM_ROWS.segments);
