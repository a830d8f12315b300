/**
 * docs/conformance.md is what the suites counted (test/support/conformance/score.ts), printed: `npm run conformance` replays them and writes it anew, a
 * stale one fails here.
 */
import { expect, test } from 'vitest';
import { UNIMPLEMENTED } from '../../src/cpu/decode/unimplemented.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { FPU_ROWS } from '../fpu/rows.ts';
import { NOT_RECORDED as NOT_ON_SILICON } from '../isa/not-recorded.ts';
import { MODES } from '../programs/modes.ts';
import { allowed } from '../programs/program.ts';
import { recordingsDigest, WITNESSED } from '../support/conformance/recordings.ts';
import { readScore, SUITES, type RowScore, type Suite } from '../support/conformance/score.ts';
import { readTestimony, WITNESS_NAMES, type Testimony, type WitnessScore } from '../support/conformance/witnesses.ts';
import { nameOfRow } from '../support/row-name.ts';
import { SYSTEM_ROWS } from '../system/rows.ts';
import { NOT_RECORDED as NOT_IN_TRACES } from '../trace/corpus/not-recorded.ts';

const scores: Readonly<Record<Suite, ReadonlyMap<string, RowScore>>> = {
  silicon: readScore('silicon'), groups: readScore('groups'), x87: readScore('x87'), alignment: readScore('alignment'), traces: readScore('traces'),
};
/** Both recordings of silicon together. */
function both(a: RowScore | undefined, b: RowScore | undefined): RowScore | undefined {
  return a && b ? { cases: a.cases + b.cases, passed: a.passed.map((n, k) => n + b.passed[k]!) } : a ?? b;
}
/** A row is one of SSE and the general registers, or of x87. */
const caseOf = (row: Row): RowScore | undefined => both(scores.silicon.get(nameOfRow(row)), scores.groups.get(nameOfRow(row))) ?? scores.x87.get(nameOfRow(row));

/** What others make of the same cases. */
const TESTIMONIES = WITNESS_NAMES.map((name) => ({ title: { qemu: 'QEMU', bochs: 'Bochs' }[name], ...readTestimony(name) }));
/** Of a row: both recordings of silicon together, or x87's. */
function witnessed({ scores: { silicon, groups, x87 } }: Testimony, name: string): WitnessScore | undefined {
  const a = silicon.get(name), b = groups.get(name);
  if (a === undefined || b === undefined) return a ?? b ?? x87.get(name);
  const has = a.passed !== undefined || b.passed !== undefined;
  return { cases: a.cases + b.cases, passed: has ? (a.passed ?? 0) + (b.passed ?? 0) : undefined, example: a.example || b.example };
}
const testimony = (score: WitnessScore | undefined): string => (score === undefined ? '' : score.passed === undefined ? '–' : String(score.passed));

/** The files that execute a row by name. */
const testedIn = (row: Row): string[] => [['system', SYSTEM_ROWS], ['fpu', FPU_ROWS]].flatMap(([folder, lists]) =>
  Object.entries(lists as Readonly<Record<string, readonly string[]>>).filter(([, rows]) => rows.includes(nameOfRow(row))).map(([file]) => `${folder as string}/${file}`));

