/** What system instructions do, in a line each: those of the processor itself. `MOV segment`: MOV to a segment register. SDM Vol. 2, each instruction's "Operation". */
import type { SystemText } from './text.ts';

/** Far transfers end in another task where the selector is a task gate's or a TSS's: then every register is another. */
const far = (says: string): SystemText => [says, '{0} gdtr ldtr memory', 'all'];
const TO_SEGMENT = (name: string): SystemText => [`${name.toUpperCase()} with its descriptor, and {0} ← the far pointer at {1}`, '{1} gdtr ldtr memory', `{0} ${name}`];
const INPUT: SystemText = ['the element at ES:rDI ← the port in DX, and rDI goes on by it; with REP rCX times', 'rdx rdi rcx es DF', 'memory rdi? rcx?'];
const OUTPUT: SystemText = ['the port in DX ← the element at DS:rSI, and rSI goes on by it; with REP rCX times', 'rdx rsi rcx ds DF memory', 'port rsi? rcx?'];
const STORE: SystemText = ['{0} ← the x87, SSE and further state that EDX:EAX and XCR0 choose', '{0} rax rdx xcr0 x87 xmm mxcsr pkru', 'memory'];
const RESTORE: SystemText = ['the x87, SSE and further state that EDX:EAX and XCR0 choose ← {0}; what the image leaves out becomes as at the beginning', '{0} rax rdx xcr0', 'x87 xmm mxcsr pkru'];
const RANDOM: SystemText = ['{0} ← a random number; CF ← 1 where there is one', '', '{0} CF OF SF ZF AF PF'];
const POP_FLAGS: SystemText = ['RFLAGS ← the top of the stack, as far as CPL and IOPL allow; the stack shrinks', 'rsp ss memory rflags', 'rflags rsp'];
const PUSH_FLAGS: SystemText = ['the stack grows by RFLAGS, without RF and VM', 'rsp ss rflags', 'memory rsp'];
const RETURN_FAR: SystemText = ['RIP and CS ← the top of the stack; to an outer ring RSP and SS as well', '{0} rsp ss memory gdtr ldtr', 'rip cs rsp ss ds es fs gs'];

