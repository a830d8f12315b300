/** Laws over every row of the table. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { effectsOf } from '../../src/cpu/describe/effects.ts';
import { systemEffectsOf } from '../../src/cpu/describe/system-effects.ts';
import { PROCESSOR } from '../../src/cpu/describe/system/processor.ts';
import { X87 } from '../../src/cpu/describe/system/x87.ts';
import { checkWidths } from '../../src/cpu/describe/widths.ts';
import { MODE_32, MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { FPU_ROWS } from '../fpu/rows.ts';
import { SYSTEM_ROWS } from '../system/rows.ts';
import { formsOf, type Form } from '../support/canonical.ts';
import { rowsShownBy } from '../support/rows-shown.ts';
import { hexBytes } from '../support/silicon/compare.ts';
import { COMMITS, MAY_FAULT, verbsOf } from '../support/verbs.ts';

const book = new URL('./book/', import.meta.url);

const line = (row: Row): string => `${row.text} = ${row.encodingText}`;
const decoded = ({ bytes, codeSize }: Form): Instruction | DecodeFailure => decode(bytes, 0, codeSize === 64 ? MODE_64 : MODE_32);
const forms = ROWS.flatMap(formsOf);
const instructions = forms.flatMap((form) => {
  const i = decoded(form);
  return i instanceof DecodeFailure ? [] : [i];
});
const translated = instructions.filter((i) => i.row.meaning.kind === 'translated');

test('no two rows are the same line', () => {
  const lines = ROWS.map((row) => `${line(row)} (${row.modes} ${row.size})`);
  expect(lines.filter((x, n) => lines.indexOf(x) !== n)).toEqual([]);
});

test('every row decodes from its own bytes to itself', () => {
  const wrong = forms.flatMap((form) => {
    const i = decoded(form);
    const got = i instanceof DecodeFailure ? `${i.kind}: ${i.what}` : line(i.row);
    const right = !(i instanceof DecodeFailure) && i.row === form.row && i.length === form.bytes.length;
    return right ? [] : [`${line(form.row)}: ${form.codeSize}-bit ${hexBytes(form.bytes)} decodes to ${got}`];
  });
  expect(wrong).toEqual([]);
});

test('no row is hidden by an entry of unimplemented.ts', () => {
  const hidden = forms.flatMap((form) => {
    const i = decoded(form);
    return i instanceof DecodeFailure && i.kind === 'unimplemented'
      ? [`${line(form.row)}: "${i.what}" in src/cpu/decode/unimplemented.ts comes first; take the opcode out of that entry`] : [];
  });
  expect([...new Set(hidden)]).toEqual([]);
});

test('the flags that a row declares are those that its semantics reads and writes', () => {
  const wrong: string[] = [];
  for (const i of translated) {
    const { flagsRead, flagsWritten } = effectsOf(i) as NonNullable<ReturnType<typeof effectsOf>>;
    const { row } = i;
    // A condition reads the flags of its own tttn; the row declares those of all.
    const undeclaredReads = [...flagsRead].filter((f) => !row.reads.includes(f));
    const unread = row.encoding.conditionInOpcode ? [] : row.reads.filter((f) => !([...flagsRead] as string[]).includes(f));
    const undeclaredWrites = [...flagsWritten].filter((f) => !row.writes.includes(f) && !row.undefinedFlags.includes(f));
    const unwritten = row.writes.filter((f) => !([...flagsWritten] as string[]).includes(f));
    for (const [what, list] of [['reads undeclared', undeclaredReads], ['declares and never reads', unread], ['writes undeclared', undeclaredWrites], ['declares and never writes', unwritten]] as const) {
      if (list.length > 0) wrong.push(`${line(row)} ${what} ${list.join(' ')}`);
    }
    if (row.writes.some((f) => row.undefinedFlags.includes(f))) wrong.push(`${line(row)}: a flag is both written and undefined`);
  }
  expect(wrong).toEqual([]);
});

test('every system row says in words what it does', () => {
  const silent = instructions.filter((i) => systemEffectsOf(i)?.says === '').map((i) => line(i.row));
  expect(silent).toEqual([]);
  const system = new Set(ROWS.flatMap((row) => (row.meaning.kind === 'system' ? [row.mnemonic] : [])));
  expect([...Object.keys(PROCESSOR), ...Object.keys(X87)].filter((name) => !system.has(name.split(' ')[0]!))).toEqual([]);
  const unfinished = instructions.flatMap((i) => systemEffectsOf(i)?.says.match(/[{}?]|undefined|  /) ?? []);
  expect(unfinished).toEqual([]);
});

test('every semantics gives its verbs operands of the widths it names', () => {
  expect(() => { for (const i of translated) checkWidths(i); }).not.toThrow();
});

/** Gathers commit each element before they load the next: what faults goes on where it was. */
const goesOn = (i: Instruction): boolean => i.operands.some((x) => x.kind === 'memory' && x.vectorIndex !== undefined);
test('nothing is committed before the last thing that can fault', () => {
  const wrong = translated.filter((i) => {
    if (goesOn(i)) return false;
    const verbs = verbsOf(i);
    const commit = verbs.findIndex((verb) => COMMITS.has(verb));
    return commit >= 0 && verbs.slice(commit).some((verb) => MAY_FAULT.has(verb));
  });
  expect(wrong.map((i) => line(i.row))).toEqual([]);
});

/** Verbs that use XMM registers or MXCSR, and MMX registers. */
const PARTS_USED: Readonly<Record<string, RegExp>> = { Sse: /^[gs]et(Xmm|YmmHigh|Mxcsr)$|[fF]loat.*X$|^fusedX$/, Mmx: /^([gs]et|enter)Mmx$/ };

