/** Programs: labels, branches of the right length, data, sections, and what the assembler says of mistakes. */
import { describe, expect, test } from 'vitest';
import {
  ah, al, assemble, AssembleError, Assembler, at, byte, dword, eax, ecx, es, far, far64, flatten, fs, gs, imm, label, qword, r12, r13, r8, rax, rbp, rbx, rcx, rel, rsp, scaled, sil, word, ax,
  type AssemblerOptions,
} from '../../src/assembler/index.ts';
import { twice } from './support/helper.ts';

const hex = (program: (a: Assembler) => void, options?: AssemblerOptions): string => Buffer.from(assemble(program, options).bytes).toString('hex');
const failure = (action: () => unknown): AssembleError => {
  try {
    action();
  } catch (error) {
    if (error instanceof AssembleError) return error;
    throw error;
  }
  throw new Error('it assembled');
};

describe('the shortest encoding is chosen', () => {
  const cases: [string, (a: Assembler) => void, string, 32?][] = [
    ['an 8-bit immediate that sign-extends', (a) => a.add(rax, -1), '4883c0ff'],
    ['an unsigned spelling of the same immediate', (a) => a.add(eax, 0xffffffff), '83c0ff'],
    ['the accumulator form of a wide immediate', (a) => a.add(eax, 0x12345678), '0578563412'],
    ['a 32-bit immediate that sign-extends', (a) => a.mov(rax, 5), '48c7c005000000'],
    ['64 bits where 32 would change the value', (a) => a.mov(rax, 0x80000000), '48b80000008000000000'],
    ['a negative 64-bit constant in 32 bits', (a) => a.mov(rax, 0xffffffff80000000n), '48c7c000000080'],
    ['an 8-bit displacement', (a) => a.mov(rax, qword(rbx, 8)), '488b4308'],
    ['no displacement', (a) => a.mov(eax, dword(rbx)), '8b03'],
    ['a zero displacement where RBP needs one', (a) => a.mov(eax, dword(rbp)), '8b4500'],
    ['a zero displacement where R13 needs one', (a) => a.mov(eax, dword(r13)), '418b4500'],
    ['a SIB byte for RSP', (a) => a.mov(eax, dword(rsp, 4)), '8b442404'],
    ['a SIB byte for R12', (a) => a.mov(eax, dword(r12)), '418b0424'],
    ['base, index, scale, displacement', (a) => a.mov(rax, qword(rbx, rcx, 8, 0x100)), '488b84cb00010000'],
    ['a scaled index alone', (a) => a.mov(rax, qword(scaled(rcx, 8), 16)), '488b04cd10000000'],
    ['an absolute address', (a) => a.mov(eax, dword(0x1000)), '8b042500100000'],
    ['an absolute address in 32-bit code, through moffs', (a) => a.mov(eax, dword(0x1000)), 'a100100000', 32],
    ['no REX for legacy byte registers', (a) => a.mov(al, ah), '88e0'],
    ['REX for SIL', (a) => a.mov(sil, al), '4088c6'],
    ['a segment override', (a) => a.mov(rax, qword(rbx).in(gs)), '65488b03'],
    ['segment and string prefixes', (a) => a.rep.movsb(), 'f3a4'],
    ['LOCK', (a) => a.lock.cmpxchg(qword(rbx), rcx), 'f0480fb10b'],
    ['a shift by one', (a) => a.shl(rax, 1), '48d1e0'],
    ['PUSH of a small immediate', (a) => a.push(-2), '6afe'],
    ['PUSH of a 16-bit immediate as 64 bits', (a) => a.push(0x1234), '6834120000'],
    ['PUSH of 16 bits where it is asked for', (a) => a.o16.push(0x1234), '66683412'],
    ['XCHG EAX, EAX is no NOP', (a) => a.xchg(eax, eax), '87c0'],
    ['XCHG with the accumulator', (a) => a.xchg(rax, r8), '4990'],
    ['a forced immediate width', (a) => a.add(rax, imm(1, 32)), '480501000000'],
    ['32-bit addressing in 64-bit code', (a) => a.lea(eax, at(ecx, 1)), '678d4101'],
    ['a far jump out of 32-bit code', (a) => a.jmp(far(8, 0x1234)), 'ea341200000800', 32],
    ['a far jump in 64-bit code', (a) => a.jmp(far64(rbx)), '48ff2b'],
    ['an interrupt', (a) => a.int(0x80), 'cd80'],
    ['a port above 127 with a doubleword', (a) => a.out(0xf4, eax), 'e7f4'],
    ['RET with a count above 32767', (a) => a.ret(0xfff8), 'c2f8ff'],
    ['a segment register from a word of memory', (a) => a.mov(es, word(rbx)), '8e03'],
    ['a high byte in memory form', (a) => a.mov(byte(rbx, 1), ah), '886301'],
  ];
  for (const [name, program, bytes, bits] of cases) test(`for ${name}`, () => expect(hex(program, { bits: bits ?? 64 })).toBe(bytes));
});

