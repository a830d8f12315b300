/**
 * The post-mortem of a triple fault: how one exception led to the next, what exactly made each delivery fail, where the
 * processor came from, and its registers. SDM Vol. 3A, "Interrupt 8—Double Fault Exception".
 */
import type { FaultRecord, Interruption } from '../cpu/delivery.ts';
import { format } from '../cpu/describe/format.ts';
import { VECTOR } from '../cpu/exceptions.ts';
import type { RecentInstruction } from '../cpu/recent-instructions.ts';
import { EFER } from '../mmu/control-bits.ts';
import type { Mmu } from '../mmu/mmu.ts';
import { linear } from '../state/addresses.ts';
import type { GuestState } from '../state/guest-state.ts';
import { ACTIVITY } from '../state/layout.ts';
import { descriptorText, gateText, selectorText } from './descriptors.ts';
import { errorCodeBits, vectorMnemonic, vectorText } from './error-code.ts';
import { explainPageFault } from './page-fault.ts';
import { hex, registerDump } from './registers.ts';
import { SymbolTable } from './symbols.ts';

/** What a post-mortem looks at: a Machine is one. */
export interface MachineView {
  readonly state: GuestState;
  readonly mmu: Mmu;
  /** Exceptions whose delivery failed, oldest first. */
  readonly cpu: { readonly faultChain: readonly FaultRecord[] };
  readonly engine: { recentInstructions(): readonly RecentInstruction[] };
}

interface Subject {
  readonly state: GuestState;
  readonly mmu: Mmu;
  readonly faultChain: readonly FaultRecord[];
  readonly recent: readonly RecentInstruction[];
  readonly symbols: SymbolTable;
}

const indent = (lines: readonly string[], by: number): string[] => lines.map((line) => ' '.repeat(by) + line);

/** How an event is called in the chain. */
function eventName(event: Interruption): string {
  switch (event.kind) {
    case 'interrupt': return `the interrupt of vector ${event.vector}`;
    case 'software': return `the software interrupt of vector ${event.vector}`;
    default: return vectorText(event.vector);
  }
}

/** The same in a sentence: `#PF`, or an event that is no exception, whatever exception its vector is otherwise. */
const shortName = (event: Interruption): string =>
  (event.kind === 'interrupt' || event.kind === 'software' ? eventName(event) : vectorMnemonic(event.vector));

/** Error code, and for #PF the address and the walk. */
function eventDetails(subject: Subject, event: Interruption): string[] {
  if (event.vector === VECTOR.PF && event.errorCode !== undefined && event.faultAddress !== undefined) {
    return [`CR2 = ${subject.symbols.text(event.faultAddress)}`, ...explainPageFault(subject.mmu, linear(event.faultAddress), event.errorCode)];
  }
  const bits = errorCodeBits(event.vector, event.errorCode);
  return bits === undefined ? [] : [`error code 0x${event.errorCode!.toString(16)}: ${bits.join('; ')}`];
}

/** Gate, code segment and stack, as far as the delivery came. */
function progressLines(subject: Subject, record: FaultRecord): string[] {
  const { state, symbols } = subject;
  const { progress } = record;
  const long = (state.efer & EFER.LMA) !== 0;
  const lines: string[] = [];
  if (progress.gateAddress === undefined) {
    const size = long ? 16 : 8;
    lines.push(`IDT of 0x${hex(state.idtrLimit + 1, 1)} bytes at ${symbols.text(state.idtrBase)}; the gate would need bytes 0x${hex(record.vector * size, 1)} to 0x${hex(record.vector * size + size - 1, 1)}`);
  } else if (progress.gate === undefined) {
    lines.push(`gate ${record.vector} lies at ${symbols.text(progress.gateAddress)}, which cannot be read`);
  } else {
    lines.push(`gate ${record.vector} at ${symbols.text(progress.gateAddress)}: ${gateText(progress.gate, long, progress.handler, symbols)}`);
  }
  if (progress.selector !== undefined) {
    lines.push(`code segment: ${selectorText(progress.selector)}${progress.descriptor === undefined ? '' : `: ${descriptorText(progress.descriptor)}`}`);
  }
  if (progress.stackPointer !== undefined) {
    const source = progress.ist !== 0 ? `, from IST${progress.ist} of the TSS` : progress.stackSelector === state.selector[2] ? ', the stack that was in use' : ', from the TSS';
    lines.push(`stack: SS 0x${hex(progress.stackSelector ?? 0, 4)}, top at ${symbols.text(progress.stackPointer)}${source}`);
  }
  return lines;
}

/** Why the event of a record is what it is, seen from the record before. */
function transition(before: FaultRecord, record: FaultRecord): string {
  if (record.vector === VECTOR.DF && before.raised.vector !== VECTOR.DF) {
    return `#DF (double fault, vector 8), because ${vectorMnemonic(before.raised.vector)} came up while ${shortName(before)} was being delivered`;
  }
  return `${eventName(record)}, which is delivered in its turn`;
}

