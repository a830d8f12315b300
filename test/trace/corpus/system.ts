/**
 * System instructions and exceptions in 64-bit and compatibility mode: each probe may fault, and the handler goes on
 * behind it. What a probe did shows in the registers of every instruction, and in the log at the end.
 */
import {
  al, at, ax, type Assembler, byte, cr0, cr3, cr4, cr8, cx, dr0, dr6, dr7, ds, dword, dx, eax, ebx, ecx, edx, es, far, far32, far64, fs, gs, label, qword, r8, r11, rax, rbx, rcx, rdx, rsi, rsp, ss, word,
} from '../../../src/assembler/index.ts';
import { DATA, LAST_SELECTOR, RESUME, SELECTOR, STACK_TOP } from './world.ts';

/** User code runs on a stack of its own, in the same two pages. */
const USER_STACK = STACK_TOP - 0x800;
const MSR = { EFER: 0xc000_0080, STAR: 0xc000_0081, LSTAR: 0xc000_0082, CSTAR: 0xc000_0083, SFMASK: 0xc000_0084, FS_BASE: 0xc000_0100, GS_BASE: 0xc000_0101, KERNEL_GS_BASE: 0xc000_0102, PAT: 0x277, SYSENTER_CS: 0x174 } as const;
const CR4_FSGSBASE = 0x1_0000;
const NOT_CANONICAL = 0x8000_0000_0000n;

/** Emits code that may fault. */
export function probe(a: Assembler, code: () => void): void {
  const next = a.fresh('probe');
  a.mov(qword(RESUME), label(next));
  code();
  a.label(next);
}

/** Emits code that runs at CPL 3 and ends with #UD, if nothing before faults. */
export function userProbe(a: Assembler, code: () => void, options: { flags?: number; bits?: 32 | 64 } = {}): void {
  probe(a, () => {
    const start = a.fresh('user');
    a.mov(rax, label(start));
    a.push(SELECTOR.userData);
    a.push(USER_STACK);
    a.push(options.flags ?? 2);
    a.push(options.bits === 32 ? SELECTOR.userCode32 : SELECTOR.userCode64);
    a.push(rax);
    a.iretq();
    a.label(start);
    a.bits(options.bits ?? 64);
    code();
    a.ud2();
    a.bits(64);
  });
}

export function wrmsr(a: Assembler, msr: number, value: bigint): void {
  a.mov(ecx, msr);
  a.mov(eax, Number(value & 0xffff_ffffn));
  a.mov(edx, Number(value >> 32n));
  a.wrmsr();
}

export function systemBody(a: Assembler): void {
  exceptions(a);
  addressFaults(a);
  segmentLoads(a);
  segmentQueries(a);
  controlRegisters(a);
  modelSpecificRegisters(a);
  baseInstructions(a);
  privilege(a);
  farTransfers(a);
  systemCalls(a);
  debugging(a);
  doubleFaults(a);
}

function exceptions(a: Assembler): void {
  probe(a, () => a.ud2());
  probe(a, () => a.int3());
  // INT1 is not tried: QEMU 7.2 takes it for an undefined opcode.
  // Not those whose stub expects an error code: INT n pushes none.
  for (const vector of [0, 3, 0x31, 0x3f, 0x40, 0xff]) probe(a, () => a.int(vector));
  probe(a, () => { a.xor(ecx, ecx); a.div(ecx); });
  probe(a, () => { a.mov(rax, -1); a.mov(edx, 5); a.mov(ecx, 5); a.div(rcx); });
  probe(a, () => { a.mov(eax, 0x8000_0000); a.cdq(); a.mov(ecx, -1); a.idiv(ecx); });
  for (const bytes of [[0x06], [0x0e], [0x27], [0x60], [0x82, 0xc0, 1], [0x9a], [0xce], [0xd4, 10], [0xd6], [0xea], [0x0f, 0x0a], [0xf0, 0x90], [0xf0, 0x01, 0xc8], [0x8c, 0xf0], [0x0f, 0x20, 0xc8]]) {
    probe(a, () => a.bytes(Uint8Array.from(bytes)));
  }
  // Longer than 15 bytes.
  probe(a, () => a.bytes(Uint8Array.from([...Array.from({ length: 15 }, () => 0x66), 0x90])));
}

