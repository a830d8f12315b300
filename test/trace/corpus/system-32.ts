/**
 * System instructions and exceptions in 32-bit protected mode: segments of all kinds, gates, four ways between privilege
 * levels, stacks from the TSS, the I/O permission bitmap. A probe may fault; the handler goes on behind it.
 */
import {
  al, type Assembler, at, ax, byte, cr0, cr2, cr3, cr4, cx, dr0, dr6, dr7, ds, dword, dx, eax, ebp, ebx, ecx, edi, edx, es, esi, esp, far, far32, fs, gs, label, ss, word,
} from '../../../src/assembler/index.ts';
import { DATA, GATES, STACK_TOP } from './world.ts';
import { FREE_PORTS, LDT_SELECTOR, MAPPED_PORTS, probe, selector, SELECTORS, SPECIAL_GATES, TASKS, USER_STACK, userProbe, type SegmentName } from './world-32.ts';

const MSR = { SYSENTER_CS: 0x174, SYSENTER_ESP: 0x175, SYSENTER_EIP: 0x176 } as const;
const ALL = [...SELECTORS, ...Object.values(LDT_SELECTOR)];

export function system32Body(a: Assembler): void {
  exceptions(a);
  segmentLoads(a);
  segmentQueries(a);
  interrupts(a);
  farTransfers(a);
  callGates(a);
  returns(a);
  innerStacks(a);
  privilege(a);
  ports(a);
  fastCalls(a);
  debugging(a);
  doubleFault(a);
}

function exceptions(a: Assembler): void {
  probe(a, () => a.ud2());
  probe(a, () => a.int3());
  for (const vector of [0, 3, 4, 0x31, 0x3f]) probe(a, () => a.int(vector));
  probe(a, () => { a.mov(al, 0x7f); a.add(al, 1); a.into(); });
  probe(a, () => { a.xor(eax, eax); a.into(); });
  probe(a, () => { a.xor(ecx, ecx); a.div(ecx); });
  probe(a, () => { a.mov(eax, 0x8000_0000); a.cdq(); a.mov(ecx, -1); a.idiv(ecx); });
  probe(a, () => a.aam(0));
  a.mov(dword(DATA), -5);
  a.mov(dword(DATA + 4), 5);
  for (const index of [-6, -5, 0, 5, 6]) probe(a, () => { a.mov(eax, index); a.bound(eax, at(DATA)); a.bound(ax, at(DATA)); });
  userProbe(a, () => { a.mov(eax, 9); a.bound(eax, at(DATA)); });
  userProbe(a, () => { a.mov(al, 0x7f); a.add(al, 1); a.into(); });
  for (const bytes of [[0x0f, 0x0a], [0xf0, 0x90], [0xf0, 0x01, 0xc8], [0x8c, 0xf0], [0x8e, 0xc8], [0x0f, 0x20, 0xc8], [0x0f, 0x21, 0xe0], [0x0f, 0x05], [0x0f, 0x07]]) {
    probe(a, () => a.bytes(Uint8Array.from(bytes)));
  }
  probe(a, () => a.bytes(Uint8Array.from([...Array.from({ length: 15 }, () => 0x66), 0x90])));
}

/** Every selector into every segment register, from the kernel and from user mode. Nothing is accessed through them: QEMU checks neither null selectors nor limits. */
function segmentLoads(a: Assembler): void {
  const restore = (): void => {
    a.mov(eax, selector('data0'));
    a.mov(ss, ax);
    a.mov(eax, selector('data3'));
    a.mov(ds, ax);
    a.mov(es, ax);
  };
  for (const base of ALL) for (const rpl of [0, 1, 3]) {
    for (const register of [ds, es, fs, gs, ss] as const) {
      probe(a, () => { a.mov(eax, base | rpl); a.mov(register, ax); });
      restore();
    }
  }
  for (const base of ALL) {
    for (const register of [ds, ss] as const) {
      userProbe(a, () => { a.mov(eax, base | 3); a.mov(register, ax); });
      userProbe(a, () => { a.mov(eax, base | 1); a.mov(register, ax); }, { cpl: 1 });
    }
    // Far pointers, and POP, which leaves ESP where it was when it faults.
    a.mov(dword(DATA), 0x1234);
    a.mov(word(DATA + 4), base);
    probe(a, () => a.les(ebx, far32(DATA)));
    probe(a, () => a.lfs(ecx, far32(DATA)));
    restore();
    probe(a, () => { a.push(base); a.pop(gs); });
    a.mov(esp, STACK_TOP);
  }
  for (const base of [0, selector('data0'), selector('tss'), selector('tssBusy'), selector('tssAbsent'), selector('ldt'), selector('ldtAbsent'), selector('toKernel'), LDT_SELECTOR.data3, SELECTORS.at(-1)!]) {
    // QEMU loads a null TR; SDM Vol. 2A, "LTR—Load Task Register": #GP(0).
    if (base !== 0) probe(a, () => { a.mov(eax, base); a.ltr(ax); });
    probe(a, () => { a.mov(eax, base); a.lldt(ax); });
  }
  a.mov(eax, selector('ldt'));
  a.lldt(ax);
}

