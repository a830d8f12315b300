/** What has happened: deliveries in words, marks for the time line, the stack, the story of a triple fault. */
import { lineOfFrame, type Frame } from '../../debug/backtrace.ts';
import type { Debugger } from '../../debug/debugger.ts';
import { errorCodeBits, vectorText } from '../../debug/error-code.ts';
import { VECTOR } from '../../cpu/exceptions.ts';
import { littleEndian } from '../../debug/bytes.ts';
import { EVENT_SORTS, EXCEPTION_SORTS, sortOf, type EventSort, type HistoryEvent } from '../../debug/history/events.ts';
import { comparePositions } from '../../machine/position.ts';
import type { SourceLines } from '../../debug/source-lines.ts';
import type { EventData, MarkData, Requests, StackData } from '../messages.ts';

const STACK_SLOTS = 96;

const titleOf = (event: HistoryEvent): string => {
  switch (event.kind) {
    case 'cr3': return `CR3 = 0x${event.value.toString(16)}`;
    case 'interrupt': return `interrupt ${event.vector}`;
    case 'software': return `INT ${event.vector}`;
    case 'nmi': return 'NMI';
    default: return vectorText(event.vector);
  }
};

/** Of sorts that have one vector. */
const ONLY_VECTOR: { readonly [S in EventSort]?: number } = { 'page-fault': VECTOR.PF, 'debug-exception': VECTOR.DB };
/** What the page calls them. */
const markOf = (sort: EventSort): EventData['kind'] => (sort === 'interrupt' || sort === 'cr3' ? sort : 'exception');

/** The newest events with some text in their titles, newest first. */
export function eventsView({ history, symbols }: Debugger, { interrupts, most, titled = '' }: Requests['events']['takes']): Requests['events']['gives'] {
  const shown: EventData[] = [], { records, start } = history, wanted = titled.toLowerCase();
  let hasMore = false;
  const isTitled = (text: string): boolean => text.toLowerCase().includes(wanted);
  const sorts = (interrupts ? EVENT_SORTS : EXCEPTION_SORTS).filter((sort) => ONLY_VECTOR[sort] === undefined || isTitled(vectorText(ONLY_VECTOR[sort])));
  for (const event of records.newest(sorts)) {
    const title = titleOf(event), kind = markOf(sortOf(event.kind));
    if (!isTitled(title)) continue;
    hasMore = shown.length >= most;
    if (hasMore) break;
    shown.push({
      at: event.at, isInReach: comparePositions(event.at, start) >= 0, kind, title, rip: symbols.text(event.rip),
      details: event.kind !== 'cr3' && kind === 'exception' ? errorCodeBits(event.vector, event.errorCode) ?? [] : [],
      address: event.kind === 'fault' && event.vector === VECTOR.PF ? event.cr2 : undefined,
    });
  }
  return { events: shown, total: records.eventCount, hasAll: records.hasAllEvents, hasMore };
}

/** At most one mark of a kind in each of so many equal stretches of the time line. What was before its start is known, but cannot be gone to, and is not on it. */
export function marksView({ history }: Debugger, { buckets }: Requests['marks']['takes']): readonly MarkData[] {
  const { records, log, start: { retired: start } } = history, length = Math.max(1, history.end.retired - start);
  const bucketOf = (retired: number): number => Math.floor(((retired - start) / length) * buckets);
  const marks = new Map<string, { at: number; kind: MarkData['kind']; title: string; count: number }>();
  const note = (kind: MarkData['kind'], at: number, title: () => string, count = 1): void => {
    if (at < start) return;
    const key = `${kind}${bucketOf(at)}`, known = marks.get(key);
    if (known === undefined) marks.set(key, { at, kind, title: title(), count });
    else known.count += count;
  };
  for (const sort of EVENT_SORTS) {
    const events = records.eventsOf(sort);
    for (let n = events.firstWhere((retired) => retired >= start), next; n < events.end; n = next) {
      const at = events.retiredAt(n), first = n;
      next = events.firstWhere((retired) => bucketOf(retired) > bucketOf(at));
      note(markOf(sort), at, () => titleOf(events.at(first)), next - n);
    }
  }
  for (const { at, text } of records.printed(0, length / buckets)) note('output', at, () => `printed ${JSON.stringify(text)}`);
  for (const { at, input } of log.events) note('input', at.retired, () => `${input.kind} from outside`);
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