function addressFaults(a: Assembler): void {
  a.mov(rbx, NOT_CANONICAL);
  probe(a, () => a.mov(rax, qword(rbx)));
  probe(a, () => a.mov(qword(rbx), rax));
  // Through RSP and RBP it would be #SS(0); QEMU raises #GP(0) there too, so those are tested without it.
  // Alignment.
  probe(a, () => { a.mov(rbx, DATA + 0x801); a.lock.cmpxchg16b(at(rbx)); });
}

/** Every selector into every segment register, in the kernel and in user mode. Nothing is accessed through them: QEMU checks neither null selectors nor limits. */
function segmentLoads(a: Assembler): void {
  const registers = [ds, es, fs, gs, ss] as const;
  for (let selector = 0; selector <= LAST_SELECTOR; selector += 8) {
    for (const rpl of [0, 3]) {
      for (const register of registers) {
        // QEMU accepts a null SS whatever its RPL; SDM Vol. 2B, "MOV—Move": #GP(0) unless RPL is CPL.
        if (register !== ss || (selector | rpl) !== 3) probe(a, () => { a.mov(eax, selector | rpl); a.mov(register, ax); });
      }
      a.mov(eax, SELECTOR.data);
      a.mov(ss, ax);
    }
  }
  for (let selector = 0; selector <= LAST_SELECTOR; selector += 8) {
    for (const register of [ds, gs, ss] as const) {
      userProbe(a, () => { a.mov(eax, selector | 3); a.mov(register, ax); });
      userProbe(a, () => { a.mov(eax, selector | 3); a.mov(register, ax); }, { bits: 32 });
    }
  }
  probe(a, () => { a.push(SELECTOR.data); a.pop(fs); a.push(fs); a.pop(rax); });
  probe(a, () => { a.mov(dword(DATA), 0x1234); a.mov(word(DATA + 4), SELECTOR.userData); a.lgs(ebx, far32(DATA)); });
}

/** Returns to user mode make null what user mode may not use. */
function reloadData(a: Assembler): void {
  a.mov(eax, SELECTOR.data);
  for (const register of [ds, es, fs, gs]) a.mov(register, ax);
}

function segmentQueries(a: Assembler): void {
  for (let selector = 0; selector <= LAST_SELECTOR + 8; selector += 8) {
    for (const rpl of [0, 3]) {
      a.mov(ecx, selector | rpl);
      a.mov(eax, 0x5555);
      a.lar(eax, ecx);
      a.lsl(rdx, rcx);
      a.verr(cx);
      a.verw(cx);
    }
  }
  a.sldt(eax);
  a.str(rdx);
  a.smsw(ax);
  a.smsw(rcx);
  a.sgdt(at(DATA));
  a.sidt(at(DATA + 16));
  a.mov(rax, qword(DATA + 2));
  for (const selector of [0, SELECTOR.data, SELECTOR.tss, SELECTOR.code64, LAST_SELECTOR + 8]) {
    // QEMU loads a null TR; SDM Vol. 2A, "LTR—Load Task Register": #GP(0).
    if (selector !== 0) probe(a, () => { a.mov(eax, selector); a.ltr(ax); });
    probe(a, () => { a.mov(eax, selector); a.lldt(ax); });
  }
}

