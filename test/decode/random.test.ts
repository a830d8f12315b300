/**
 * Whatever the bytes, the decoder answers: an instruction of 1 to 15 bytes, or why there is none. `npm test` decodes 300,000 random byte strings,
 * `npm run fuzz:decoder` DECODES of them, 100 million if it does not say.
 */
import { expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { MAX_LENGTH } from '../../src/cpu/decode/reader.ts';
import { modeOf } from '../../src/cpu/isa/instruction.ts';
import { Random, seedOf } from '../support/random.ts';

const wanted = Number(process.env['DECODES'] ?? 300_000);
const MODES = [16, 32, 64] as const;
const FAILURES = ['truncated', 'invalid', 'too-long', 'unimplemented'];
/** Prefixes, escapes and VEX: without them most random bytes are short instructions. */
const STARTS = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x64, 0x48, 0x0f, 0xc4, 0xc5, 0x62, 0x8f];
/** So many strings are taken from one buffer, each a byte behind the last. */
const BUFFER = 4096;

test(`${wanted} random byte strings decode without a host exception`, { timeout: 36_000_000 }, () => {
  const seed = seedOf('random byte strings');
  const r = new Random(seed);
  const bytes = new Uint8Array(BUFFER + MAX_LENGTH), words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  const wrong: string[] = [];
  let instructions = 0;
  for (let done = 0; done < wanted;) {
    for (let n = 0; n < words.length; n++) words[n] = r.u32();
    for (let at = r.below(8); at < BUFFER; at += 1 + r.below(8)) bytes[at] = r.pick(STARTS);
    for (let at = 0; at < BUFFER && done < wanted; at++, done++) {
      const codeSize = MODES[done % 3]!;
      // Some end too soon.
      const string = bytes.subarray(at, at + ((at & 7) === 0 ? 1 + (at >>> 3) % MAX_LENGTH : MAX_LENGTH));
      let what: string | undefined;
      try {
        const i = decode(string, 0, modeOf(codeSize));
        if (i instanceof DecodeFailure) what = FAILURES.includes(i.kind) ? undefined : i.kind;
        else {
          instructions++;
          if (!(i.length >= 1 && i.length <= string.length)) what = `${i.row.text} of ${i.length} bytes`;
        }
      } catch (thrown) {
        what = String(thrown);
      }
      if (what !== undefined) wrong.push(`${codeSize}-bit ${Buffer.from(string).toString('hex')}: ${what}`);
    }
  }
  expect(wrong.slice(0, 10), `SEED=${seed}`).toEqual([]);
  // Not all of them are nothing.
  expect(instructions).toBeGreaterThan(wanted / 4);
});