export const PROCESSOR: Readonly<Record<string, SystemText>> = {
  'MOV': ['{0} ← {1}', '{1}', '{0}'],
  'MOV segment': ['{0} with its descriptor ← the selector {1}', '{1} gdtr ldtr memory', '{0}'],
  'MOV control': ['{0} ← {1}; modes, paging and TLBs follow', '{1}', '{0} TLB'],
  PUSH: ['the stack grows by {0}', '{0} rsp ss', 'memory rsp'],
  POP: ['{0} with its descriptor ← the top of the stack; the stack shrinks', 'rsp ss memory gdtr ldtr', '{0} rsp'],
  LDS: TO_SEGMENT('ds'), LES: TO_SEGMENT('es'), LFS: TO_SEGMENT('fs'), LGS: TO_SEGMENT('gs'), LSS: TO_SEGMENT('ss'),
  LGDT: ['limit and base of GDTR ← {0}', '{0}', 'gdtr'],
  LIDT: ['limit and base of IDTR ← {0}', '{0}', 'idtr'],
  SGDT: ['{0} ← limit and base of GDTR', 'gdtr', '{0}'],
  SIDT: ['{0} ← limit and base of IDTR', 'idtr', '{0}'],
  LLDT: ['LDTR ← the LDT descriptor that {0} selects in the GDT', '{0} gdtr memory', 'ldtr'],
  LTR: ['TR ← the TSS descriptor that {0} selects in the GDT, which is busy then', '{0} gdtr memory', 'tr memory'],
  SLDT: ['{0} ← the selector in LDTR', 'ldtr', '{0}'],
  STR: ['{0} ← the selector in TR', 'tr', '{0}'],
  LAR: ['if the descriptor that {1} selects may be looked at: {0} ← its attributes, ZF ← 1; otherwise ZF ← 0', '{1} gdtr ldtr memory', '{0}? ZF'],
  LSL: ['if the descriptor that {1} selects may be looked at: {0} ← its limit in bytes, ZF ← 1; otherwise ZF ← 0', '{1} gdtr ldtr memory', '{0}? ZF'],
  VERR: ['ZF ← whether the segment that {0} selects can be read', '{0} gdtr ldtr memory', 'ZF'],
  VERW: ['ZF ← whether the segment that {0} selects can be written', '{0} gdtr ldtr memory', 'ZF'],
  ARPL: ['if the RPL of {0} is less than that of {1}: it becomes that, ZF ← 1; otherwise ZF ← 0', '{0} {1}', '{0}? ZF'],

  JMP: far('CS and RIP ← {0}, or another task'),
  CALL: far('CS and RIP go onto the stack and become {0}, through a call gate on the stack of its ring; or another task'),
  RETF: RETURN_FAR, RETFW: RETURN_FAR, RETFQ: RETURN_FAR,
  IRET: far('RIP, CS and RFLAGS ← the top of the stack, to an outer ring RSP and SS as well; with NT the task before'),
  IRETD: far('RIP, CS and RFLAGS ← the top of the stack, to an outer ring RSP and SS as well; with NT the task before'),
  IRETQ: ['RIP, CS, RFLAGS, RSP and SS ← the top of the stack', 'rsp ss memory gdtr ldtr', 'rip cs rflags rsp ss ds es fs gs'],
  INT: far('through gate {0} of the IDT: SS, RSP, RFLAGS, CS and RIP go onto its stack, CS and RIP become its own'),
  INT3: far('#BP, through gate 3 of the IDT'),
  INTO: ['if OF: #OF, through gate 4 of the IDT', 'OF idtr', 'all'],
  INT1: far('#DB, through gate 1 of the IDT'),
  SYSCALL: ['RCX ← the next RIP, R11 ← RFLAGS; RIP ← IA32_LSTAR, CS and SS ← IA32_STAR[47:32], RFLAGS without the bits of IA32_FMASK; ring 0', 'rflags star lstar cstar fmask efer', 'rcx r11 rip cs ss rflags'],
  SYSRET: ['RIP ← ECX, RFLAGS ← R11, CS and SS ← IA32_STAR[63:48]; ring 3, 32-bit code', 'rcx r11 star efer', 'rip cs ss rflags'],
  SYSRETQ: ['RIP ← RCX, RFLAGS ← R11, CS and SS ← IA32_STAR[63:48]; ring 3, 64-bit code', 'rcx r11 star efer', 'rip cs ss rflags'],
  SYSENTER: ['RIP ← IA32_SYSENTER_EIP, RSP ← IA32_SYSENTER_ESP, CS and SS ← IA32_SYSENTER_CS, IF ← 0; ring 0', 'sysenter_cs sysenter_esp sysenter_eip', 'rip rsp cs ss rflags'],
  SYSEXIT: ['RIP ← EDX, RSP ← ECX, CS and SS ← IA32_SYSENTER_CS and what follows it; ring 3, 32-bit code', 'rcx rdx sysenter_cs', 'rip rsp cs ss'],
  SYSEXITQ: ['RIP ← RDX, RSP ← RCX, CS and SS ← IA32_SYSENTER_CS and what follows it; ring 3, 64-bit code', 'rcx rdx sysenter_cs', 'rip rsp cs ss'],
  SWAPGS: ['the base of GS and IA32_KERNEL_GS_BASE change places', 'gs_base k_gs_base', 'gs_base k_gs_base'],

  LMSW: ['bits 3:0 of CR0 ← {0}, but PE is not cleared', '{0} cr0', 'cr0'],
  SMSW: ['{0} ← CR0', 'cr0', '{0}'],
  CLTS: ['CR0.TS ← 0', 'cr0', 'cr0'],
  INVLPG: ['the TLBs forget the page of {0}, under this PCID and global', '{0} cr3', 'TLB'],
  INVPCID: ['the TLBs forget, by the type in {0}: an address, a PCID, or all; {1} says which', '{0} {1}', 'TLB'],
  INVD: ['the caches forget what they hold', '', ''],
  WBINVD: ['the caches are written back and forget what they hold', '', ''],
  RDMSR: ['EDX:EAX ← the model-specific register that ECX names', 'rcx msrs', 'rax rdx'],
  WRMSR: ['the model-specific register that ECX names ← EDX:EAX', 'rax rcx rdx', 'msrs'],
  RDFSBASE: ['{0} ← the base of FS', 'fs_base', '{0}'], RDGSBASE: ['{0} ← the base of GS', 'gs_base', '{0}'],
  WRFSBASE: ['the base of FS ← {0}', '{0}', 'fs_base'], WRGSBASE: ['the base of GS ← {0}', '{0}', 'gs_base'],
  CPUID: ['EAX, EBX, ECX, EDX ← what leaf EAX, subleaf ECX says of the processor', 'rax rcx', 'rax rbx rcx rdx'],
  RDTSC: ['EDX:EAX ← the time-stamp counter', 'tsc cr4', 'rax rdx'],
  RDTSCP: ['EDX:EAX ← the time-stamp counter, ECX ← IA32_TSC_AUX', 'tsc tsc_aux cr4', 'rax rcx rdx'],
  RDPID: ['{0} ← IA32_TSC_AUX', 'tsc_aux', '{0}'],
  RDPKRU: ['EAX ← PKRU, EDX ← 0', 'rcx pkru', 'rax rdx'],
  WRPKRU: ['PKRU ← EAX', 'rax rcx rdx', 'pkru'],
  RDRAND: RANDOM, RDSEED: RANDOM,
  RDPMC: ['EDX:EAX ← the performance counter that ECX names', 'rcx cr4', 'rax rdx'],
  XGETBV: ['EDX:EAX ← the extended control register that ECX names', 'rcx xcr0', 'rax rdx'],
  XSETBV: ['the extended control register that ECX names ← EDX:EAX', 'rax rcx rdx', 'xcr0'],

  PUSHF: PUSH_FLAGS, PUSHFD: PUSH_FLAGS, PUSHFQ: PUSH_FLAGS,
  POPF: POP_FLAGS, POPFD: POP_FLAGS, POPFQ: POP_FLAGS,
  CLI: ['IF ← 0: maskable interrupts wait', 'rflags', 'IF'],
  STI: ['IF ← 1: maskable interrupts are taken, after the next instruction', 'rflags', 'IF'],
  CLAC: ['AC ← 0: with SMAP the supervisor cannot use user pages', '', 'AC'],
  STAC: ['AC ← 1: the supervisor can use user pages in spite of SMAP', '', 'AC'],
  HLT: ['the processor waits for an interrupt', 'IF', ''],
  MONITOR: ['the line at DS:rAX is watched for MWAIT', 'rax rcx rdx ds', ''],
  MWAIT: ['the processor waits for an interrupt, or for a store to the line that MONITOR named', 'rax rcx', ''],
  INSB: INPUT, INSW: INPUT, INSD: INPUT, OUTSB: OUTPUT, OUTSW: OUTPUT, OUTSD: OUTPUT,

  FXSAVE: ['{0} ← x87 and SSE state', 'x87 xmm mxcsr', 'memory'], FXSAVE64: ['{0} ← x87 and SSE state, pointers of 64 bits', 'x87 xmm mxcsr', 'memory'],
  FXRSTOR: ['x87 and SSE state ← {0}', '{0}', 'x87 xmm mxcsr'], FXRSTOR64: ['x87 and SSE state ← {0}, pointers of 64 bits', '{0}', 'x87 xmm mxcsr'],
  XSAVE: STORE, XSAVE64: STORE, XSAVEOPT: STORE, XSAVEOPT64: STORE, XSAVEC: STORE, XSAVEC64: STORE, XSAVES: STORE, XSAVES64: STORE,
  XRSTOR: RESTORE, XRSTOR64: RESTORE, XRSTORS: RESTORE, XRSTORS64: RESTORE,
};