/** Why a process on the processor cannot show what a system or device instruction does: by the beginning of the row. */
const NOT_IN_A_PROCESS: readonly (readonly [RegExp, string])[] = [
  [/^(MOV (CRn|DRn|r\d+, [CD]Rn)|LMSW|CLTS|L[GIL]DT|LTR|(RD|WR)MSR|RDPMC|INVLPG|INVPCID|INVD|WBINVD|HLT|CLI|STI|CLAC|STAC|SWAPGS|SYSRETQ?|SYSEXITQ?|MONITOR|MWAIT|XSETBV|X(SAVE|RSTOR)S|IN|OUT|INS[BWD]|OUTS[BWD])\b/, 'privileged'],
  [/^(SGDT|SIDT|SLDT|STR|SMSW)\b/, 'the system hides its tables (UMIP)'],
  [/^(MOV (r.*, Sreg|Sreg)|(PUSH|POP) [C-GS]S$|L[DEFGS]S|LAR|LSL|VER[RW])\b/, 'selectors and descriptors are the system\'s'],
  [/^ARPL /, 'asks for protected mode, which the vocabulary of recorded rows cannot'],
  [/^((JMP|CALL) (ptr16|m16):|RETF[WQ]?|IRET[DQ]?|INT[13O]?|SYSCALL|SYSENTER)(\b|\d)/, 'leads to code that the system or its descriptors choose'],
  [/^(PUSHF|POPF)[DQ]?$/, 'IF and IOPL are the system\'s'],
  [/^(CPUID|RDTSCP?|RDPID|RDRAND|RDSEED|XGETBV|(RD|WR)PKRU|(RD|WR)[FG]SBASE)\b/, 'what it tells or holds is the processor\'s or the system\'s own'],
  [/^(F(X?SAVE|X?RSTOR|NSAVE|NSTENV|LDENV)|X(SAVE|RSTOR))/, 'stores or loads what the harness cannot know, or needs itself'],
];
/** Why no case of it was recorded on silicon, and what judges it; empty where nothing does. */
function whyNoCase(row: Row): string {
  if (row.meaning.kind === 'translated') return NOT_ON_SILICON.get(row.mnemonic) ?? '';
  const tests = testedIn(row).join(', '), [, why] = NOT_IN_A_PROCESS.find(([rows]) => rows.test(row.text)) ?? [];
  return tests === '' || why === undefined ? '' : `*${row.meaning.kind}*; ${why}: judged by ${tests}`;
}

/** Cases, or passed of cases for each engine where not all did. */
function passed({ cases, passed: counts }: RowScore): string {
  return counts.every((n) => n === cases) ? String(cases) : counts.map((n) => `${n}/${cases}`).join(' ');
}
const optional = (score: RowScore | undefined): string => (score === undefined ? '' : passed(score));

function line(row: Row): string {
  const name = nameOfRow(row), found = caseOf(row);
  const modes = MODES.filter((mode) => allowed(row, mode)).length;
  const notes = [
    found === undefined ? whyNoCase(row) : '',
    scores.traces.has(name) ? '' : `no trace: ${NOT_IN_TRACES[name]}`,
  ].filter((x) => x !== '').join('. ');
  const engines = found === undefined ? ['', '', ''] : found.passed.map(String);
  return `| ${[row.text, `\`${row.encodingText}\``, found?.cases ?? 0, ...engines, ...TESTIMONIES.map((x) => testimony(witnessed(x, name))), optional(scores.alignment.get(name)), optional(scores.traces.get(name)), modes === 0 ? '' : `${modes}`, notes].join(' | ')} |`;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

const isWitnessed = (suite: Suite): suite is (typeof WITNESSED)[number] => (WITNESSED as readonly Suite[]).includes(suite);
function summary(suite: Suite): string {
  const { title, engines } = SUITES[suite];
  const rows = [...scores[suite].values()];
  const cases = rows.map((x) => x.cases);
  const ours = engines.map((engine, n) => `${engine} ${sum(rows.map((x) => x.passed[n]!))}`);
  const others = TESTIMONIES.map(({ title: who, scores: theirs }) => `${who} ${sum([...(isWitnessed(suite) ? theirs[suite].values() : [])].map((x) => x.passed ?? 0))}`);
  const results = [...ours, ...(isWitnessed(suite) ? others : [])].join(', ');
  return `| ${title} | ${rows.length} | ${Math.min(...cases)} | ${median(cases)} | ${sum(cases)} | ${results} |`;
}

/** What a witness does otherwise than silicon: a line a row. */
function unlike(who: Testimony & { readonly title: string }): string[] {
  const rows = [...new Set(SORTED.map(nameOfRow))].map((name) => ({ name, score: witnessed(who, name) }));
  const absent = rows.filter(({ score }) => score !== undefined && score.passed === undefined).map(({ name }) => name.split(' = ')[0]!);
  const wrong = rows.filter(({ score }) => score?.passed !== undefined && score.passed < score.cases);
  const alignment = [...who.scores.alignment.values()], unaligned = sum(alignment.map((x) => x.cases - (x.passed ?? 0)));
  return [
    `### ${who.title}`, '', `${who.who}; asked on ${who.when}.`, '',
    `It does not have ${absent.length} of the ${rows.filter(({ score }) => score !== undefined).length} rows, where all cases are #UD${absent.length === 0 ? '' : `: ${[...new Set(absent)].join('; ')}`}.`,
    `Of ${sum(alignment.map((x) => x.cases))} alignment checks ${unaligned === 0 ? 'all come out as on silicon' : `${unaligned} do not come out as on silicon, such as ${alignment.find((x) => x.example !== '')?.example ?? ''}`}.`, '',
    `${wrong.length} rows have cases that do not come out as on silicon:`, '',
    '| instruction | encoding | differ | of | one of them |', '|---|---|---|---|---|',
    ...wrong.map(({ name, score }) => { const [text, encoding] = name.split(' = ') as [string, string]; return `| ${text} | \`${encoding}\` | ${score!.cases - score!.passed!} | ${score!.cases} | ${score!.example.replaceAll('|', '\\|')} |`; }), '',
  ];
}