/** The first two bytes of a conditional branch over so many others. */
const branchOver = (bytes: number): string => hex((a) => {
  a.label('start');
  a.je('.end');
  a.fill(bytes, 0x90);
  a.label('.end');
}).slice(0, 4);

describe('branches', () => {
  test('are short where the target is near, forwards and backwards', () => {
    expect(hex((a) => {
      a.label('start');
      a.jmp('.end');
      a.label('.back');
      a.hlt();
      a.jne('.back');
      a.label('.end');
      a.jmp('start');
    })).toBe('eb03f475fdebf9');
  });
  test('grow when the target is out of reach of 8 bits, exactly there', () => {
    expect(branchOver(127)).toBe('747f');
    expect(branchOver(128)).toBe('0f84');
  });
  test('one that grows can push another out of reach', () => {
    const { bytes } = assemble((a) => {
      a.label('start');
      a.jmp('.one');
      a.fill(123, 0x90);
      a.jmp('.two');
      a.label('.one');
      a.fill(130, 0x90);
      a.label('.two');
    });
    expect(bytes.length).toBe(5 + 123 + 5 + 130);
    expect([bytes[0], bytes[1]]).toEqual([0xe9, 128]);
  });
  test('a chain of a thousand growing branches settles', () => {
    const { bytes } = assemble((a) => {
      for (let n = 0; n < 1000; n++) {
        a.label(`at${n}`);
        a.jmp(`at${(n + 60) % 1000}`);
      }
    });
    expect(bytes.length).toBeGreaterThan(1000 * 2);
    expect(bytes.length).toBeLessThanOrEqual(1000 * 5);
  });
  test('a width that the program fixes is kept', () => {
    expect(hex((a) => { a.label('x'); a.jmp(rel('x', 32)); })).toBe('e9fbffffff');
  });
  test('the alignment between branch and target is counted', () => {
    const { bytes, symbols } = assemble((a) => {
      a.label('start');
      a.jmp('.end');
      a.align(128);
      a.fill(1);
      a.label('.end');
    });
    expect(symbols.get('start.end')?.physical).toBe(129);
    expect([bytes[0], bytes[1]]).toEqual([0xeb, 127]);
  });
});