function segmentQueries(a: Assembler): void {
  const queries = (value: number): void => {
    a.mov(ecx, value);
    a.mov(eax, 0x5555);
    a.lar(eax, ecx);
    a.lsl(edx, ecx);
    a.verr(cx);
    a.verw(cx);
  };
  for (const base of ALL) for (const rpl of [0, 3]) queries(base | rpl);
  userProbe(a, () => { for (const base of ALL) queries(base | 3); });
  for (const [x, y] of [[0x10, 0x13], [0x13, 0x10]] as const) { a.mov(eax, x); a.mov(ecx, y); a.arpl(ax, cx); }
  a.sldt(eax);
  a.str(edx);
  a.smsw(ecx);
  a.sgdt(at(DATA));
  a.sidt(at(DATA + 8));
}

/** INT n through every kind of gate, from three privilege levels. */
function interrupts(a: Assembler): void {
  for (let n = 0; n <= SPECIAL_GATES.length; n++) {
    probe(a, () => a.int(GATES + n));
    userProbe(a, () => a.int(GATES + n));
    userProbe(a, () => a.int(GATES + n), { cpl: 1 });
  }
}

function farTransfers(a: Assembler): void {
  // Not those that switch tasks.
  for (const base of ALL.filter((one) => !TASKS.includes(one))) {
    for (const rpl of [0, 3]) {
      const target = a.fresh('far');
      a.mov(dword(DATA + 0x100), label(target));
      a.mov(word(DATA + 0x104), base | rpl);
      // QEMU raises #GP where a gate leads to a segment that is not present; SDM Vol. 2A, "JMP—Jump": #NP.
      if (base !== selector('toAbsent')) {
        probe(a, () => a.jmp(far(base | rpl, target)));
        probe(a, () => a.jmp(far32(DATA + 0x100)));
      }
      // QEMU does not compare what RETF and IRET pop with the limit.
      if (base !== selector('codeSmall')) probe(a, () => { a.push(base | rpl); a.push(label(target)); a.retf(); });
      a.label(target);
      a.jmp(far(selector('code0'), `${target}.back`));
      a.label(`${target}.back`);
      a.mov(esp, STACK_TOP);
    }
    // QEMU does not compare the offset in a gate with the limit.
    if (base === selector('toSmall')) continue;
    const callee = a.fresh('callee'), after = a.fresh('after');
    probe(a, () => a.call(far(base, callee)));
    a.jmp(after);
    a.label(callee);
    a.pop(eax);
    a.pop(ecx);
    a.push(selector('code0'));
    a.push(eax);
    a.retf();
    a.label(after);
    a.mov(esp, STACK_TOP);
    userProbe(a, () => {
      const there = a.fresh('there');
      a.jmp(far(base | 3, there));
      a.label(there);
    });
  }
}

function callGates(a: Assembler): void {
  const gates: readonly SegmentName[] = ['toKernel', 'toKernel3', 'toOne2', 'toConforming', 'gateAbsent', 'gatePrivileged', 'toNull', 'toNothing', 'toData', 'toAbsent', 'toUser'];
  for (const target of [...gates.map((name) => selector(name)), LDT_SELECTOR.gate]) {
    for (const cpl of [3, 1] as const) for (const rpl of [0, 3]) {
      userProbe(a, () => {
        for (const parameter of [0x11, 0x22, 0x33]) a.push(parameter);
        a.call(far(target | rpl, 0));
        a.mov(eax, esp);
        a.jmp(far(target | rpl, 0));
      }, { cpl });
    }
  }
}

