/** The listing: address, bytes, assembly and source line of everything in an image. */
import { decode } from '../cpu/decode/decode.ts';
import { format, type Symbolize } from '../cpu/describe/format.ts';
import { modeOf } from '../cpu/isa/instruction.ts';
import type { Image, ImageLine, ImageSection } from './image.ts';

const BYTES_PER_ROW = 8;
const ADDRESS_DIGITS = 16;

/** A listing of the image, one statement a line; bytes beyond eight continue on lines of their own. */
export function listing(image: Image): string {
  const names = new Map<bigint, string>([...image.symbols.values()].map((x) => [x.linear, x.name]));
  const symbolize: Symbolize = (address) => names.get(address);
  const out: string[] = [];
  for (const section of image.sections) {
    out.push(`; section ${section.name}: ${section.size} bytes at linear 0x${section.linear.toString(16)}, physical 0x${section.physical.toString(16)}`);
    const labels = [...image.symbols.values()].filter((x) => x.section === section.name).sort((x, y) => (x.linear < y.linear ? -1 : x.linear > y.linear ? 1 : 0));
    let shown = 0;
    const showLabels = (upTo: bigint): void => {
      for (; shown < labels.length; shown++) {
        const { linear, name } = labels[shown] as (typeof labels)[number];
        if (linear > upTo) return;
        out.push(`${hex(linear)}  ${name}:`);
      }
    };
    for (const line of image.lines) {
      if (line.section !== section.name) continue;
      showLabels(line.linear);
      out.push(...statement(section, line, symbolize));
    }
    showLabels(section.linear + BigInt(section.size));
    out.push('');
  }
  return out.join('\n');
}

function statement(section: ImageSection, line: ImageLine, symbolize: Symbolize): string[] {
  const offset = Number(line.linear - section.linear);
  const bytes = section.bytes.subarray(offset, offset + line.size);
  const text = line.kind === 'instruction' ? disassemble(bytes, line, symbolize) : 'data';
  const rows: string[] = [];
  for (let n = 0; n < bytes.length; n += BYTES_PER_ROW) {
    const row = `${hex(line.linear + BigInt(n))}  ${[...bytes.subarray(n, n + BYTES_PER_ROW)].map((x) => x.toString(16).padStart(2, '0')).join(' ').padEnd(BYTES_PER_ROW * 3)}`;
    rows.push(n === 0 ? `${row} ${text.padEnd(48)} ; ${line.source.file}:${line.source.line}` : row.trimEnd());
  }
  return rows;
}

/** The disassembler's text: what the bytes are, rather than what was written. */
function disassemble(bytes: Uint8Array, line: ImageLine, symbolize: Symbolize): string {
  const instruction = decode(bytes, 0, modeOf(line.bits));
  if (!('operands' in instruction) || instruction.length !== bytes.length) throw new Error(`the assembler wrote bytes that do not decode: ${line.source.file}:${line.source.line}`);
  return format(instruction, line.linear, symbolize);
}
const hex = (x: bigint): string => x.toString(16).padStart(ADDRESS_DIGITS, '0');