function controlRegisters(a: Assembler): void {
  const restore = (): void => { a.mov(cr0, r8); };
  a.mov(r8, cr0);
  // Only values that are allowed: QEMU checks none of the conditions for #GP(0).
  for (const value of [0x8001_0033n, 0x8005_0033n, 0xe001_0013n, 0x8000_0011n]) {
    probe(a, () => { a.mov(rax, value); a.mov(cr0, rax); a.mov(rcx, cr0); });
    restore();
  }
  probe(a, () => { a.mov(ax, 0xe); a.lmsw(ax); a.smsw(ecx); a.clts(); a.mov(rcx, cr0); });
  restore();
  a.mov(r8, cr4);
  // Only values that are allowed: QEMU 7.2 lets PAE be cleared in IA-32e mode, and hangs at a reserved bit when it counts instructions.
  for (const value of [0x20n, 0xa0n, 0x2a0n, 0x6a0n]) {
    probe(a, () => { a.mov(rax, value); a.mov(cr4, rax); a.mov(rcx, cr4); });
    a.mov(cr4, r8);
  }
  a.mov(r8, cr3);
  a.mov(cr3, r8);
  for (const value of [0, 5, 15]) probe(a, () => { a.mov(eax, value); a.mov(cr8, rax); a.mov(rcx, cr8); });
  a.xor(eax, eax);
  a.mov(cr8, rax);
  a.invlpg(at(DATA));
  a.wbinvd();
}

/** No value that is refused: QEMU 7.2 raises no #GP(0) for an MSR that is not there or an address that is not canonical. */
function modelSpecificRegisters(a: Assembler): void {
  const read = (msr: number): void => probe(a, () => { a.mov(ecx, msr); a.rdmsr(); });
  const write = (msr: number, value: bigint): void => probe(a, () => wrmsr(a, msr, value));
  for (const msr of [MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE, MSR.LSTAR, MSR.CSTAR]) {
    write(msr, 0xffff_8000_1234_5678n);
    read(msr);
    write(msr, 0n);
  }
  write(MSR.STAR, 0x0023_0010_0000_0000n);
  read(MSR.STAR);
  write(MSR.PAT, 0x0007_0406_0007_0406n);
  read(MSR.PAT);
  write(MSR.EFER, 0x500n);
  write(MSR.EFER, 0xd01n);
  read(MSR.EFER);
  a.swapgs();
  a.swapgs();
  a.mov(rax, 0x1122_3344n);
  a.push(0x20020);
  a.cpuid();
  a.rdtsc();
  a.rdtscp();
}

/**
 * RDFSBASE and its kin: not defined until CR4.FSGSBASE, then for every privilege level. No INVPCID: QEMU 7.2 has neither it nor PCID.
 * All addresses are canonical: QEMU does not check.
 */
function baseInstructions(a: Assembler): void {
  const reads: readonly (() => void)[] = [() => a.rdfsbase(rax), () => a.rdfsbase(ecx), () => a.rdgsbase(rbx), () => a.rdgsbase(edx)];
  const writes: readonly (() => void)[] = [() => a.wrfsbase(rax), () => a.wrgsbase(rbx), () => a.wrfsbase(ecx), () => a.wrgsbase(edx)];
  const all = (): void => {
    a.mov(rax, 0xffff_8765_4321_0000n);
    a.mov(rbx, 0x7fff_8888_9990n);
    a.mov(rcx, -0x1234_5678);
    a.mov(rdx, 0x5555_8888_7777n);
  };
  for (const code of [...reads, ...writes]) probe(a, code);
  a.mov(rax, cr4);
  a.or(eax, CR4_FSGSBASE);
  a.mov(cr4, rax);
  for (const write of writes) {
    probe(a, () => { all(); write(); for (const read of reads) read(); });
    userProbe(a, () => { all(); write(); for (const read of reads) read(); });
  }
  // In compatibility mode they are not defined: 0F AE with a register.
  userProbe(a, () => a.bytes(Uint8Array.of(0xf3, 0x0f, 0xae, 0xc0)), { bits: 32 });
  a.mov(rax, cr4);
  a.and(eax, ~CR4_FSGSBASE);
  a.mov(cr4, rax);
}

