/** What has happened: deliveries in words, marks for the time line, the stack, the story of a triple fault. */
import { lineOfFrame, type Frame } from '../../debug/backtrace.ts';
import type { Debugger } from '../../debug/debugger.ts';
import { errorCodeBits, vectorText } from '../../debug/error-code.ts';
import { littleEndian } from '../../debug/bytes.ts';
import type { DeliveryEvent, HistoryEvent } from '../../debug/history/records.ts';
import type { SourceLines } from '../../debug/source-lines.ts';
import type { EventData, MarkData, Requests, StackData } from '../messages.ts';

const STACK_SLOTS = 96;

const titleOf = (event: DeliveryEvent): string => {
  switch (event.kind) {
    case 'interrupt': return `interrupt ${event.vector}`;
    case 'software': return `INT ${event.vector}`;
    case 'nmi': return 'NMI';
    default: return vectorText(event.vector);
  }
};

const isException = (event: HistoryEvent): boolean => event.kind === 'fault' || event.kind === 'trap' || event.kind === 'breakpoint' || event.kind === 'INT1';

/** The newest events, newest first. */
export function eventsView({ history, symbols }: Debugger, { interrupts, most }: Requests['events']['takes']): { readonly events: readonly EventData[]; readonly total: number } {
  const { events } = history.records;
  const shown: EventData[] = [];
  for (let n = events.length - 1; n >= 0 && shown.length < most; n--) {
    const event = events[n]!;
    if (!interrupts && !isException(event)) continue;
    shown.push(event.kind === 'cr3'
      ? { at: event.at, kind: 'cr3', title: `CR3 = 0x${event.value.toString(16)}`, rip: symbols.text(event.rip), details: [], address: undefined }
      : {
        at: event.at, kind: isException(event) ? 'exception' : 'interrupt', title: titleOf(event), rip: symbols.text(event.rip),
        details: isException(event) ? errorCodeBits(event.vector, event.errorCode) ?? [] : [],
        address: event.kind === 'fault' && event.vector === 14 ? event.cr2 : undefined,
      });
  }
  return { events: shown, total: events.length };
}

/** At most one mark of a kind in each of so many equal stretches of the time line. What was before its start is known, but cannot be gone to, and is not on it. */
export function marksView({ history }: Debugger, { buckets }: Requests['marks']['takes']): readonly MarkData[] {
  const start = history.start.retired, length = Math.max(1, history.end.retired - start);
  const marks = new Map<string, { at: number; kind: MarkData['kind']; title: string; count: number }>();
  const note = (kind: MarkData['kind'], at: number, title: () => string): void => {
    if (at < start) return;
    const key = `${kind}${Math.floor(((at - start) / length) * buckets)}`;
    const known = marks.get(key);
    if (known === undefined) marks.set(key, { at, kind, title: title(), count: 1 });
    else known.count++;
  };
  for (const event of history.records.events) {
    if (event.kind === 'cr3') note('cr3', event.at.retired, () => `CR3 = 0x${event.value.toString(16)}`);
    else note(isException(event) ? 'exception' : 'interrupt', event.at.retired, () => titleOf(event));
  }
  for (const { at, text } of history.records.printed(0, length / buckets)) note('output', at, () => `printed ${JSON.stringify(text)}`);
  for (const { at, input } of history.log.events) note('input', at.retired, () => `${input.kind} from outside`);
  return [...marks.values()];
}

export function stackView(debug: Debugger, lines: SourceLines): StackData {
  const { machine, symbols } = debug, size = machine.cpu.in64BitMode ? 8 : 4, rsp = machine.state.gpr[4]!;
  const frames = debug.backtrace().map((frame) => {
    const line = lineOfFrame(lines, symbols, frame);
    return { ...frame, name: symbols.name(frame.rip), source: line === undefined ? undefined : `${line.file.slice(line.file.lastIndexOf('/') + 1)}:${line.line}` };
  });
  const bytes = machine.readLinear(rsp, STACK_SLOTS * size);
  const slots: { address: bigint; value: bigint; note: string | undefined }[] = [];
  const bySlot = new Map(frames.flatMap((frame) => (frame.slot === undefined ? [] : [[frame.slot, frame] as const])));
  let event: Frame | undefined;
  for (let n = 0; (n + 1) * size <= bytes.length; n++) {
    const address = rsp + BigInt(n * size), value = littleEndian(bytes.subarray(n * size, (n + 1) * size)), frame = bySlot.get(address);
    if (frame?.by === 'event') event = frame;
    const part = event?.parts?.[Number((address - event.slot!) / BigInt(size))];
    slots.push({ address, value, note: part !== undefined ? `exception frame: ${part}${part.endsWith('IP') ? ` ${symbols.name(value) ?? ''}` : ''}` : frame !== undefined ? (symbols.name(value) === undefined ? 'return address' : `return to ${symbols.name(value)}`) : symbols.name(value) });
  }
  return { frames, slots, size };
}
