/**
 * The files of recorded x87 cases: a line that names the processor, then a line a case (cases.ts). Of one there are a few cases of each row, of the other,
 * in test/golden/silicon/, 200 and more; those share their inputs, which brotli finds.
 */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { readCase, writeCase, type X87Case } from './cases.ts';

/** Their names in test/golden: of a few cases of a row, and of many. */
export const X87_RECORDINGS = { few: 'x87.txt.gz', many: 'silicon/x87.txt.br' } as const;
export type X87RecordingName = keyof typeof X87_RECORDINGS;
export interface X87Recording { readonly processor: string; readonly cases: readonly X87Case[] }

const compressed = (text: Buffer): Buffer => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });

/** The bytes of a file. */
export function writeX87Recording(name: X87RecordingName, { processor, cases }: X87Recording): Buffer {
  const text = Buffer.from(`${[processor, ...cases.map(writeCase)].join('\n')}\n`, 'latin1');
  return name === 'few' ? gzipSync(text, { level: 9 }) : compressed(text);
}

export function readX87Recording(name: X87RecordingName): X87Recording {
  const file = readFileSync(new URL(`../../golden/${X87_RECORDINGS[name]}`, import.meta.url));
  const [processor, ...lines] = (name === 'few' ? gunzipSync(file) : brotliDecompressSync(file)).toString('latin1').trimEnd().split('\n') as [string, ...string[]];
  return { processor, cases: lines.map(readCase) };
}
