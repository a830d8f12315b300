/** A difference as text: both states side by side, differing registers starred, and how the run got there. */
import type { Difference, Lockstep } from './compare.ts';
import { FIELD, TRACE_FIELDS, type TraceState } from './state.ts';
import type { CodePlace } from './stepper.ts';
import type { PageDifference } from './memory.ts';

const HIDDEN = new Set<number>([FIELD.shadow, FIELD.halted]);
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'CF'], [2, 'PF'], [4, 'AF'], [6, 'ZF'], [7, 'SF'], [8, 'TF'], [9, 'IF'], [10, 'DF'], [11, 'OF'], [14, 'NT'], [16, 'RF'], [17, 'VM'], [18, 'AC'], [21, 'ID'],
];
const flags = (value: bigint): string => FLAGS.filter(([bit]) => (value >> BigInt(bit) & 1n) === 1n).map(([, name]) => name).join(' ') || 'none';

const hex64 = (value: bigint): string => value.toString(16).padStart(16, '0');

/** One line per word: those of the usual registers, and any other that differs. */
function sideBySide(recorded: TraceState, ours: TraceState, words: readonly number[]): string[] {
  const lines = [`    ${''.padEnd(16)}${'QEMU'.padEnd(18)}longmode`];
  for (const [word, name] of TRACE_FIELDS.entries()) {
    const differs = words.includes(word);
    const usual = word <= FIELD.cpl || word === FIELD.cr2 || word === FIELD.cr3;
    if (HIDDEN.has(word) || (!differs && !usual)) continue;
    const [theirs, own] = [recorded.words[word]!, ours.words[word]!];
    const names = word === FIELD.rflags ? `  (${flags(theirs)} | ${flags(own)})` : '';
    lines.push(`  ${differs ? '*' : ' '} ${name.padEnd(16)}${hex64(theirs)}  ${hex64(own)}${names}`);
  }
  return lines;
}

/** The whole report. `disassemble` gives the text of the instruction at a place. */
export function differenceReport(difference: Difference, disassemble: (place: CodePlace) => string): string {
  const { history } = difference;
  return [
    `difference after ${difference.instruction} equal instructions: ${difference.what}`,
    '',
    ...sideBySide(difference.recorded, difference.ours, difference.words),
    '',
    'the last instructions, the latest at the end:',
    ...history.map((place, n) => `  ${n === history.length - 1 ? '>' : ' '} ${hex64(place.rip)}  ${disassemble(place)}`),
    '',
    ...(difference.pages.length === 0 ? [] : [pageReport(difference.pages, 'at this checkpoint')]),
  ].join('\n');
}

const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');

/** Pages that differ, by physical address. */
export function pageReport(pages: readonly PageDifference[], when = 'at the end'): string {
  const lines = pages.slice(0, 16).map(({ frame, first }) => (first === undefined
    ? `  page 0x${(frame * 4096).toString(16)}`
    : `  0x${(frame * 4096 + first.offset).toString(16).padEnd(10)} QEMU      ${hex(first.recorded)}\n  ${''.padEnd(12)} longmode  ${hex(first.ours)}`));
  return `memory differs ${when} in ${pages.length} page${pages.length === 1 ? '' : 's'} (physical addresses):\n${lines.join('\n')}${pages.length > 16 ? '\n  ...' : ''}\n`;
}

/** The line on success, as scripts look for it. */
export const successLine = (lockstep: Lockstep): string => `${lockstep.compared} instructions compared, 0 differences`;

/** What was taken from the recording instead of compared, one line each; empty when nothing was. */
export function forgivenReport(lockstep: Lockstep): string {
  const lines = [...lockstep.forgiven].map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  if (lockstep.injected > 0) lines.push(`  ${String(lockstep.injected).padStart(8)}  interrupts injected where QEMU took them`);
  return lines.length === 0 ? '' : `taken from QEMU, not compared:\n${lines.join('\n')}\n`;
}
