/** No instruction of an announced vector extension is missing: iced-x86 knows them all. */
import { Code, CodeExt, CpuidFeature, EncodingKind, Instruction, Mnemonic } from 'iced-x86';
import { expect, test } from 'vitest';
import { ROWS } from '../../src/cpu/isa/table/index.ts';

const nameOf = (names: object, value: number): string => Object.entries(names).find(([, n]) => n === value)![0];
/** The mnemonics of each set of features, with a VEX prefix. */
function known(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const code of Object.values(Code).filter((x): x is Code => typeof x === 'number')) {
    const { encoding, isInstruction, mnemonic } = CodeExt.opCode(code);
    if (encoding !== EncodingKind.VEX || !isInstruction) continue;
    const instruction = new Instruction();
    instruction.code = code;
    const features = [...instruction.cpuidFeatures()].map((feature) => nameOf(CpuidFeature, feature)).join(' ');
    // Names of iced's own for VEX.W1 and for what VEX.L makes of one mnemonic.
    const name = nameOf(Mnemonic, mnemonic).toUpperCase().replace(/^(VPCMPESTR[IM])64$/, '$1');
    found.set(features, (found.get(features) ?? new Set()).add(name));
  }
  return found;
}

test.each(['AVX', 'AVX2', 'F16C', 'FMA', 'BMI1', 'BMI2', 'AES AVX', 'PCLMULQDQ AVX'])('every instruction of %s has a row', (features) => {
  const wanted = known().get(features);
  expect(wanted?.size).toBeGreaterThan(0);
  const rows = new Set(ROWS.filter((row) => row.encoding.vex !== undefined).map((row) => row.mnemonic));
  expect([...wanted!].filter((name) => !rows.has(name))).toEqual([]);
});

test('every line of them has one, with its VEX.L, VEX.W and opcode', () => {
  const features = new Set(['AVX', 'AVX2', 'F16C', 'FMA', 'AES AVX', 'PCLMULQDQ AVX']);
  const i = new Instruction();
  const lines = Object.entries(Code).flatMap(([name, code]) => {
    if (!name.startsWith('VEX_') || typeof code !== 'number') return [];
    i.code = code;
    if (!features.has([...i.cpuidFeatures()].map((x) => nameOf(CpuidFeature, x)).join(' '))) return [];
    return [`${Mnemonic[i.mnemonic].toUpperCase().replace(/^(VPCMPESTR[IM])64$/, '$1')} = ${i.opCode.opCodeString}`];
  });
  i.free();
  expect(lines.length).toBeGreaterThan(600);
  const rows = new Set(ROWS.map((row) => `${row.mnemonic} = ${row.encodingText}`));
  // Of general registers iced has a line for each W where hardware ignores it: `WIG` here.
  expect(lines.filter((line) => !rows.has(line) && !rows.has(line.replace(/\.W[01] /, '.WIG ')))).toEqual([]);
});
