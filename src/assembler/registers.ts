/** The registers by name. SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode". */
import type { Width } from '../cpu/isa/operand.ts';
import type { FpuRegister, GeneralRegister, MmxRegister, SpecialRegister, XmmRegister } from './operands.ts';

const general = <W extends Width, const N extends string>(width: W, name: N, number: number, high = false): GeneralRegister<W, N> => ({ kind: 'register', width, name, number, high });
const special = <const K extends 'segment' | 'control' | 'debug', const N extends string>(kind: K, name: N, number: number): SpecialRegister<K, N> => ({ kind, name, number });
const mm = <const N extends string>(name: N, number: number): MmxRegister<N> => ({ kind: 'mmx', name, number });
const xmm = <const N extends string>(name: N, number: number): XmmRegister<N, 128> => ({ kind: 'xmm', width: 128, name, number });
const ymm = <const N extends string>(name: N, number: number): XmmRegister<N, 256> => ({ kind: 'xmm', width: 256, name, number });
const stack = <const N extends string>(name: N, number: number): FpuRegister<N> => ({ kind: 'fpu', name, number });

export const rax = general(64, 'rax', 0), rcx = general(64, 'rcx', 1), rdx = general(64, 'rdx', 2), rbx = general(64, 'rbx', 3);
export const rsp = general(64, 'rsp', 4), rbp = general(64, 'rbp', 5), rsi = general(64, 'rsi', 6), rdi = general(64, 'rdi', 7);
export const r8 = general(64, 'r8', 8), r9 = general(64, 'r9', 9), r10 = general(64, 'r10', 10), r11 = general(64, 'r11', 11);
export const r12 = general(64, 'r12', 12), r13 = general(64, 'r13', 13), r14 = general(64, 'r14', 14), r15 = general(64, 'r15', 15);

export const eax = general(32, 'eax', 0), ecx = general(32, 'ecx', 1), edx = general(32, 'edx', 2), ebx = general(32, 'ebx', 3);
export const esp = general(32, 'esp', 4), ebp = general(32, 'ebp', 5), esi = general(32, 'esi', 6), edi = general(32, 'edi', 7);
export const r8d = general(32, 'r8d', 8), r9d = general(32, 'r9d', 9), r10d = general(32, 'r10d', 10), r11d = general(32, 'r11d', 11);
export const r12d = general(32, 'r12d', 12), r13d = general(32, 'r13d', 13), r14d = general(32, 'r14d', 14), r15d = general(32, 'r15d', 15);

export const ax = general(16, 'ax', 0), cx = general(16, 'cx', 1), dx = general(16, 'dx', 2), bx = general(16, 'bx', 3);
export const sp = general(16, 'sp', 4), bp = general(16, 'bp', 5), si = general(16, 'si', 6), di = general(16, 'di', 7);
export const r8w = general(16, 'r8w', 8), r9w = general(16, 'r9w', 9), r10w = general(16, 'r10w', 10), r11w = general(16, 'r11w', 11);
export const r12w = general(16, 'r12w', 12), r13w = general(16, 'r13w', 13), r14w = general(16, 'r14w', 14), r15w = general(16, 'r15w', 15);

export const al = general(8, 'al', 0), cl = general(8, 'cl', 1), dl = general(8, 'dl', 2), bl = general(8, 'bl', 3);
export const spl = general(8, 'spl', 4), bpl = general(8, 'bpl', 5), sil = general(8, 'sil', 6), dil = general(8, 'dil', 7);
export const r8b = general(8, 'r8b', 8), r9b = general(8, 'r9b', 9), r10b = general(8, 'r10b', 10), r11b = general(8, 'r11b', 11);
export const r12b = general(8, 'r12b', 12), r13b = general(8, 'r13b', 13), r14b = general(8, 'r14b', 14), r15b = general(8, 'r15b', 15);

/** Bits 15:8 of RAX, RCX, RDX, RBX; not encodable beside a REX prefix. */
export const ah = general(8, 'ah', 0, true), ch = general(8, 'ch', 1, true), dh = general(8, 'dh', 2, true), bh = general(8, 'bh', 3, true);

export const xmm0 = xmm('xmm0', 0), xmm1 = xmm('xmm1', 1), xmm2 = xmm('xmm2', 2), xmm3 = xmm('xmm3', 3);
export const xmm4 = xmm('xmm4', 4), xmm5 = xmm('xmm5', 5), xmm6 = xmm('xmm6', 6), xmm7 = xmm('xmm7', 7);
export const xmm8 = xmm('xmm8', 8), xmm9 = xmm('xmm9', 9), xmm10 = xmm('xmm10', 10), xmm11 = xmm('xmm11', 11);
export const xmm12 = xmm('xmm12', 12), xmm13 = xmm('xmm13', 13), xmm14 = xmm('xmm14', 14), xmm15 = xmm('xmm15', 15);
export const ymm0 = ymm('ymm0', 0), ymm1 = ymm('ymm1', 1), ymm2 = ymm('ymm2', 2), ymm3 = ymm('ymm3', 3);
export const ymm4 = ymm('ymm4', 4), ymm5 = ymm('ymm5', 5), ymm6 = ymm('ymm6', 6), ymm7 = ymm('ymm7', 7);
export const ymm8 = ymm('ymm8', 8), ymm9 = ymm('ymm9', 9), ymm10 = ymm('ymm10', 10), ymm11 = ymm('ymm11', 11);
export const ymm12 = ymm('ymm12', 12), ymm13 = ymm('ymm13', 13), ymm14 = ymm('ymm14', 14), ymm15 = ymm('ymm15', 15);
export const mm0 = mm('mm0', 0), mm1 = mm('mm1', 1), mm2 = mm('mm2', 2), mm3 = mm('mm3', 3);
export const mm4 = mm('mm4', 4), mm5 = mm('mm5', 5), mm6 = mm('mm6', 6), mm7 = mm('mm7', 7);
export const st0 = stack('st0', 0), st1 = stack('st1', 1), st2 = stack('st2', 2), st3 = stack('st3', 3);
export const st4 = stack('st4', 4), st5 = stack('st5', 5), st6 = stack('st6', 6), st7 = stack('st7', 7);

export const es = special('segment', 'es', 0), cs = special('segment', 'cs', 1), ss = special('segment', 'ss', 2), ds = special('segment', 'ds', 3), fs = special('segment', 'fs', 4), gs = special('segment', 'gs', 5);
export const cr0 = special('control', 'cr0', 0), cr2 = special('control', 'cr2', 2), cr3 = special('control', 'cr3', 3), cr4 = special('control', 'cr4', 4), cr8 = special('control', 'cr8', 8);
export const dr0 = special('debug', 'dr0', 0), dr1 = special('debug', 'dr1', 1), dr2 = special('debug', 'dr2', 2), dr3 = special('debug', 'dr3', 3);
export const dr4 = special('debug', 'dr4', 4), dr5 = special('debug', 'dr5', 5), dr6 = special('debug', 'dr6', 6), dr7 = special('debug', 'dr7', 7);