/** RETF and IRET to every code and stack segment. */
function returns(a: Assembler): void {
  const codes: readonly SegmentName[] = ['code0', 'code1', 'code3', 'codeConforming', 'codeExecuteOnly', 'codeAbsent', 'data0', 'tssBusy', 'toKernel'];
  // No stack that is right but absent: QEMU raises #NP for it; SDM Vol. 2B, "RET—Return From Procedure": #SS.
  const stacks: readonly SegmentName[] = ['data0', 'data1', 'data3', 'dataReadOnly', 'code3', 'dataAbsent'];
  const target = (code: number, stack: number, interrupt: boolean): void => probe(a, () => {
    const there = a.fresh('there');
    a.push(stack);
    a.push(USER_STACK);
    if (interrupt) a.push(0x3002);
    a.push(code);
    a.push(label(there));
    if (interrupt) a.iretd();
    else a.retf();
    a.label(there);
    a.ud2();
  });
  for (const interrupt of [false, true]) {
    for (const name of codes) for (const rpl of [0, 1, 3]) target(selector(name) | rpl, selector('data3') | rpl, interrupt);
    for (const name of stacks) for (const rpl of [0, 1, 3]) target(selector('code3') | 3, selector(name) | rpl, interrupt);
    target(selector('code3') | 3, 0, interrupt);
    target(SELECTORS.at(-1)!, selector('data0'), interrupt);
    target(LDT_SELECTOR.code3 | 3, LDT_SELECTOR.data3 | 3, interrupt);
    userProbe(a, () => {
      a.push(selector('code0'));
      a.push(0);
      if (interrupt) a.iretd();
      else a.retf();
    });
  }
  // The data segments of the inner level become null.
  probe(a, () => {
    a.mov(eax, selector('data0'));
    a.mov(ds, ax);
    a.mov(fs, ax);
    a.mov(eax, selector('codeConforming'));
    a.mov(gs, ax);
    const there = a.fresh('there');
    for (const value of [selector('data3') | 3, USER_STACK, selector('code3') | 3]) a.push(value);
    a.push(label(there));
    a.retf();
    a.label(there);
    a.ud2();
  });
}

/** Stacks in the TSS that a change of privilege level refuses. */
function innerStacks(a: Assembler): void {
  const change = (): void => userProbe(a, () => { a.push(1); a.push(2); a.call(far(selector('toOne2') | 3, 0)); });
  const bad: readonly number[] = [
    0, 1, selector('data1'), selector('data0') | 1, selector('data1ReadOnly') | 1, selector('dataAbsent') | 1, selector('code1') | 1, SELECTORS.at(-1)! | 1, selector('tss') | 1, LDT_SELECTOR.data3,
  ];
  for (const value of bad) {
    a.mov(word('tss_32', 16), value);
    change();
  }
  // None that is right but absent: QEMU raises #TS for it; SDM Vol. 2A, "CALL—Call Procedure": #SS.
  a.mov(word('tss_32', 16), selector('data1') | 1);
  change();
  // A TSS that ends before the stack of level 1.
  a.mov(eax, selector('tssSmall'));
  a.ltr(ax);
  change();
  a.and(byte('gdt_32', selector('tss') + 5), 0xfd);
  a.mov(eax, selector('tss'));
  a.ltr(ax);
  change();
}

function privilege(a: Assembler): void {
  const forbidden: readonly (() => void)[] = [
    () => a.hlt(), () => a.cli(), () => a.sti(), () => a.clts(), () => a.wbinvd(), () => a.invlpg(at(DATA)), () => { a.mov(eax, cr0); }, () => { a.mov(cr3, eax); },
    () => { a.mov(eax, dr7); }, () => a.lgdt(at(DATA)), () => a.lidt(at(DATA)), () => a.ltr(ax), () => a.lldt(ax), () => a.lmsw(ax), () => { a.mov(ecx, 0x174); a.rdmsr(); }, () => a.sysexit(),
  ];
  for (const code of forbidden) for (const cpl of [1, 3] as const) userProbe(a, code, { cpl });
  for (const flags of [0x2, 0x1002, 0x3002, 0x24_4ed7]) for (const cpl of [1, 3] as const) {
    userProbe(a, () => { a.pushfd(); a.pop(eax); a.push(0x24_7ed7); a.popfd(); a.pushfd(); a.pop(ecx); a.cli(); a.sti(); }, { flags, cpl });
  }
  userProbe(a, () => { a.sgdt(at(DATA)); a.sidt(at(DATA)); a.sldt(eax); a.str(eax); a.smsw(eax); });
  a.mov(ebx, cr0);
  for (const value of [0x8_0000_003n, 0x5_0033n, 0x1_0011n]) probe(a, () => { a.mov(eax, Number(value & 0x7fff_ffffn)); a.mov(cr0, eax); a.mov(ecx, cr0); });
  a.mov(cr0, ebx);
  probe(a, () => { a.mov(ax, 0xe); a.lmsw(ax); a.smsw(ecx); a.clts(); a.mov(ecx, cr0); });
  a.mov(cr0, ebx);
  a.mov(eax, 0x1234);
  a.mov(cr2, eax);
  a.mov(ecx, cr2);
  a.mov(ebx, cr4);
  a.mov(cr4, ebx);
}

