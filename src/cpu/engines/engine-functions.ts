/** What generated code calls of the engine: TypeScript in the middle of a stay, with ENGINE.budget written back, and the paging unit's own code. */
import { EXTENDED_FUNCTIONS, extendedFunctions, importExtendedFunctions } from './emit/extended.ts';
import type { PagingCode } from './fast/paging-code.ts';
import type { ModuleWriter } from './wasm/module.ts';
import { I32, I64, type ValueType } from './wasm/opcodes.ts';

export interface EngineFunctions extends Pick<PagingCode, 'invalidatePage' | 'writeCr3'> {
  /** Has the reference engine execute the instruction at a record, and says how to go on: a STATUS. */
  readonly reference: (record: number) => number;
  /** IN: what a port answers. */
  readonly readPort: (port: number, bytes: 1 | 2 | 4) => number;
  /** OUT. */
  readonly writePort: (port: number, value: number, bytes: 1 | 2 | 4) => void;
}

const SIGNATURES: Readonly<Record<keyof EngineFunctions, { readonly parameters: readonly ValueType[]; readonly results: readonly ValueType[] }>> = {
  reference: { parameters: [I32], results: [I32] },
  readPort: { parameters: [I32, I32], results: [I32] },
  writePort: { parameters: [I32, I32, I32], results: [] },
  invalidatePage: { parameters: [I64], results: [I32] },
  writeCr3: { parameters: [I64], results: [] },
};
const NAMES = Object.keys(SIGNATURES) as (keyof EngineFunctions)[];

/** Their numbers in a module that imports them: behind those of emit/extended.ts. */
export const ENGINE_FUNCTION = Object.fromEntries(NAMES.map((name, n) => [name, EXTENDED_FUNCTIONS.length + n])) as Readonly<Record<keyof EngineFunctions, number>>;

/** Lets a module call them and those of emit/extended.ts. */
export function importFunctions(module: ModuleWriter): void {
  importExtendedFunctions(module);
  for (const name of NAMES) module.importFunction('f', name, module.signature(SIGNATURES[name].parameters, SIGNATURES[name].results));
}
/** What the instance of such a module gets. */
export const importedFunctions = (functions: EngineFunctions): WebAssembly.Imports => ({ f: { ...functions }, x: extendedFunctions() });