test('an instruction on MMX registers enters the MMX state', () => {
  const wrong = translated.filter((i) => {
    const verbs = verbsOf(i);
    return verbs.includes('requireMmx') && verbs.filter((verb) => verb === 'setMmx' || verb === 'enterMmx').length !== 1;
  });
  expect(wrong.map((i) => line(i.row))).toEqual([]);
});

test('an instruction on XMM registers or MXCSR asks first whether SSE, or with a VEX prefix AVX, is enabled, one on MMX registers whether MMX is, and no other asks', () => {
  const wrong = translated.filter((i) => {
    const verbs = verbsOf(i);
    const asks = ['Sse', 'Mmx'].filter((part) => verbs.some((verb) => PARTS_USED[part]!.test(verb))).map((part) => (part === 'Sse' && i.row.encoding.vex !== undefined ? 'requireAvx' : `require${part}`));
    return verbs.filter((verb) => verb.startsWith('require') && verb !== 'requireAligned').join(' ') !== asks.join(' ') || asks.some((verb, n) => verbs[n] !== verb);
  });
  expect(wrong.map((i) => line(i.row))).toEqual([]);
});

/** Rows that may have stored when they fault, with what the manual and silicon say about it. */
const STORES_BEFORE_FAULTS = new Map([
  ['CALL', 'the return address lies below RSP when the target faults'],
  ['PUSHA', 'eight pushes'],
  ['PUSHAD', 'eight pushes'],
  ['ENTER', 'pushes the display frame by frame'],
  ['CMPXCHG16B', 'two halves of one aligned operand: the second cannot fault where the first did not'],
]);

test('nothing is stored before something else that can fault, except by instructions of several stores', () => {
  const wrong = translated.filter((i) => {
    const verbs = verbsOf(i);
    const store = verbs.indexOf('store');
    return store >= 0 && verbs.slice(store + 1).some((verb) => MAY_FAULT.has(verb)) && !STORES_BEFORE_FAULTS.has(i.mnemonic);
  });
  expect(wrong.map((i) => line(i.row))).toEqual([]);
});

test('a read-modify-write asks for write permission when it reads', () => {
  const wrong = translated.filter((i) => i.row.lock && i.operands[0]?.kind === 'memory' && !(effectsOf(i)?.memoryWritten === true && effectsOf(i)?.memoryRead === true));
  expect(wrong.map((i) => line(i.row))).toEqual([]);
});

/** Fields of an operand that say which instruction of a form it is, not which form. */
const OPAQUE = new Set(['number', 'value', 'displacement', 'base', 'index', 'scale', 'ripRelative', 'selector', 'offset']);

test('semantics look at kinds and widths of operands, never at their values', () => {
  const looked = new Set<string>();
  for (const i of translated) {
    const operands = i.operands.map((x) => new Proxy(x, {
      get: (operand, field) => {
        if (OPAQUE.has(String(field))) looked.add(`${line(i.row)} looks at an operand's ${String(field)}`);
        return Reflect.get(operand, field) as unknown;
      },
    }));
    verbsOf({ ...i, operands });
  }
  expect([...looked]).toEqual([]);
});

test('every instruction has a chapter in the book', () => {
  const chapters = readdirSync(book).flatMap((file) => [...readFileSync(new URL(file, book), 'utf8').matchAll(/^instruction\('(\w+)'/gm)].map((x) => x[1]));
  const mnemonics = [...new Set(ROWS.filter((row) => row.meaning.kind === 'translated').map((row) => row.mnemonic))];
  expect(mnemonics.filter((x) => !chapters.includes(x))).toEqual([]);
  expect(chapters.filter((x) => !mnemonics.includes(x as string))).toEqual([]);
});

test('every row of an ordinary instruction has an example in the book', async () => {
  const shown = await rowsShownBy(async () => {
    for (const file of readdirSync(book)) await import(new URL(`${file}?counted`, book).href);
  });
  expect(ROWS.filter((row) => row.meaning.kind === 'translated' && !shown.has(row)).map(line)).toEqual([]);
});

test('every row of a system instruction is executed in test/system or test/fpu, whose files hold themselves to their lists', () => {
  const executed = new Set<string>([SYSTEM_ROWS, FPU_ROWS].flatMap((lists) => Object.values(lists).flat()));
  const rows = ROWS.filter((row) => row.meaning.kind !== 'translated').map(line);
  expect(rows.filter((name) => !executed.has(name))).toEqual([]);
  expect([...executed].filter((name) => !rows.includes(name)), 'no such row').toEqual([]);
  for (const [folder, lists, variable] of [['system', SYSTEM_ROWS, 'SYSTEM_ROWS'], ['fpu', FPU_ROWS, 'FPU_ROWS']] as const) {
    const names = readdirSync(new URL(`../${folder}/`, import.meta.url)).filter((file) => file.endsWith('.test.ts')).map((file) => file.replace('.test.ts', ''));
    expect(Object.keys(lists).sort(), `test/${folder}/rows.ts has a list for each file`).toEqual(names.sort());
    for (const name of names) {
      const source = readFileSync(new URL(`../${folder}/${name}.test.ts`, import.meta.url), 'utf8');
      expect(source.trimEnd().split('\n').at(-1), `${folder}/${name}`).toMatch(new RegExp(`^executesRows\\(${variable}(\\['${name}'\\]|\\.${name})\\);$`));
    }
  }
});
