/**
 * Exceptions that the manual wants and QEMU 7.2 (TCG) does not raise: no comparison with it can show them. Each says where
 * the manual has it and which tests judge it instead. A law (golden.test.ts) holds the list against reality: the tests
 * exist, and no recording has an exception of the kind, so that an entry goes when QEMU learns it.
 */
import type { Instruction } from '../../../src/cpu/isa/instruction.ts';

/** An exception in a recording: what the instruction was that raised it. */
export interface Raised { readonly vector: number; readonly instruction: Instruction; readonly cpl: number; readonly wide: boolean }

export interface NotRaised {
  readonly cause: string;
  readonly citation: string;
  /** Files under test/ and the titles of their tests. */
  readonly judgedBy: Readonly<Record<string, readonly string[]>>;
  readonly isIt: (r: Raised) => boolean;
}

const SS = 12, GP = 13, AC = 17, XM = 19;
const ordinaryMemory = ({ vector, instruction: { row, operands } }: Raised): boolean =>
  (vector === GP || vector === SS) && row.meaning.kind === 'translated' && ['MOV', 'ADD', 'PUSH', 'POP'].includes(row.mnemonic) && (row.mnemonic === 'PUSH' || row.mnemonic === 'POP' || operands.some((x) => x.kind === 'memory'));

export const NOT_RAISED: readonly NotRaised[] = [
  {
    cause: '#AC of an unaligned access', citation: 'SDM Vol. 3A, "Interrupt 17—Alignment Check Exception (#AC)"',
    judgedBy: { 'isa/silicon.test.ts': ['raise #AC as they do on'], 'system/segments.test.ts': ['raise #AC(0) at CPL 3 with CR0.AM and RFLAGS.AC'] },
    isIt: (r) => r.vector === AC,
  },
  {
    cause: '#GP or #SS of an access beyond a segment\'s limit, against its type or through a null selector, outside 64-bit mode', citation: 'SDM Vol. 3A, "Limit Checking", "Type Checking", "Null Segment Selector Checking"',
    judgedBy: { 'system/segments.test.ts': ['must lie within the limit with all its bytes', 'must lie above the limit of an expand-down segment', 'must not write to read-only data or to code', 'through a null selector is #GP(0)'] },
    isIt: (r) => !r.wide && ordinaryMemory(r),
  },
  {
    cause: '#SS of a stack address that is not canonical (QEMU: #GP)', citation: 'SDM Vol. 1, "Canonical Addressing"; Vol. 3A, "Interrupt 12—Stack Fault Exception (#SS)"',
    judgedBy: { 'system/segments.test.ts': ['of a non-canonical address is #GP(0), through the stack #SS(0)'] },
    isIt: (r) => r.wide && r.vector === SS && ordinaryMemory(r),
  },
  {
    cause: '#GP of a value that MOV to CR0, CR3, CR4 or CR8 refuses', citation: 'SDM Vol. 2B, "MOV—Move to/from Control Registers"',
    judgedBy: { 'system/registers.test.ts': ['refuses PG without PE', 'refuses NW without CD', 'refuses to end paging in 64-bit mode', 'refuses address bits beyond MAXPHYADDR', 'refuses bits that no announced feature has', 'refuses to clear PAE in IA-32e mode', 'CR8 has four bits'] },
    isIt: (r) => r.vector === GP && r.cpl === 0 && r.wide && r.instruction.operands[0]?.kind === 'control',
  },
  {
    cause: '#GP of an MSR that does not exist or a value that it refuses, in 64-bit mode', citation: 'SDM Vol. 2D, "WRMSR—Write to Model Specific Register"',
    judgedBy: { 'system/registers.test.ts': ['that do not exist are #GP(0)', 'of addresses must be canonical', 'PAT takes only memory types'] },
    isIt: (r) => r.vector === GP && r.cpl === 0 && (r.instruction.mnemonic === 'WRMSR' || r.instruction.mnemonic === 'RDMSR'),
  },
  {
    cause: '#GP of INVPCID', citation: 'SDM Vol. 2A, "INVPCID—Invalidate Process-Context Identifier"',
    judgedBy: { 'system/registers.test.ts': ['INVPCID refuses unknown types, reserved bits, and a PCID without CR4.PCIDE'] },
    isIt: (r) => r.vector === GP && r.instruction.mnemonic === 'INVPCID',
  },
  {
    cause: '#XM', citation: 'SDM Vol. 3A, "Interrupt 19—SIMD Floating-Point Exception (#XM)"',
    judgedBy: { 'system/sse.test.ts': ['is #XM, without an error code', 'sets its flag and leaves the register as it was'] },
    isIt: (r) => r.vector === XM,
  },
  {
    cause: '#DB of INT1', citation: 'SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure"',
    judgedBy: { 'system/delivery.test.ts': ['INT1 passes a gate of DPL 0 from CPL 3'] },
    isIt: (r) => r.vector === 1 && r.instruction.mnemonic === 'INT1',
  },
];
