/** A batch of random programs beside a real QEMU, instruction by instruction; a failure as text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVERY_FEATURE } from '../../src/cpu/models.ts';
import { physical } from '../../src/state/addresses.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import type { Difference } from '../../src/trace/compare.ts';
import { runLockstep } from '../../src/trace/lockstep.ts';
import { differenceReport, pageReport } from '../../src/trace/report.ts';
import { FIELD } from '../../src/trace/state.ts';
import type { Stepper } from '../../src/trace/stepper.ts';
import { EXCLUDED } from '../trace/corpus/rows.ts';
import { BareBoard } from '../trace/support/bare-board.ts';
import { MEMORY_BYTES, programsImage, VARIABLE } from './image.ts';
import type { ProgramMode } from './modes.ts';
import type { Program } from './program.ts';
import { pasteable, shrink } from './shrink.ts';

/** Rows that QEMU cannot judge in random programs, and why. */
const NOT_FOR_QEMU: readonly { readonly applies: (row: Row, mode: ProgramMode) => boolean; readonly why: string }[] = [
  ...EXCLUDED.filter(({ why }) => /silicon cases|QEMU/.test(why)).map(({ applies, why }) => ({ applies: (row: Row, mode: ProgramMode): boolean => applies(row, mode.bits === 64 ? 64 : 32), why })),
  { applies: (row) => row.operands.some((x) => x.kind === 'fpu') || row.feature === 'fpu' || /^F(?!S|G)[A-Z0-9]/.test(row.mnemonic), why: 'x87 registers are not in the log of QEMU' },
  { applies: (row, { bits }) => bits === 16 && (row.encoding.vex !== undefined || row.mnemonic === 'MOVBE' || row.mnemonic === 'CRC32'), why: 'QEMU 7.2 decodes VEX prefixes, and the operand size of MOVBE and CRC32, in 16-bit code as in 32-bit code' },
  { applies: (row) => /^(INVPCID|RDPID|RDPMC|INT1|SERIALIZE|SYSENTER|SYSEXIT|MONITOR|MWAIT|X[SR]|XGETBV)/.test(row.mnemonic), why: 'QEMU 7.2 (TCG) does not have it, or not as the SDM says' },
  { applies: (row) => /^(RC|RO|S[HA])[LR]D? .*CL$/.test(row.text), why: 'after a shift or rotate by CL that faults QEMU 7.2 takes the next result for one of another width: SF of the handler\'s DEC is wrong' },
  { applies: (row) => /^RC[LR] /.test(row.text), why: 'QEMU 7.2 has flags of its own for the state in which RCL and RCR fault: SDM Vol. 3A, "Program or Task Continuity", it is that before the instruction' },
  { applies: (row) => /^CL(FLUSH|FLUSHOPT|WB|DEMOTE)$/.test(row.mnemonic), why: 'QEMU does nothing for it; SDM Vol. 2A, "CLFLUSH": all permission checks of a byte load' },
  { applies: (row) => /^BLS(I|R|MSK)$/.test(row.mnemonic), why: 'QEMU 7.2 has CF of these wrong (SDM Vol. 2A, "BLSI": set if the source is not 0)' },
  { applies: (row, { bits }) => bits === 16 && /^(J|CALL|RET|LOOP)/.test(row.mnemonic) && row.size === 32, why: 'QEMU does not compare a branch target with the limit of CS' },
];
export const judgedByQemu = (row: Row, mode: ProgramMode): boolean => !NOT_FOR_QEMU.some(({ applies }) => applies(row, mode));

/** A batch must end, even one with a program that runs away. */
const LIMIT = 60_000;