const SORTED = ROWS.toSorted((a, b) => (a.mnemonic === b.mnemonic ? 0 : a.mnemonic < b.mnemonic ? -1 : 1));
const drawn = ROWS.filter((row) => MODES.some((mode) => allowed(row, mode)));
const unbuilt = [...UNIMPLEMENTED].map(([name, goneWith]) => `* ${name}${goneWith === undefined ? '' : ` (processors without \`${goneWith}\`)`}`);

function markdown(): string {
  return [
    '# Conformance', '',
    'Generated by `npm run conformance` from replays of recorded cases, here and (`npm run conformance:witnesses`) on other emulators; do not edit. What the suites are, and who recorded them, says [DESIGN.md](DESIGN.md) under "Evidence".', '',
    '| suite | rows | fewest cases of a row | median | cases | of these pass |', '|---|---|---|---|---|---|',
    ...(Object.keys(SUITES) as Suite[]).map(summary), '',
    `Random programs draw ${drawn.length} of the ${ROWS.length} rows, in up to ${MODES.length} modes, and compare all engines with each other; they have no recorded outcome.`, '',
    '## Every row', '',
    '*Cases* are those of processors, single and grouped, and behind them how many come out so on the reference engine, the interpreter and the translator, on QEMU and on Bochs (–: it does not have the instruction). *#AC*: alignment checks of a processor; *traces*: instructions in the recordings of QEMU',
    'that pass. A fraction says what failed. *Programs*: the number of modes in which random programs draw the row.', '',
    '| instruction | encoding | cases | reference | interpreter | translator | QEMU | Bochs | #AC | traces | programs | what has no case, and why |', '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...SORTED.map(line), '',
    '## Where other emulators differ', '',
    'The same cases, run by the same small image (tools/silicon/bare/) in ring 3 of each machine and judged as ours are; flags that the manual leaves undefined, and what else it leaves open, are no difference here',
    '(ours have to be those of the processor that was recorded first). An error code, an address or a flag is enough to differ.', '',
    ...TESTIMONIES.flatMap(unlike),
    '## Unbuilt', '',
    'What follows is in the manual and not in the table: #UD on processors that do not have it, which CPUID never announces. Of what older processors',
    'have, they are named: there the machine stops as `unimplemented`.', '',
    ...unbuilt, '',
  ].join('\n');
}

test('docs/conformance.md is what the suites counted last', async () => {
  await expect(markdown()).toMatchFileSnapshot('../../docs/conformance.md');
});

test.each(TESTIMONIES)('$title was asked about the recordings as they are (if not: npm run conformance:witnesses)', (who) => {
  expect(who.digest).toBe(recordingsDigest());
  for (const suite of WITNESSED) {
    const asked = [...who.scores[suite]].map(([name, { cases }]) => `${name}: ${cases}`), own = [...scores[suite]].map(([name, { cases }]) => `${name}: ${cases}`);
    expect(asked.toSorted(), suite).toEqual(own.toSorted());
  }
});

test('every row has a case on silicon, or a reason and what judges it', () => {
  expect(ROWS.filter((row) => caseOf(row) === undefined && whyNoCase(row) === '').map(nameOfRow)).toEqual([]);
});

test('every case that was recorded comes out on every engine', () => {
  const failing = Object.values(scores).flatMap((rows) => [...rows].filter(([, { cases, passed: counts }]) => counts.some((n) => n !== cases)).map(([name]) => name));
  expect(failing).toEqual([]);
});
