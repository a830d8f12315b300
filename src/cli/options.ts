/** Command-line options: a table per command, from which parsing, help and the suggestions for misspelled names come. */
import { parseArgs } from 'node:util';
import { CommandError } from './exit-status.ts';

export interface Option {
  /** Name of the value in help (`FILE`); absent for a switch. */
  readonly value?: string;
  readonly repeat?: boolean;
  readonly says: string;
}
export type Options = Readonly<Record<string, Option>>;

export interface Command<O extends Options = Options> {
  readonly name: string;
  /** Positional arguments in help: `IMAGE`. */
  readonly operands: string;
  readonly says: string;
  readonly options: O;
  readonly notes?: string;
  run(args: Arguments): Promise<number>;
}

/** Parsed arguments of one command. */
export class Arguments {
  readonly operands: readonly string[];
  private readonly values: ReadonlyMap<string, readonly string[]>;
  constructor(operands: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.operands = operands;
    this.values = values;
  }
  /** The same options with other operands: for commands that have actions. */
  withOperands(operands: readonly string[]): Arguments { return new Arguments(operands, this.values); }
  has(name: string): boolean { return this.values.has(name); }
  /** The last value given, or undefined. */
  text(name: string): string | undefined { return this.values.get(name)?.at(-1); }
  all(name: string): readonly string[] { return this.values.get(name) ?? []; }
  /** A whole number, decimal or 0x. Throws a usage error outside min..max. */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new CommandError('usage', `--${name}: "${text}" is not a whole number from ${min} to ${max} (decimal or 0x)`);
    }
    return value;
  }
  /** A size in bytes as QEMU spells it: 128M, 1G, 4096K; a bare number is mebibytes. */
  bytes(name: string, fallback: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const match = /^(\d+)([KMG]?)i?B?$/i.exec(text);
    const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(match?.[2] ?? '').toUpperCase() || 'M'] ?? 1;
    const bytes = match ? Number(match[1]) * unit : NaN;
    if (bytes > max) throw new CommandError('usage', `--${name}: ${text} is more than the ${max / 2 ** 20}M that the machine can have`);
    if (!Number.isSafeInteger(bytes) || bytes <= 0 || bytes % 4096 !== 0) throw new CommandError('usage', `--${name}: "${text}" is not a size like 128M or 1G`);
    return bytes;
  }
  /** Seconds, a decimal number above zero. */
  seconds(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value > 0) || value > 1e9) throw new CommandError('usage', `--${name}: "${text}" is not a number of seconds`);
    return value;
  }
}

/** Parses the words behind a command's name. Throws a usage error that names the wrong word and the nearest right one. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const known = Object.fromEntries(Object.entries(command.options).map(([name, o]) => [name, { type: o.value === undefined ? 'boolean' : 'string', multiple: o.repeat ?? false } as const]));
  const { tokens } = parseArgs({ args: [...words], options: known, strict: false, allowPositionals: true, tokens: true });
  const operands: string[] = [];
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = command.options[token.name];
    if (!option || !token.rawName.startsWith('--')) throw new CommandError('usage', `${command.name}: unknown option ${token.rawName}${nearest(token.name, Object.keys(command.options))}`);
    if (option.value === undefined && token.value !== undefined) throw new CommandError('usage', `${token.rawName}: takes no value`);
    if (option.value !== undefined && (token.value === undefined || (!token.inlineValue && /^--./.test(token.value)))) {
      throw new CommandError('usage', `${token.rawName}: its value ${option.value} is missing`);
    }
    const list = values.get(token.name) ?? [];
    if (list.length > 0 && option.repeat !== true) throw new CommandError('usage', `${token.rawName}: given twice`);
    values.set(token.name, [...list, token.value ?? '']);
  }
  return new Arguments(operands, values);
}

/** `, did you mean --memory?` for the known name with the fewest edits, where one is near enough to be meant. */
export function nearest(word: string, known: readonly string[], prefix = '--'): string {
  const scored = known.map((name) => ({ name, distance: editDistance(word, name) })).sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= Math.max(2, Math.floor(word.length / 2)) ? `; did you mean ${prefix}${best.name}?` : '';
}

/** Levenshtein distance of two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= Math.min(a.length, 64); i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Help text of a command. */
export function help(command: Command): string {
  const rows = Object.entries(command.options).map(([name, o]) => [`  --${name}${o.value === undefined ? '' : ` ${o.value}`}`, o.says] as const);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `Usage: longmode ${command.name} ${command.operands} [options]`.replace('  ', ' '), '', command.says, '', 'Options:',
    ...rows.map(([left, says]) => left.padEnd(width) + says),
    ...(command.notes === undefined ? [] : ['', command.notes]), '',
  ].join('\n');
}
