/**
 * What the translator writes for a dozen blocks of guest code, as golden files, with a budget of WebAssembly instructions each. A change of the
 * translator shows here as a diff; a block that got longer than its budget has to be argued for.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ah, al, bl, byte, cl, dl, dword, eax, ecx, edx, qword, r8, rax, rbp, rbx, rcx, rdi, rdx, rsi, xmm3, ymm1, ymm2, ymmword, type Assembler } from '../../src/assembler/index.ts';
import { functionText, type WasmFunction } from '../support/wasm-text.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';

interface Emitted { readonly name: string; readonly says: string; readonly program: (a: Assembler) => void; readonly budget: number }

/** Each begins with the region that is looked at, and ends in HLT, which no region holds. */
const BLOCKS: readonly Emitted[] = [
  { name: 'alu-loop', says: 'a loop whose values stay in locals; only its own branch reads the flags; written four times in a row', budget: 300, program: (a) => {
    a.mov(ecx, 3);
    a.label('again');
    a.shl(rax, 7);
    a.xor(rax, rdx);
    a.ror(rax, 3);
    a.add(rax, rbx);
    a.sub(ecx, 1);
    a.jnz('again');
    a.hlt();
  } },
  { name: 'load', says: 'a load from the page that its base register led to last, else by the TLB', budget: 84, program: (a) => {
    a.mov(rax, qword(rdi, 8));
    a.hlt();
  } },
  { name: 'store-loop', says: 'bytes stored behind each other', budget: 550, program: (a) => {
    a.mov(rdi, AT.data);
    a.label('again');
    a.mov(byte(rdi, rcx), 1);
    a.add(rcx, 3);
    a.cmp(rcx, 16);
    a.jb('again');
    a.hlt();
  } },
  { name: 'read-modify-write', says: 'the place is looked up once, for writing', budget: 93, program: (a) => {
    a.add(qword(rdi), rax);
    a.hlt();
  } },
  { name: 'table-step', says: 'a step of CRC-32: a table entry by the low byte', budget: 222, program: (a) => {
    a.movzx(edx, byte(rsi));
    a.xor(dl, al);
    a.movzx(edx, dl);
    a.shr(eax, 8);
    a.xor(eax, dword(rdi, rdx, 4));
    a.hlt();
  } },
  { name: 'stack-frame', says: 'pushes and pops share what is known of the stack\'s page', budget: 307, program: (a) => {
    a.push(rbp);
    a.push(rbx);
    a.mov(rbp, rdi);
    a.pop(rbx);
    a.pop(rbp);
    a.hlt();
  } },
  { name: 'call-and-return', says: 'a return compares its target with the place behind the call', budget: 292, program: (a) => {
    a.call('routine');
    a.hlt();
    a.label('routine');
    a.add(rax, 1);
    a.ret();
  } },
  { name: 'compare-and-select', says: 'SETcc and CMOVcc look at what was compared, not at flags', budget: 56, program: (a) => {
    a.cmp(rax, rdx);
    a.setl(bl);
    a.cmovl(rax, rdx);
    a.xor(ecx, ecx);
    a.hlt();
  } },
  { name: 'carry-chain', says: '128-bit addition', budget: 45, program: (a) => {
    a.add(rax, rbx);
    a.adc(rdx, rcx);
    a.hlt();
  } },
  { name: 'wide-multiplication', says: '64 by 64 to 128 bits', budget: 80, program: (a) => {
    a.mul(rbx);
    a.hlt();
  } },
  { name: 'byte-registers', says: 'AH and AL are parts of RAX', budget: 62, program: (a) => {
    a.mov(ah, bl);
    a.add(al, ah);
    a.hlt();
  } },
  { name: 'variable-shift', says: 'a count of zero changes no flag', budget: 158, program: (a) => {
    a.shl(rax, cl);
    a.hlt();
  } },
  { name: 'ymm-loop', says: 'memory by 32 bytes: halves in locals, one access for both; the upper half that is only cleared is cleared in the state', budget: 895, program: (a) => {
    a.label('again');
    a.vmovdqu(ymm1, ymmword(rsi, rcx));
    a.vpaddb(ymm1, ymm1, ymm2);
    a.vmovdqu(ymmword(rdi, rcx), ymm1);
    a.vpxor(xmm3, xmm3, xmm3);
    a.add(rcx, 32);
    a.jnz('again');
    a.hlt();
  } },
  { name: 'indirect-jump', says: 'the target is looked up in the entry table', budget: 109, program: (a) => {
    a.lea(r8, qword('there'));
    a.jmp(r8);
    a.label('there');
    a.hlt();
  } },
];

describe('a region in WebAssembly', () => {
  const modules: Uint8Array[] = [];
  const Module = WebAssembly.Module;
  beforeEach(() => {
    modules.length = 0;
    vi.spyOn(WebAssembly, 'Module').mockImplementation(function (bytes: BufferSource) {
      modules.push(new Uint8Array(bytes as ArrayBuffer).slice());
      return new Module(bytes);
    });
  });
  afterEach(() => { vi.restoreAllMocks(); });

  const translated = (program: (a: Assembler) => void): WasmFunction => {
    const m = new SystemMachine(64, 'translator').gates();
    m.program(program);
    m.runFast(100_000);
    const first = modules.find((bytes) => Module.exports(new Module(bytes as BufferSource)).some(({ name }) => name.startsWith('region')));
    if (first === undefined) throw new Error('nothing was translated');
    return functionText(first);
  };

  it('loads what it uses when it is entered and stores what it changed when it is left', async () => {
    await expect(translated((a) => { a.add(rax, rbx); a.hlt(); }).whole).toMatchFileSnapshot('../golden/emission/whole.wat');
  });
  it.each(BLOCKS)('$name: $says', async ({ name, program, budget }) => {
    const region = translated(program);
    await expect(region.inner).toMatchFileSnapshot(`../golden/emission/${name}.wat`);
    expect(region.instructions).toBeLessThanOrEqual(budget);
  });
});