/** What user mode may and may not. */
function privilege(a: Assembler): void {
  const forbidden: readonly (() => void)[] = [
    () => a.hlt(), () => a.cli(), () => a.sti(), () => a.clts(), () => a.wbinvd(), () => a.swapgs(), () => a.invlpg(at(DATA)),
    () => { a.mov(rax, cr0); }, () => { a.mov(cr3, rax); }, () => { a.mov(rax, dr7); }, () => a.lgdt(at(DATA)), () => a.lidt(at(DATA)), () => a.ltr(ax), () => a.lldt(ax),
    () => { a.mov(ecx, MSR.EFER); a.rdmsr(); }, () => a.in(al, 0x80), () => { a.mov(dx, 0x80); a.out(dx, eax); }, () => a.sysretq(),
    () => { a.mov(rsi, DATA); a.outsb(); },
  ];
  for (const code of forbidden) userProbe(a, code);
  // IOPL 3 gives CLI, STI and all ports.
  for (const code of [() => a.cli(), () => a.sti(), () => { a.mov(dx, 0x80); a.out(dx, eax); }]) userProbe(a, code, { flags: 0x3002 });
  const allowed: readonly (() => void)[] = [
    () => { a.sgdt(at(DATA)); a.sidt(at(DATA)); a.sldt(eax); a.str(eax); a.smsw(eax); },
    () => { a.push(0x24_7fd7); a.popfq(); a.pushfq(); a.pop(rax); },
    () => a.int(0x30), () => a.int3(),
  ];
  for (const code of allowed) userProbe(a, code);
  for (const flags of [0x3002, 0x2, 0x24_4ed7]) userProbe(a, () => { a.pushfq(); a.pop(rax); a.push(0x24_7ed7); a.popfq(); a.pushfq(); a.pop(rcx); }, { flags });
  // No #AC: QEMU does not know alignment checks.
}

function farTransfers(a: Assembler): void {
  reloadData(a);
  // To compatibility mode and back, with a far JMP.
  const compatibility = a.fresh('compatibility'), back = a.fresh('back'), farPlace = DATA + 0x100;
  const farTarget = (name: string, selector: number): void => {
    a.mov(rax, label(name));
    a.mov(qword(farPlace), rax);
    a.mov(word(farPlace + 4), selector);
  };
  farTarget(compatibility, SELECTOR.code32);
  a.jmp(far32(farPlace));
  a.label(compatibility);
  a.bits(32);
  a.mov(eax, 0x1234_5678);
  a.inc(eax);
  a.push(eax);
  a.pop(ecx);
  a.mov(ebx, dword(DATA));
  a.jmp(far(SELECTOR.code64, back));
  a.bits(64);
  a.label(back);
  // Far CALL and RETF, in three operand sizes.
  const callee = a.fresh('callee'), after = a.fresh('after');
  a.mov(rax, label(callee));
  a.mov(qword(farPlace + 16), rax);
  a.mov(word(farPlace + 24), SELECTOR.code64);
  a.mov(rbx, farPlace + 16);
  a.call(far64(rbx));
  a.jmp(after);
  a.label(callee);
  a.retfq();
  a.label(after);
  // Selectors, most of which a far transfer refuses; not the one with L and D, which QEMU accepts.
  for (const selector of [0, SELECTOR.data, SELECTOR.tss, SELECTOR.userCode64, 0x60, 0x68, 0x70, LAST_SELECTOR + 8]) {
    const target = a.fresh('far');
    a.mov(rax, label(target));
    a.mov(qword(farPlace + 16), rax);
    probe(a, () => { a.mov(word(farPlace + 24), selector); a.jmp(far64(rbx)); });
    probe(a, () => { a.push(selector); a.push(rax); a.retfq(); });
    a.label(target);
    a.mov(rsp, STACK_TOP);
  }
  // IRETQ that is refused, and IRETQ that stays.
  for (const [selector, flags] of [[0, 2], [SELECTOR.data, 2], [SELECTOR.userCode64, 2], [SELECTOR.code64, 0x4002]] as const) {
    probe(a, () => {
      const target = a.fresh('iret');
      a.mov(rax, label(target));
      for (const value of [SELECTOR.data, STACK_TOP, flags, selector]) a.push(value);
      a.push(rax);
      a.iretq();
      a.label(target);
    });
    a.mov(rsp, STACK_TOP);
  }
  // NT set: IRETQ would be a return from a nested task.
  probe(a, () => { a.push(0x4002); a.popfq(); a.iretq(); });
  a.push(2);
  a.popfq();
}