/** OUT from user mode, with the I/O permission bitmap of the TSS. */
function ports(a: Assembler): void {
  for (const port of [FREE_PORTS - 1, FREE_PORTS, FREE_PORTS + 4, FREE_PORTS + 5, FREE_PORTS + 7, FREE_PORTS + 8, MAPPED_PORTS - 8, MAPPED_PORTS, 0x7fff]) {
    for (const out of [() => a.out(dx, al), () => a.out(dx, ax), () => a.out(dx, eax)]) userProbe(a, () => { a.mov(edx, port); a.xor(eax, eax); out(); });
  }
  userProbe(a, () => { a.mov(edx, FREE_PORTS); a.mov(esi, DATA); a.mov(ecx, 3); a.rep.outsb(); });
  userProbe(a, () => { a.mov(edx, FREE_PORTS + 8); a.mov(esi, DATA); a.mov(ecx, 3); a.rep.outsb(); });
  userProbe(a, () => { a.mov(edx, 0x7fff); a.out(dx, eax); }, { flags: 0x3002 });
}

function fastCalls(a: Assembler): void {
  const write = (msr: number, value: number | string): void => {
    a.mov(ecx, msr);
    if (typeof value === 'string') a.mov(eax, label(value));
    else a.mov(eax, value);
    a.xor(edx, edx);
    a.wrmsr();
  };
  const entry = a.fresh('entry'), user = a.fresh('user'), done = a.fresh('done');
  a.jmp(done);
  a.label(entry);
  a.mov(ebp, esp);
  a.mov(edx, label(user));
  a.mov(ecx, USER_STACK);
  a.sysexit();
  a.label(user);
  a.mov(edi, esp);
  a.ud2();
  a.label(done);
  userProbe(a, () => a.sysenter());
  probe(a, () => a.sysexit());
  write(MSR.SYSENTER_CS, selector('code0'));
  write(MSR.SYSENTER_ESP, STACK_TOP - 64);
  write(MSR.SYSENTER_EIP, entry);
  for (const msr of Object.values(MSR)) { a.mov(ecx, msr); a.rdmsr(); }
  for (const flags of [2, 0x202, 0x3246]) userProbe(a, () => a.sysenter(), { flags });
  probe(a, () => a.sysenter());
  // Not with 3 in it: QEMU looks at the RPL too; SDM Vol. 2B, "SYSENTER—Fast System Call": #GP(0) if bits 15:2 are 0.
  write(MSR.SYSENTER_CS, 0);
}

function debugging(a: Assembler): void {
  // The handler clears TF: one trap each.
  probe(a, () => { a.push(0x102); a.popfd(); a.nop(); a.nop(); });
  probe(a, () => { a.push(0x102); a.popfd(); a.mov(eax, selector('data0')); a.mov(ss, ax); a.nop(); });
  userProbe(a, () => a.nop(), { flags: 0x102 });
  userProbe(a, () => a.int(GATES), { flags: 0x102 });
  a.mov(eax, DATA);
  a.mov(dr0, eax);
  a.mov(eax, 0x1_0401);
  a.mov(dr7, eax);
  probe(a, () => { a.mov(byte(DATA), al); a.nop(); });
  a.mov(eax, dr6);
  const place = a.fresh('breakpoint');
  a.mov(eax, label(place));
  a.mov(dr0, eax);
  a.mov(eax, 0x401);
  a.mov(dr7, eax);
  probe(a, () => { a.nop(); a.label(place); a.nop(); });
  a.mov(eax, 0x400);
  a.mov(dr7, eax);
  a.xor(eax, eax);
  a.mov(dr6, eax);
}

/** #GP whose gate leads nowhere. */
function doubleFault(a: Assembler): void {
  a.mov(word('idt_32', 13 * 8 + 2), selector('data0'));
  probe(a, () => a.int(GATES + 1));
  userProbe(a, () => a.hlt());
  a.mov(word('idt_32', 13 * 8 + 2), selector('code0'));
}