export interface Beside {
  readonly failure: string | undefined;
  readonly compared: number;
  /** Number of the program that ran last. */
  readonly last: number;
  /** The difference is one that QEMU always has. */
  readonly known: boolean;
}
/** Differences that QEMU always has. `text`: the instruction's, its bytes where it is none. `reason`: why our last exception was raised. */
const KNOWN: readonly { readonly why: string; applies(difference: Difference, text: string, reason: string): boolean }[] = [
  { why: 'accesses and branches are checked against paging only (test/trace/corpus/not-raised.ts)', applies: (_d, _text, reason) => /limit|not writable|execute-only|access through a null selector/i.test(reason) },
  { why: 'behind offset FFFF of 16-bit code comes offset 0; SDM Vol. 3A, "Limit Checking": 10000 is beyond the limit', applies: (d) => d.words.length === 1 && d.words[0] === FIELD.rip && d.ours.words[FIELD.rip] === 0x1_0000n },
  { why: 'an address that is not canonical is #GP, through SS too; SDM Vol. 3A, "Interrupt 12—Stack Fault Exception (#SS)"', applies: (d, _text, reason) => reason === 'address is not canonical' && /vector 13.*vector 12/.test(d.what) },
  { why: 'flags of shifts and rotates are written before the store faults', applies: (d, text, reason) => reason === PAGE_FAULT && /^(rc|ro|s[ha])/.test(text) && d.words.every((word) => word === FIELD.rflags) },
  { why: '8F /1 to /7 are POP; SDM Vol. 2D, "Opcode Map", has 8F /0 only. Code that changes may come by it', applies: (_d, text) => /^((26|2e|36|3e|64|65|66|67|4.) )*8f (?![048c][0-7])/.test(text) },
  { why: 'F3 90 with REX.B exchanges RAX and R8 there; on silicon it is PAUSE (test/isa/book has it)', applies: (_d, text) => text === 'pause' },
  { why: 'IRET at CPL 0 leaves VIF and VIP as they are; SDM Vol. 2A, "IRET/IRETD/IRETQ": they are popped', applies: (d, text) => text.startsWith('iret') && d.words.every((word) => word === FIELD.rflags) && ((d.ours.words[FIELD.rflags]! ^ d.recorded.words[FIELD.rflags]!) & ~0x18_0000n) === 0n },
  { why: 'the address of SHLD and SHRD by an immediate, relative to RIP, is that of their last byte; SDM Vol. 2A, "RIP-Relative Addressing": of the next instruction', applies: (_d, text) => /^sh[lr]d \w+ ptr (\w\w:)?\[0x[0-9a-f]+\], \w+, 0?x?[0-9a-f]+$/.test(text) },
  { why: 'a branch to an address that is not canonical is taken, and #GP saves that address (the handler reads it); SDM Vol. 2A, "JMP": the branch faults', applies: (d, text) => text === 'mov rax, qword ptr [rsp+0x18]' && !isCanonical(d.recorded.words[0]!) },
  { why: 'D6 is SALC, which is not in the SDM', applies: (_d, text) => /^((26|2e|36|3e|64|65|66|67|f2|f3) )*d6/.test(text) },
];
const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
const PAGE_FAULT = 'page fault';

function isKnown(difference: Difference, stepper: Stepper, reason: string): boolean {
  const place = difference.history.at(-1);
  const text = place === undefined ? '' : stepper.disassemble(place);
  return KNOWN.some((entry) => entry.applies(difference, text, reason));
}

/** Runs the programs on both. */
export async function besideQemu(programs: readonly Program[]): Promise<Beside> {
  const folder = mkdtempSync(join(tmpdir(), 'longmode-programs-'));
  try {
    const image = programsImage(programs), file = join(folder, 'programs.elf');
    writeFileSync(file, image);
    const board = new BareBoard(image, MEMORY_BYTES);
    let reason = '';
    const deliver = board.cpu.deliverException.bind(board.cpu);
    board.cpu.deliverException = (exception) => {
      reason = 'reason' in exception ? exception.reason : PAGE_FAULT;
      deliver(exception);
    };
    const execute = board.stepper.execute.bind(board.stepper);
    board.stepper.execute = () => {
      reason = '';
      return execute();
    };
    const { lockstep, pages } = await runLockstep({ image: file, entry: board.entry, memoryBytes: MEMORY_BYTES, cpu: EVERY_FEATURE, timeoutSeconds: 100 }, board.stepper, { maxInstructions: LIMIT });
    const failure = lockstep.difference ? differenceReport(lockstep.difference, (place) => board.stepper.disassemble(place)) : pages && pages.length > 0 ? pageReport(pages) : undefined;
    const last = board.cpu.mmu.memory.read(physical(VARIABLE.program), 4);
    return { failure, compared: lockstep.compared, last, known: lockstep.difference !== undefined && isKnown(lockstep.difference, board.stepper, reason) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What went wrong, without where: a program shrinks only as long as that stays. */
const kindOf = (failure: string | undefined): string | undefined => failure?.split('\n', 1)[0]?.replace(/\b(0x[0-9a-f]+|\d+) (equal|page)/g, '$2');

/** Throws an error with a test to paste if QEMU does not agree. Returns the number of instructions that were compared. */
export async function expectAgreementWithQemu(programs: readonly Program[], seed: number): Promise<number> {
  const { failure, compared, last, known } = await besideQemu(programs);
  if (failure === undefined) return compared;
  // Those before it and behind it are judged without it.
  if (known) return compared + (programs.length > 1 ? await expectAgreementWithQemu(programs.filter((_, n) => n !== last), seed) : 0);
  const small = await shrink(programs, async (fewer) => {
    if (fewer.length === 0) return false;
    const again = await besideQemu(fewer);
    return !again.known && kindOf(again.failure) === kindOf(failure);
  }, 60);
  throw new Error(`${failure}\nSEED=${seed}; shrunk:\n${small.map(pasteable).join('\n')}\n${(await besideQemu(small)).failure}`);
}