function systemCalls(a: Assembler): void {
  const entry = a.fresh('syscall_entry'), done = a.fresh('syscall_done');
  wrmsr(a, MSR.STAR, BigInt(SELECTOR.code64) << 32n | BigInt(SELECTOR.code32 | 3) << 48n);
  a.mov(rax, label(entry));
  a.mov(edx, 0);
  a.mov(ecx, MSR.LSTAR);
  a.wrmsr();
  wrmsr(a, MSR.SFMASK, 0x4_4700n);
  a.jmp(done);
  a.label(entry);
  a.mov(eax, 0x77);
  a.inc(r8);
  a.sysretq();
  a.label(done);
  userProbe(a, () => { a.syscall(); a.mov(rbx, rcx); a.mov(rdx, r11); a.syscall(); }, { flags: 0x202 });
  // SYSRET with a 32-bit operand goes to compatibility mode, whatever lies above 4 GiB in RCX.
  for (const flags of [0x202n, 0x24_7ed7n]) {
    probe(a, () => {
      const there = a.fresh('compatibility');
      a.mov(rcx, label(there));
      a.mov(r11, 0x7_0000_0000n);
      a.or(rcx, r11);
      a.mov(r11, flags);
      a.sysret();
      a.label(there);
      a.bits(32);
      a.pushfd();
      a.pop(eax);
      a.inc(ebx);
      // Not SYSCALL: QEMU executes it here, as AMD's processors do.
      a.ud2();
      a.bits(64);
    });
  }
  // Without EFER.SCE they are not defined.
  a.mov(ecx, MSR.EFER);
  a.rdmsr();
  a.and(eax, ~1);
  a.wrmsr();
  userProbe(a, () => a.syscall());
  probe(a, () => a.sysretq());
  a.mov(ecx, MSR.EFER);
  a.rdmsr();
  a.or(eax, 1);
  a.wrmsr();
  userProbe(a, () => a.sysenter());
  probe(a, () => a.sysexit());
}

function debugging(a: Assembler): void {
  // The handler clears TF: one trap each.
  probe(a, () => { a.push(0x102); a.popfq(); a.nop(); a.nop(); });
  probe(a, () => { a.push(0x102); a.popfq(); a.mov(eax, SELECTOR.data); a.mov(ss, ax); a.nop(); });
  a.push(2);
  a.popfq();
  // Breakpoint 0 on a write, then on an instruction.
  a.mov(eax, DATA);
  a.mov(dr0, rax);
  a.mov(eax, 0x1_0401);
  a.mov(dr7, rax);
  probe(a, () => { a.mov(byte(DATA), al); a.nop(); });
  a.mov(rax, dr6);
  const place = a.fresh('breakpoint');
  a.mov(rax, label(place));
  a.mov(dr0, rax);
  a.mov(eax, 0x401);
  a.mov(dr7, rax);
  probe(a, () => { a.nop(); a.label(place); a.nop(); });
  a.mov(rax, dr6);
  a.mov(eax, 0x400);
  a.mov(dr7, rax);
  a.xor(eax, eax);
  a.mov(dr6, rax);
}

/** An exception whose gate is beyond the IDT's limit, while another is delivered. */
function doubleFaults(a: Assembler): void {
  a.sidt(at(DATA));
  a.movzx(ecx, word(DATA));
  // Vectors 0-13: #PF has no gate, so delivering it is #GP, and that after #PF is #DF.
  a.mov(word(DATA), 14 * 16 - 1);
  a.lidt(at(DATA));
  a.mov(rbx, 0x7000_0000);
  probe(a, () => a.mov(rax, qword(rbx)));
  a.mov(word(DATA), cx);
  a.lidt(at(DATA));
}
