/**
 * The system rows that the tests of each file here execute. The end of a file holds its line against what ran
 * (test/support/rows-executed.ts), a law in test/isa/meta.test.ts holds all of them against the table.
 */
export const SYSTEM_ROWS = {
  'calls-and-flags': [
    'CLI = FA', 'HLT = F4', 'IN AL, imm8 = E4 ib', 'IN AX, imm8 = E5 ib', 'IN EAX, imm8 = E5 ib', 'INSB = 6C', 'OUT DX, AL = EE',
    'OUT imm8, AL = E6 ib', 'OUTSB = 6E', 'POPF = 9D', 'POPFQ = 9D', 'PUSHFQ = 9C', 'SYSCALL = 0F 05', 'SYSENTER = 0F 34', 'SYSEXITQ = REX.W 0F 35',
    'SYSRET = 0F 07', 'SYSRETQ = REX.W 0F 07',
  ],
  delivery: [
    'INT imm8 = CD ib', 'INT1 = F1', 'INT3 = CC', 'IRETQ = REX.W CF',
  ],
  events: [
    'CLI = FA', 'HLT = F4', 'IN AL, imm8 = E4 ib', 'INT imm8 = CD ib', 'IRETQ = REX.W CF', 'MOV DRn, r64 = 0F 23 /r', 'MOV Sreg, r/m16 = 8E /r',
    'MOV r64, DRn = 0F 21 /r', 'OUTSB = 6E', 'POPFQ = 9D', 'STI = FB',
  ],
  'every-row': [
    'CLAC = NP 0F 01 CA', 'IN AL, DX = EC', 'IN AX, DX = ED', 'IN EAX, DX = ED', 'INSD = 6D', 'INSW = 6D', 'INTO = CE', 'INVD = 0F 08',
    'INVPCID r32, m128 = 66 0F 38 82 /r', 'JMP m16:32 = FF /5', 'LAR r16, r/m16 = 0F 02 /r', 'LAR r64, r64/m16 = REX.W 0F 02 /r',
    'LDS r16, m16:16 = C5 /r', 'LDS r32, m16:32 = C5 /r', 'LES r16, m16:16 = C4 /r', 'LES r32, m16:32 = C4 /r', 'LFS r16, m16:16 = 0F B4 /r',
    'LFS r32, m16:32 = 0F B4 /r', 'LFS r64, m16:64 = REX.W 0F B4 /r', 'LGDT m16&32 = 0F 01 /2', 'LGS r16, m16:16 = 0F B5 /r',
    'LGS r32, m16:32 = 0F B5 /r', 'LGS r64, m16:64 = REX.W 0F B5 /r', 'LIDT m16&32 = 0F 01 /3', 'LIDT m16&64 = 0F 01 /3', 'LSL r16, r/m16 = 0F 03 /r',
    'LSL r64, r64/m16 = REX.W 0F 03 /r', 'LSS r16, m16:16 = 0F B2 /r', 'LSS r32, m16:32 = 0F B2 /r', 'MOV DRn, r32 = 0F 23 /r',
    'MOV r32, CRn = 0F 20 /r', 'MOV r32, DRn = 0F 21 /r', 'MOV r64, CRn = 0F 20 /r', 'MOV r64/m16, Sreg = REX.W 8C /r', 'OUT DX, AX = EF',
    'OUT DX, EAX = EF', 'OUT imm8, AX = E7 ib', 'OUT imm8, EAX = E7 ib', 'OUTSD = 6F', 'OUTSW = 6F', 'POP DS = 1F', 'POP ES = 07', 'POP FS = 0F A1',
    'POP GS = 0F A9', 'POP SS = 17', 'POPFD = 9D', 'PUSH CS = 0E', 'PUSH DS = 1E', 'PUSH ES = 06', 'PUSH GS = 0F A8', 'PUSH SS = 16', 'PUSHF = 9C',
    'PUSHFD = 9C', 'RDFSBASE r32 = F3 0F AE /0', 'RDGSBASE r32 = F3 0F AE /1', 'RDGSBASE r64 = F3 REX.W 0F AE /1', 'RDPMC = 0F 33', 'RETF = CB',
    'SGDT m16&32 = 0F 01 /0', 'SIDT m16&32 = 0F 01 /1', 'SIDT m16&64 = 0F 01 /1', 'SLDT r/m16 = 0F 00 /0', 'SLDT r64/m16 = REX.W 0F 00 /0',
    'SMSW r/m16 = 0F 01 /4', 'SMSW r64/m16 = REX.W 0F 01 /4', 'STAC = NP 0F 01 CB', 'STR r/m16 = 0F 00 /1', 'STR r64/m16 = REX.W 0F 00 /1',
    'SYSEXIT = 0F 35', 'WBINVD = 0F 09', 'WRFSBASE r32 = F3 0F AE /2', 'WRGSBASE r32 = F3 0F AE /3', 'WRGSBASE r64 = F3 REX.W 0F AE /3',
  ],
  'far-transfers': [
    'CALL m16:16 = FF /3', 'CALL m16:32 = FF /3', 'CALL m16:64 = REX.W FF /3', 'CALL ptr16:16 = 9A cd', 'CALL ptr16:32 = 9A cp', 'HLT = F4',
    'IRET = CF', 'IRETD = CF', 'IRETQ = REX.W CF', 'JMP m16:16 = FF /5', 'JMP m16:64 = REX.W FF /5', 'JMP ptr16:16 = EA cd', 'JMP ptr16:32 = EA cp',
    'MOV CRn, r32 = 0F 22 /r', 'RETF imm16 = CA iw', 'RETFQ = REX.W CB', 'RETFQ imm16 = REX.W CA iw', 'RETFW = CB', 'RETFW imm16 = CA iw',
    'WRMSR = 0F 30',
  ],
  'task-switch': [
    'CALL ptr16:32 = 9A cp', 'HLT = F4', 'INT imm8 = CD ib', 'IRET = CF', 'IRETD = CF', 'JMP ptr16:32 = EA cp',
  ],
  'virtual-8086': [
    'CLI = FA', 'IN AL, DX = EC', 'INT imm8 = CD ib', 'INT3 = CC', 'IRET = CF', 'IRETD = CF', 'JMP ptr16:16 = EA cd', 'MOV Sreg, r/m16 = 8E /r',
    'POPF = 9D', 'PUSHF = 9C',
  ],
  'real-mode': [
    'CALL ptr16:16 = 9A cd', 'HLT = F4', 'INT imm8 = CD ib', 'INT3 = CC', 'IRET = CF', 'IRETD = CF', 'JMP m16:16 = FF /5', 'JMP ptr16:16 = EA cd',
    'LIDT m16&32 = 0F 01 /3', 'MOV CRn, r32 = 0F 22 /r', 'MOV Sreg, r/m16 = 8E /r', 'MOV r32, CRn = 0F 20 /r', 'RETFW imm16 = CA iw',
  ],
  random: [
    'RDPID r32 = F3 0F C7 /7', 'RDPID r64 = F3 0F C7 /7', 'RDRAND r16 = NFx 0F C7 /6', 'RDRAND r32 = NFx 0F C7 /6', 'RDRAND r64 = NFx REX.W 0F C7 /6',
    'RDSEED r16 = NFx 0F C7 /7', 'RDSEED r32 = NFx 0F C7 /7', 'RDSEED r64 = NFx REX.W 0F C7 /7',
  ],
  'five-level-paging': [
    'INVPCID r64, m128 = 66 0F 38 82 /r', 'LGDT m16&64 = 0F 01 /2', 'MOV CRn, r32 = 0F 22 /r', 'MOV CRn, r64 = 0F 22 /r', 'SYSRETQ = REX.W 0F 07', 'WRGSBASE r64 = F3 REX.W 0F AE /3', 'WRMSR = 0F 30',
  ],
  monitor: [
    'CPUID = 0F A2', 'MONITOR = NP 0F 01 C8', 'MWAIT = NP 0F 01 C9', 'WRMSR = 0F 30',
  ],
  'virtual-interrupts': [
    'CLI = FA', 'INT imm8 = CD ib', 'INT3 = CC', 'IRET = CF', 'IRETD = CF', 'MOV CRn, r32 = 0F 22 /r', 'POPF = 9D', 'PUSHF = 9C', 'STI = FB',
  ],
  'protection-keys': [
    'CPUID = 0F A2', 'MOV CRn, r64 = 0F 22 /r', 'RDPKRU = NP 0F 01 EE', 'WRPKRU = NP 0F 01 EF', 'XGETBV = NP 0F 01 D0', 'XRSTOR m = NP 0F AE /5',
    'XSAVE m = NP 0F AE /4', 'XSAVEC m = NP 0F C7 /4', 'XSETBV = NP 0F 01 D1',
  ],
  umip: [
    'MOV CRn, r64 = 0F 22 /r', 'SGDT m16&64 = 0F 01 /0', 'SIDT m16&64 = 0F 01 /1', 'SLDT r32/m16 = 0F 00 /0', 'SMSW r32/m16 = 0F 01 /4', 'STR r32/m16 = 0F 00 /1',
  ],
  registers: [
    'CLTS = 0F 06', 'CPUID = 0F A2', 'INVLPG m = 0F 01 /7', 'INVPCID r64, m128 = 66 0F 38 82 /r', 'LMSW r/m16 = 0F 01 /6', 'MOV CRn, r64 = 0F 22 /r',
    'RDFSBASE r64 = F3 REX.W 0F AE /0', 'RDMSR = 0F 32', 'RDPMC = 0F 33', 'RDTSC = 0F 31', 'RDTSCP = 0F 01 F9', 'SMSW r32/m16 = 0F 01 /4',
    'SWAPGS = 0F 01 F8', 'WRFSBASE r64 = F3 REX.W 0F AE /2', 'WRMSR = 0F 30',
  ],
  segments: [
    'ARPL r/m16, r16 = 63 /r', 'LAR r32, r32/m16 = 0F 02 /r', 'LGDT m16&64 = 0F 01 /2', 'LLDT r/m16 = 0F 00 /2', 'LSL r32, r32/m16 = 0F 03 /r',
    'LSS r64, m16:64 = REX.W 0F B2 /r', 'LTR r/m16 = 0F 00 /3', 'MOV Sreg, r/m16 = 8E /r', 'MOV r/m16, Sreg = 8C /r', 'MOV r32/m16, Sreg = 8C /r',
    'PUSH FS = 0F A0', 'SGDT m16&64 = 0F 01 /0', 'SLDT r32/m16 = 0F 00 /0', 'STR r32/m16 = 0F 00 /1', 'VERR r/m16 = 0F 00 /4',
    'VERW r/m16 = 0F 00 /5',
  ],
  xsave: [
    'CPUID = 0F A2', 'XGETBV = NP 0F 01 D0', 'XRSTOR m = NP 0F AE /5', 'XRSTOR64 m = NP REX.W 0F AE /5', 'XSAVE m = NP 0F AE /4', 'XSAVE64 m = NP REX.W 0F AE /4',
    'XSAVEC m = NP 0F C7 /4', 'XSAVEC64 m = NP REX.W 0F C7 /4', 'XSAVEOPT m = NP 0F AE /6', 'XSAVEOPT64 m = NP REX.W 0F AE /6', 'XSETBV = NP 0F 01 D1',
    'XSAVES m = NP 0F C7 /5', 'XSAVES64 m = NP REX.W 0F C7 /5', 'XRSTORS m = NP 0F C7 /3', 'XRSTORS64 m = NP REX.W 0F C7 /3', 'RDMSR = 0F 32', 'WRMSR = 0F 30',
  ],
  // Only ordinary ones.
  sse: [],
} as const;
