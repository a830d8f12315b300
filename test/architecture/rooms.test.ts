/** The rooms of docs/DESIGN.md, and who may import whom: the direction of every import in src/ is checked here. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

interface Import { readonly from: string; readonly to: string; readonly typeOnly: boolean }

function sources(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts')).map((f) => f.replaceAll('\\', '/'));
}
function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm)].map((m) => {
    const target = (m[2] ?? m[3]) as string;
    return { from: file, to: target.startsWith('.') ? relative(SRC, join(SRC, dirname(file), target)).replaceAll('\\', '/') : target, typeOnly: m[1] !== undefined };
  });
}
/** The room of a file: the first folder, and inside cpu/ the second. */
const room = (path: string): string => {
  const parts = path.split('/');
  if (path.startsWith('debugger/page/')) return 'debugger/page';
  return parts[0] === 'cpu' && parts.length > 2 ? `cpu/${parts[1]}` : parts.length === 1 ? 'index' : (parts[0] as string);
};

/** What each room may import besides itself. `type` imports of cpu.ts from isa/ are allowed: a meaning names its context. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'state': [],
  'mmu': ['state'],
  'devices': ['state', 'mmu'],
  'cpu': ['state', 'mmu', 'cpu/isa', 'cpu/floating-point'],
  'cpu/isa': ['state', 'cpu', 'mmu', 'cpu/floating-point', 'cpu/fpu'],
  'cpu/floating-point': [],
  'cpu/fpu': ['state', 'cpu', 'mmu', 'cpu/floating-point'],
  'cpu/decode': ['state', 'cpu/isa'],
  'cpu/engines': ['state', 'mmu', 'cpu', 'cpu/isa', 'cpu/floating-point', 'cpu/fpu', 'cpu/decode', 'cpu/describe'],
  'cpu/describe': ['state', 'cpu/isa', 'cpu/decode'],
  'assembler': ['state', 'cpu/isa', 'cpu/decode', 'cpu/describe'],
  'kernel': ['assembler'],
  'machine': ['state', 'mmu', 'devices', 'cpu', 'cpu/isa', 'cpu/fpu', 'cpu/decode', 'cpu/engines'],
  'debug': ['state', 'mmu', 'devices', 'cpu', 'cpu/isa', 'cpu/decode', 'cpu/describe', 'machine'],
  'debugger': ['state', 'mmu', 'devices', 'cpu', 'cpu/isa', 'cpu/decode', 'cpu/describe', 'machine', 'debug'],
  'debugger/page': ['debugger', 'machine'],
  'trace': ['state', 'mmu', 'devices', 'cpu', 'cpu/isa', 'cpu/decode', 'cpu/describe', 'cpu/engines', 'machine', 'debug'],
  'cli': ['state', 'mmu', 'devices', 'cpu', 'cpu/isa', 'cpu/decode', 'cpu/describe', 'cpu/engines', 'machine', 'debug', 'debugger', 'trace', 'kernel', 'assembler'],
  'index': ['state', 'mmu', 'devices', 'cpu', 'cpu/isa', 'cpu/decode', 'cpu/describe', 'cpu/engines', 'machine', 'debug', 'trace', 'kernel', 'assembler'],
};
/** Only the command line and the trace room (QEMU processes) may know that there is a Node. */
const NODE_ROOMS = ['cli', 'trace'];

describe('the rooms of src/', () => {
  const imports = sources().flatMap(importsOf);

  it('every folder is a known room', () => {
    expect([...new Set(sources().map(room))].filter((r) => MAY_IMPORT[r] === undefined)).toEqual([]);
  });
  it('no import goes against the direction of the design', () => {
    const wrong = imports.filter((i) => !i.to.includes(':') && i.to.endsWith('.ts'))
      .filter((i) => room(i.from) !== room(i.to) && !(MAY_IMPORT[room(i.from)] ?? []).includes(room(i.to)));
    expect(wrong.map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
  });
  it('the page knows the worker by its messages only', () => {
    expect(imports.filter((i) => room(i.from) === 'debugger/page' && room(i.to) === 'debugger' && !(i.to === 'debugger/messages.ts' && i.typeOnly)).map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
  });
  it('of the machine, which is the worker\'s, the page has the checksum only', () => {
    expect(imports.filter((i) => room(i.from) === 'debugger/page' && room(i.to) === 'machine' && i.to !== 'machine/crc32.ts').map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
  });
  it('only cli/ and trace/ import Node modules, and nothing in src/ imports a package but for the page its terminal', () => {
    const outside = imports.filter((i) => !i.to.endsWith('.ts') && !(room(i.from) === 'debugger/page' && i.to.startsWith('@xterm/')));
    expect(outside.filter((i) => !i.to.startsWith('node:')).map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
    expect(outside.filter((i) => !NODE_ROOMS.includes(room(i.from))).map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
  });
  it('the table and the vocabulary name no engine and no decoder', () => {
    expect(imports.filter((i) => room(i.from) === 'cpu/isa' && /^cpu\/(engines|decode|describe)/.test(i.to)).map((i) => `${i.from} imports ${i.to}`)).toEqual([]);
  });
});