function chainLines(subject: Subject): string[] {
  const { faultChain, symbols } = subject;
  const lines: string[] = [];
  faultChain.forEach((record, i) => {
    const before = faultChain[i - 1];
    if (before === undefined) {
      const reason = record.vector === VECTOR.PF ? '' : `: ${record.reason}`;
      lines.push(`${i + 1}. ${eventName(record)} at RIP ${symbols.text(record.rip)}${reason}`, ...indent(eventDetails(subject, record), 5));
    } else {
      lines.push(`${i + 1}. ${transition(before, record)}`);
    }
    const { raised } = record;
    const reason = raised.vector === VECTOR.PF ? '' : `: ${raised.reason}`;
    lines.push(
      `   Its delivery failed while ${record.progress.doing}:`,
      ...indent(progressLines(subject, record), 5),
      `   This raised ${vectorText(raised.vector)}${reason}`,
      ...indent([...eventDetails(subject, raised), ...hint(subject, record)], 5),
      '',
    );
  });
  return lines;
}

function recentLines(subject: Subject): string[] {
  const { recent, symbols, faultChain } = subject;
  const rows: { at: bigint; text: string; times: number }[] = [];
  for (const { rip, instruction } of recent) {
    const last = rows.at(-1);
    if (last?.at === rip) last.times++;
    else rows.push({ at: rip, text: format(instruction, rip, (address) => symbols.name(address)), times: 1 });
  }
  const places = rows.map(({ at }) => symbols.text(at));
  const width = Math.max(0, ...places.map((place) => place.length));
  const culprit = faultChain[0]?.rip;
  const lines = rows.map(({ at, text, times }, i) =>
    `${i === rows.length - 1 && at === culprit ? '>' : ' '} ${places[i]!.padEnd(width)}  ${text}${times > 1 ? `   (${times} times)` : ''}`);
  if (culprit !== undefined && rows.at(-1)?.at !== culprit) lines.push(`> ${symbols.text(culprit)}  (not executed)`);
  return lines;
}

/** What went wrong in a delivery, in half a sentence. */
function failure({ raised, progress }: FaultRecord): string {
  return raised.vector === VECTOR.PF ? `page fault at 0x${(raised.faultAddress ?? 0n).toString(16)} while ${progress.doing}` : raised.reason;
}

/** The chain in one sentence. */
function summary({ state, faultChain, symbols }: Subject): string {
  const count = state.retired.toLocaleString('en-US');
  const after = `after ${count} instruction${state.retired === 1 ? '' : 's'}`;
  if (state.activity !== ACTIVITY.shutdown) return `No triple fault: ${after}, at RIP ${symbols.text(state.rip)}, the processor has not shut down.`;
  if (faultChain.length === 0) return `Triple fault ${after}. How it came to this is not known: the exceptions were not recorded.`;
  const steps = faultChain.map((record, i) => {
    const before = faultChain[i - 1];
    if (before === undefined) return `${shortName(record)} could not be delivered (${failure(record)})`;
    return `nor ${shortName(record)} (${failure(record) === failure(before) ? 'the same' : failure(record)})`;
  });
  return `Triple fault ${after}, at RIP ${symbols.text(faultChain[0]!.rip)}: ${steps.join(', ')}. The processor shut down.`;
}

/** What usually is behind a failure, or nothing. */
function hint(subject: Subject, { vector, raised, progress }: FaultRecord): string[] {
  const { state } = subject;
  if (progress.gateAddress === undefined) return state.idtrLimit === 0 ? ['hint: the IDT is empty: no LIDT ran, or the last one loaded a limit of 0'] : [];
  if (progress.gate === undefined) return raised.vector === VECTOR.PF ? ['hint: the IDT itself is not mapped in this address space'] : [];
  if (progress.gate === 0n) return [`hint: nobody has installed a handler for vector ${vector}`];
  if (progress.doing === 'pushing the frame' && raised.vector === VECTOR.PF && progress.ist === 0) {
    return ['hint: the stack is unusable (has it overflowed?); a gate with an IST stack would have been delivered'];
  }
  return [];
}

/** The addresses of the page faults that led to a triple fault, delivered or raised by a delivery, in their order: each once. */
export function pageFaultAddresses({ state, cpu }: Pick<MachineView, 'state' | 'cpu'>): readonly bigint[] {
  if (state.activity !== ACTIVITY.shutdown) return [];
  return [...new Set(cpu.faultChain.flatMap((record) => [record, record.raised]).filter(({ vector, kind }) => vector === VECTOR.PF && kind === 'fault').flatMap(({ faultAddress }) => faultAddress ?? []))];
}

/** The whole story of a triple fault as text of several paragraphs, without a final newline; without one, where the processor came from. */
export function postMortem(machine: MachineView, symbols = new SymbolTable()): string {
  const { state, mmu } = machine;
  const { faultChain } = machine.cpu;
  const recent = machine.engine.recentInstructions();
  const subject: Subject = { state, mmu, faultChain, recent, symbols };
  const lines = [summary(subject), ''];
  if (faultChain.length > 0 && state.activity === ACTIVITY.shutdown) {
    lines.push(...chainLines(subject), `${faultChain.length + 1}. An exception while a double fault is delivered is a triple fault: the processor enters the shutdown state. A real board resets.`, '');
  }
  if (recent.length > 0) {
    const title = recent.length === 1 ? 'The last instruction:' : `The last ${recent.length} instructions, oldest first:`;
    lines.push(title, ...recentLines(subject), '');
  }
  lines.push('Registers:', ...indent(registerDump(state).split('\n'), 2));
  return lines.join('\n');
}