describe('labels', () => {
  test('local names belong to the last global label', () => {
    const { symbols } = assemble((a) => {
      a.label('one');
      a.label('.x');
      a.nop();
      a.label('two');
      a.label('.x');
      a.jmp('one.x');
    });
    expect([...symbols.keys()]).toEqual(['one', 'one.x', 'two', 'two.x']);
  });
  test('in memory operands they are RIP-relative in 64-bit code, counted from the end of the instruction', () => {
    expect(hex((a) => { a.mov(dword('data'), 7); a.label('data'); })).toBe('c7050000000007000000');
  });
  test('in memory operands they are absolute in 32-bit code and beside a base', () => {
    expect(hex((a) => { a.label('data'); a.mov(ecx, dword('data', 4)); }, { bits: 32, origin: 0x1000 })).toBe('8b0d04100000');
    expect(hex((a) => { a.label('data'); a.mov(ecx, dword(rbx, 'data')); }, { origin: 0x1000 })).toBe('8b8b00100000');
  });
  test('as immediates they take 32 bits where the address fits and 64 where it does not', () => {
    expect(hex((a) => { a.label('x'); a.mov(rax, label('x')); }, { origin: 0x1000 })).toBe('48c7c000100000');
    expect(hex((a) => { a.label('x'); a.mov(rax, label('x')); }, { origin: 0x1000, virtualBase: 0xffff800000000000n })).toBe('48b8001000000080ffff');
  });
  test('give physical addresses, sums and distances', () => {
    const { bytes } = assemble((a) => {
      a.label('x');
      a.dq('x', label('x').physical(), label('end').minus('x'));
      a.dd(label('x').physical().plus(1));
      a.label('end');
    }, { origin: 0x2000, virtualBase: 0x10000n });
    const view = new DataView(bytes.buffer);
    expect([view.getBigUint64(0, true), view.getBigUint64(8, true), view.getBigUint64(16, true), view.getUint32(24, true)]).toEqual([0x12000n, 0x2000n, 28n, 0x2001]);
  });
});

function program(): Assembler {
  const a = new Assembler({ origin: 0x100000n, virtualBase: 0xffffffff80000000n });
  a.bits(32);
  a.section('.boot');
  a.label('boot');
  a.mov(eax, label('counter').physical());
  a.bits(64);
  a.section('.text');
  a.func('main', () => {
    a.inc(qword('counter'));
    a.lea(rax, at('text'));
    a.label('.hang');
    a.jmp('.hang');
  });
  a.section('.bss');
  a.object('stack', () => a.reserve(0x2000));
  a.section('.data');
  a.object('counter', () => a.dq(5n));
  a.section('.rodata');
  a.object('text', () => a.db('hello\0'));
  a.dd(label('__image_end').physical().minus('__image_start'));
  a.entry('boot');
  return a;
}

