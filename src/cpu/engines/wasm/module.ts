/** A WebAssembly module, section by section. WebAssembly Core Specification, "Modules". */
import { Code } from './code.ts';
import { OP, type ValueType } from './opcodes.ts';

export interface Function {
  /** What `signature` returned. */
  readonly signature: number;
  readonly locals: readonly ValueType[];
  /** Without the final `end`. */
  readonly code: Uint8Array;
  /** The name under which it is exported. */
  readonly name: string;
}

const FUNCTION_REFERENCE = 0x70;
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const KIND = { function: 0, table: 1, memory: 2 } as const;

export class ModuleWriter {
  readonly #signatures: { readonly parameters: readonly ValueType[]; readonly results: readonly ValueType[] }[] = [];
  readonly #imports: ((out: Code) => void)[] = [];
  readonly #functions: Function[] = [];
  #importedFunctions = 0;

  /** Number of a function type. */
  signature(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    return this.#signatures.push({ parameters, results }) - 1;
  }

  importMemory(module: string, name: string): void {
    this.#import(module, name, (out) => { out.byte(KIND.memory); out.byte(0); out.unsigned(1); });
  }

  /** Tables are numbered in the order in which they are imported. */
  importTable(module: string, name: string): void {
    this.#import(module, name, (out) => { out.byte(KIND.table); out.byte(FUNCTION_REFERENCE); out.byte(0); out.unsigned(1); });
  }

  /** Functions are numbered in the order in which they are imported, in front of those that the module has. */
  importFunction(module: string, name: string, signature: number): void {
    this.#import(module, name, (out) => { out.byte(KIND.function); out.unsigned(signature); });
    this.#importedFunctions++;
  }

  #import(module: string, name: string, describe: (out: Code) => void): void {
    this.#imports.push((out) => { out.text(module); out.text(name); describe(out); });
  }

  add(f: Function): void { this.#functions.push(f); }

  bytes(): Uint8Array<ArrayBuffer> {
    const out = new Code();
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
    const section = (id: number, count: number, write: (body: Code) => void): void => {
      const body = new Code();
      body.unsigned(count);
      write(body);
      out.byte(id);
      out.unsigned(body.length);
      out.append(body.bytes);
    };
    section(SECTION.type, this.#signatures.length, (body) => {
      for (const { parameters, results } of this.#signatures) {
        body.byte(0x60);
        for (const list of [parameters, results]) {
          body.unsigned(list.length);
          for (const type of list) body.byte(type);
        }
      }
    });
    section(SECTION.import, this.#imports.length, (body) => { for (const write of this.#imports) write(body); });
    section(SECTION.function, this.#functions.length, (body) => { for (const f of this.#functions) body.unsigned(f.signature); });
    section(SECTION.export, this.#functions.length, (body) => {
      this.#functions.forEach((f, n) => { body.text(f.name); body.byte(KIND.function); body.unsigned(this.#importedFunctions + n); });
    });
    section(SECTION.code, this.#functions.length, (body) => { for (const f of this.#functions) writeBody(body, f); });
    return out.bytes.slice();
  }
}

/** One entry of the code section: its size, the locals in runs of one type, the code. */
function writeBody(out: Code, f: Function): void {
  const head = new Code();
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of f.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  head.unsigned(runs.length);
  for (const { type, count } of runs) {
    head.unsigned(count);
    head.byte(type);
  }
  out.unsigned(head.length + f.code.length + 1);
  out.append(head.bytes);
  out.append(f.code);
  out.byte(OP.end);
}
