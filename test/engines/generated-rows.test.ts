/** Which rows of the table are generated code, in every form, and which are left to the reference engine. */
import { describe, expect, it } from 'vitest';
import { effectsOf } from '../../src/cpu/describe/effects.ts';
import { enterContext } from '../../src/cpu/engines/fast/context.ts';
import { HANDLER } from '../../src/cpu/engines/interpreter/handlers.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { linear, physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { fastEngine } from '../support/engine-runs.ts';
import { everyForm, type Formed } from '../support/every-form.ts';
import { nameOfRow } from '../support/row-name.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { LEFT_TO_REFERENCE } from './generated-rows.ts';

const HLT = 0xf4;
const machines = { 64: new SystemMachine(64, 'translator'), 32: new SystemMachine(32, 'translator') };
const forms = everyForm();
const hasHandler = ({ i, codeSize }: Formed): boolean => fastEngine(machines[codeSize]).handlers.of(i) !== HANDLER.reference;
const isListed = (row: Row): boolean => LEFT_TO_REFERENCE.some(({ features, but, mnemonics }) =>
  mnemonics?.includes(row.mnemonic) === true || (row.feature !== undefined && features?.includes(row.feature) === true && but?.includes(row.mnemonic) !== true));
const text = ({ i, bytes, codeSize }: Formed): string => `${i.row.text}, ${codeSize}-bit: ${Buffer.from(bytes).toString('hex')}`;
const generated = forms.filter(hasHandler);

/** Whether the translator makes a region of one instruction. */
function becomesRegion({ bytes, codeSize }: Formed): boolean {
  const m = machines[codeSize];
  m.memory.copyIn(physical(AT.code), Uint8Array.of(...bytes, HLT));
  m.mmu.translate(linear(BigInt(AT.code)), 'fetch', 'supervisor');
  return fastEngine(m).translator.translate(BigInt(AT.code), enterContext(m.cpu)!);
}

describe('the rows left to the reference engine', () => {
  const rows = new Set(forms.map(({ i }) => i.row));
  const withCode = new Set(generated.map(({ i }) => i.row));
  it('are those that generated-rows.ts lists', () => {
    expect([...rows].filter((row) => !withCode.has(row) && !isListed(row)).map(nameOfRow)).toEqual([]);
  });
  it('have no generated code: whoever wrote it takes the row off the list', () => {
    expect([...withCode].filter(isListed).map(nameOfRow)).toEqual([]);
  });
});

describe('a generated row', () => {
  const missing = forms.filter((x) => !isListed(x.i.row) && !hasHandler(x));
  it('has a handler in every form but, outside 64-bit mode, for FS and GS, which may have a base there, and for stores through CS, which are #GP', () => {
    const storesThroughCs = ({ i }: Formed): boolean => effectsOf(i)!.memoryWritten && effectsOf(i)!.segments.has(SEGMENT.CS);
    const usesBase = ({ i }: Formed): boolean => i.operands.some((x) => x.kind === 'memory' && x.segment >= 4) || (i.segmentOverride ?? 0) >= 4;
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.filter((x) => x.codeSize === 64 || !(usesBase(x) || storesThroughCs(x))).map(text)).toEqual([]);
  });
  it('becomes part of a region in every form that has a handler', () => {
    expect(generated.filter((x) => !becomesRegion(x)).map(text)).toEqual([]);
  });
});