describe('sections', () => {
  test('are loaded one after another, zeroes last, each on pages of its own', () => {
    const image = program().link();
    expect(image.sections.map((x) => [x.name, x.physical, x.linear, x.size, x.bytes.length])).toEqual([
      ['.boot', 0x100000, 0x100000n, 5, 5],
      ['.text', 0x101000, 0xffffffff80101000n, 16, 16],
      ['.data', 0x102000, 0xffffffff80102000n, 8, 8],
      ['.rodata', 0x103000, 0xffffffff80103000n, 10, 10],
      ['.bss', 0x104000, 0xffffffff80104000n, 0x2000, 0],
    ]);
    expect(image.entry).toMatchObject({ name: 'boot', linear: 0x100000n });
    expect(image.symbols.get('main')).toMatchObject({ kind: 'function', size: 16, section: '.text' });
    expect(image.symbols.get('main.hang')?.local).toBe(true);
    expect(Buffer.from(flatten(image).subarray(0, 5)).toString('hex')).toBe('b800201000');
    expect(new DataView(image.sections[3]?.bytes.buffer as ArrayBuffer).getUint32(6, true)).toBe(0x6000);
  });
  test('linking twice gives the same image', () => {
    const a = program();
    expect(a.link()).toEqual(a.link());
  });
  test('every statement knows its source line', () => {
    const { lines } = program().link();
    expect(new Set(lines.map((x) => x.source.file.replace(/^.*\/test\//, 'test/')))).toEqual(new Set(['test/assembler/program.test.ts']));
    const numbers = lines.filter((x) => x.section === '.text').map((x) => x.source.line);
    expect(numbers.map((x) => x - (numbers[0] as number))).toEqual([0, 1, 3]);
  });
});

describe('a mistake is one line that names its place', () => {
  const cases: [string, (a: Assembler) => void, RegExp][] = [
    ['an unknown label', (a) => a.jmp('nowhere'), /label nowhere is not defined$/],
    ['a label defined twice', (a) => { a.label('x'); a.label('x'); }, /label x is already defined at .*program\.test\.ts:\d+$/],
    ['a local label without a global one', (a) => a.label('.x'), /local label \.x stands before/],
    ['an immediate that does not fit', (a) => a.add(rax, 0x123456789an), /no encoding of add rax, 0x123456789a in 64-bit code/],
    ['an inexact number', (a) => a.mov(rax, 2 ** 60), /is not an exact integer/],
    ['AH beside REX', (a) => a.mov(byte(r8), ah), /no encoding of mov byte \[r8\], ah/],
    ['a 64-bit register in 32-bit code', (a) => { a.bits(32); a.mov(rax, rbx); }, /in 32-bit code/],
    ['LOCK without a memory destination', (a) => a.lock.add(rax, rbx), /no encoding of lock add rax, rbx/],
    ['LOCK where it is not allowed', (a) => a.lock.mov(qword(rbx), rax), /no encoding of lock mov/],
    ['REP of an ordinary instruction', (a) => a.rep.add(rax, rbx), /no encoding of rep add/],
    ['RSP as an index', (a) => a.mov(rax, qword(rbx, rsp)), /no encoding of mov rax, qword \[rbx \+ rsp\*1\]/],
    ['a displacement over 32 bits', (a) => a.mov(rax, qword(rbx, 0x80000000)), /no encoding/],
    ['data that does not fit', (a) => a.db(256), /256 does not fit 8 bits/],
    ['a branch out of reach', (a) => { a.label('x'); a.fill(200); a.jrcxz('x'); }, /jrcxz x: the distance to x \(-202\) does not fit 8 bits/],
    ['an address out of reach', (a) => { a.label('x'); a.mov(eax, dword(rbx, label('x').plus(0x100000000))); }, /does not fit 32 bits/],
    ['code in a section of zeroes', (a) => { a.section('.bss'); a.nop(); }, /section \.bss holds only reserved bytes/],
    ['an unknown section without flags', (a) => a.section('.odd'), /section \.odd needs flags/],
    ['a label that the linker defines', (a) => a.label('__text_start'), /label __text_start has the form of those that the linker defines/],
    ['an odd alignment', (a) => a.align(24), /alignment 24 is no power of two/],
    ['a function that ends elsewhere', (a) => a.func('f', () => a.section('.data')), /f starts in section \.text and ends in \.data/],
  ];
  for (const [name, program, message] of cases) {
    test(`${name} is refused`, () => {
      const error = failure(() => assemble(program));
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(/^\S*program\.test\.ts:\d+: /);
      expect(error.message).not.toContain('\n');
      expect(error.location?.line).toBeGreaterThan(0);
    });
  }
  test('the place goes through the hook that knows source maps', () => {
    const a = new Assembler({ resolveLocation: () => ({ file: '/home/me/src/kernel/pmm.ts', line: 42 }), sourceRoot: '/home/me' });
    a.jmp('nowhere');
    expect(failure(() => a.link()).message).toBe('src/kernel/pmm.ts:42: label nowhere is not defined');
  });
  test('what a helper emits belongs to the line that called the helper', () => {
    const a = new Assembler({ helperFiles: ['/support/helper.ts'] });
    twice(a, () => a.nop());
    const [first, second, third] = a.link().lines.map((x) => x.source);
    expect(first?.file).toMatch(/program\.test\.ts$/);
    expect([second, third]).toEqual([first, first]);
    const plain = new Assembler();
    twice(plain, () => plain.nop());
    expect(plain.link().lines[0]?.source.file).toMatch(/support\/helper\.ts$/);
  });
  test('the last instructions assembled are unaffected by a refused one', () => {
    const a = new Assembler();
    failure(() => a.mov(byte(r8), ah));
    a.mov(ax, word(rbx).in(fs));
    expect(Buffer.from(flatten(a.link())).toString('hex')).toBe('64668b03');
  });
});
