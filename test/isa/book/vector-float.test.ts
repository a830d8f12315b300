/** Floating point in XMM registers by example: lanes are written highest first, as the manual draws them. */
import { example, GP, instruction, MEMORY, PF, UNMAPPED, XM, type Result, type State } from '../../support/example.ts';
import { CUT, d, DAZ, DE, DEFAULT, DOWN, FTZ, IE, OE, pd, PE, ps, s, UE, unmasked, UP, ZE } from '../../support/floats.ts';

/** A scalar below what is not its business. */
const ABOVE = 0xa5a5_a5a5_a5a5_a5a5_5a5a_5a5a_0000_0000n;
const ss = (x: number): bigint => ABOVE | s(x);
const sd = (x: number): bigint => ((ABOVE >> 64n) << 64n) | d(x);

const SNAN = 0x7ff0_0000_0000_0001n, QNAN = 0x7ff8_0000_0000_0005n, INDEFINITE = 0xfff8_0000_0000_0000n;
const LARGEST = Number.MAX_VALUE, SMALLEST = 2 ** -1022, DENORMAL = Number.MIN_VALUE;

const low = (sentence: string, name: string, a: bigint, b: bigint, result: bigint, more: State = {}, after: Result = {}): void => {
  example(sentence, `${name} xmm1, xmm2`, { xmm1: a, xmm2: b, ...more }, { xmm1: result, ...after });
};
type Binary = (x: number, y: number) => number;
const packedSingle = (name: string, f: Binary): void => { low('works on four lanes', name, ps(8, 6, -2, 9), ps(2, 4, -8, 4), ps(f(8, 2), f(6, 4), f(-2, -8), f(9, 4))); };
const packedDouble = (name: string, f: Binary): void => {
  low('works on two lanes', name, pd(9, -8), pd(4, 2), pd(f(9, 4), f(-8, 2)));
  example('needs its memory operand aligned', `${name} xmm1, xmmword ptr [rdi]`, { rdi: MEMORY + 8n }, { fault: GP });
};
const scalarSingle = (name: string, f: Binary): void => {
  low('works on the lowest lane and keeps the others', name, ss(9), ps(1, 2, 3, 4), ss(f(9, 4)));
  example('reads four bytes of memory, of any alignment', `${name} xmm1, dword ptr [rdi+1]`, { rdi: MEMORY - 1n, dword: s(4), xmm1: ss(9) }, { xmm1: ss(f(9, 4)) });
};
const scalarDouble = (name: string, f: Binary): void => {
  low('works on the lowest lane and keeps the other', name, sd(9), pd(1, 4), sd(f(9, 4)));
  example('changes nothing when its source faults', `${name} xmm1, qword ptr [rdi]`, { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
};

const plus: Binary = (x, y) => x + y;
instruction('ADDPS', () => { packedSingle('addps', plus); });
instruction('ADDPD', () => {
  packedDouble('addpd', plus);
  low('collects the exceptions of both lanes', 'addpd', (SNAN << 64n) | d(1), pd(0, 2 ** -60), (0x7ff8_0000_0000_0001n << 64n) | d(1), {}, { mxcsr: DEFAULT | IE | PE });
  low('an exception found before computing, if it is not masked, hides those of the other lane', 'addpd', (SNAN << 64n) | d(1), pd(0, 2 ** -60), (SNAN << 64n) | d(1), { mxcsr: unmasked(IE) }, { mxcsr: unmasked(IE) | IE, fault: XM });
});
instruction('ADDSS', () => { scalarSingle('addss', plus); });
instruction('ADDSD', () => {
  scalarDouble('addsd', plus);
  low('rounds to nearest and notes that it did', 'addsd', sd(1), d(2 ** -53), sd(1), {}, { mxcsr: DEFAULT | PE });
  low('rounds up where MXCSR says so', 'addsd', sd(1), d(2 ** -60), sd(1 + 2 ** -52), { mxcsr: DEFAULT | UP }, { mxcsr: DEFAULT | UP | PE });
  low('rounds down where MXCSR says so', 'addsd', sd(-1), d(-(2 ** -60)), sd(-1 - 2 ** -52), { mxcsr: DEFAULT | DOWN }, { mxcsr: DEFAULT | DOWN | PE });
  low('cuts where MXCSR says so', 'addsd', sd(-1), d(-(2 ** -60)), sd(-1), { mxcsr: DEFAULT | CUT }, { mxcsr: DEFAULT | CUT | PE });
  low('flags stay set', 'addsd', sd(1), d(1), sd(2), { mxcsr: DEFAULT | ZE }, { mxcsr: DEFAULT | ZE });
  low('the NaN of the first operand wins', 'addsd', QNAN, INDEFINITE, QNAN);
  low('a signaling NaN becomes quiet and is invalid', 'addsd', d(1), SNAN, 0x7ff8_0000_0000_0001n, {}, { mxcsr: DEFAULT | IE });
  low('infinity less infinity is the indefinite', 'addsd', d(Infinity), d(-Infinity), INDEFINITE, {}, { mxcsr: DEFAULT | IE });
  low('notes a denormal operand', 'addsd', d(DENORMAL), d(0), d(DENORMAL), {}, { mxcsr: DEFAULT | DE });
  low('reads denormals as zeros under DAZ', 'addsd', d(DENORMAL), d(0), 0n, { mxcsr: DEFAULT | DAZ }, {});
  low('raises #XM and changes no register where an exception is not masked', 'addsd', sd(1), d(2 ** -60), sd(1), { mxcsr: unmasked(PE) }, { mxcsr: unmasked(PE) | PE, fault: XM });
});

const minus: Binary = (x, y) => x - y;
instruction('SUBPS', () => { packedSingle('subps', minus); });
instruction('SUBPD', () => { packedDouble('subpd', minus); });
instruction('SUBSS', () => { scalarSingle('subss', minus); });
instruction('SUBSD', () => {
  scalarDouble('subsd', minus);
  low('x - x is negative zero where rounding goes down', 'subsd', d(3), d(3), d(-0), { mxcsr: DEFAULT | DOWN });
});

const times: Binary = (x, y) => x * y;
instruction('MULPS', () => { packedSingle('mulps', times); });
instruction('MULPD', () => { packedDouble('mulpd', times); });
instruction('MULSS', () => { scalarSingle('mulss', times); });
instruction('MULSD', () => {
  scalarDouble('mulsd', times);
  low('an overflow is infinity', 'mulsd', d(LARGEST), d(2), d(Infinity), {}, { mxcsr: DEFAULT | OE | PE });
  low('an overflow that is cut is the largest number', 'mulsd', d(LARGEST), d(2), d(LARGEST), { mxcsr: DEFAULT | CUT }, { mxcsr: DEFAULT | CUT | OE | PE });
  low('an exact denormal is no underflow', 'mulsd', d(SMALLEST), d(0.5), d(SMALLEST / 2));
  low('an exact denormal is one where underflow is not masked', 'mulsd', d(SMALLEST), d(0.5), d(SMALLEST), { mxcsr: unmasked(UE) }, { mxcsr: unmasked(UE) | UE, fault: XM });
  low('FTZ flushes a denormal result to zero', 'mulsd', d(-SMALLEST), d(0.5), d(-0), { mxcsr: DEFAULT | FTZ }, { mxcsr: DEFAULT | FTZ | UE | PE });
});

const over: Binary = (x, y) => x / y;
instruction('DIVPS', () => { packedSingle('divps', over); });
instruction('DIVPD', () => { packedDouble('divpd', over); });
instruction('DIVSS', () => { scalarSingle('divss', over); });
instruction('DIVSD', () => {
  scalarDouble('divsd', over);
  low('by zero is infinity', 'divsd', d(-1), d(0), d(-Infinity), {}, { mxcsr: DEFAULT | ZE });
  low('zero by zero is the indefinite', 'divsd', d(0), d(0), INDEFINITE, {}, { mxcsr: DEFAULT | IE });
  low('rounds', 'divsd', d(1), d(3), d(1 / 3), {}, { mxcsr: DEFAULT | PE });
});

instruction('MINPS', () => { packedSingle('minps', Math.min); });
instruction('MINPD', () => { packedDouble('minpd', Math.min); });
instruction('MINSS', () => { scalarSingle('minss', Math.min); });
instruction('MINSD', () => {
  scalarDouble('minsd', Math.min);
  low('gives the second operand where one is a NaN', 'minsd', QNAN, d(1), d(1), {}, { mxcsr: DEFAULT | IE });
  low('gives the second of two zeros', 'minsd', d(-0), d(0), d(0));
});
instruction('MAXPS', () => { packedSingle('maxps', Math.max); });
instruction('MAXPD', () => { packedDouble('maxpd', Math.max); });
instruction('MAXSS', () => { scalarSingle('maxss', Math.max); });
instruction('MAXSD', () => {
  scalarDouble('maxsd', Math.max);
  low('gives the second operand where one is a NaN', 'maxsd', d(1), QNAN, QNAN, {}, { mxcsr: DEFAULT | IE });
});

instruction('SQRTPS', () => { low('takes four roots', 'sqrtps', 0n, ps(4, 9, 0, -0), ps(2, 3, 0, -0)); });
instruction('SQRTPD', () => { low('takes two roots', 'sqrtpd', 0n, pd(4, 2), pd(2, Math.SQRT2), {}, { mxcsr: DEFAULT | PE }); });
instruction('SQRTSS', () => { low('keeps what is above the lowest lane of the destination', 'sqrtss', ss(1), ps(1, 2, 3, 16), ss(4)); });
instruction('SQRTSD', () => { low('of a negative number is the indefinite', 'sqrtsd', sd(1), d(-1), (sd(1) >> 64n << 64n) | INDEFINITE, {}, { mxcsr: DEFAULT | IE }); });
instruction('RCPPS', () => { low('approximates reciprocals, of powers of two exactly, and raises nothing', 'rcpps', 0n, ps(2, 0, -Infinity, 1e-45), ps(0.5, Infinity, -0, Infinity), { mxcsr: 0 }); });
instruction('RCPSS', () => { low('approximates one reciprocal', 'rcpss', ss(1), s(-4), ss(-0.25)); });
instruction('RSQRTPS', () => { low('approximates reciprocals of roots', 'rsqrtps', 0n, ps(4, -0, Infinity, -1), (ps(0.5, -Infinity, 0, 0) & ~0xffff_ffffn) | 0xffc0_0000n, { mxcsr: 0 }); });
instruction('RSQRTSS', () => { low('approximates one', 'rsqrtss', ss(1), s(16), ss(0.25)); });

const ONES = 0xffff_ffff_ffff_ffffn;
const compare = (sentence: string, name: string, predicate: number, a: bigint, b: bigint, result: bigint, flags = 0): void => {
  example(sentence, `${name} xmm1, xmm2, ${predicate}`, { xmm1: a, xmm2: b }, { xmm1: result, mxcsr: DEFAULT | flags });
};
instruction('CMPPS', () => { compare('less than, in four lanes', 'cmpps', 1, ps(1, 2, 3, -1), ps(2, 2, 2, 2), 0xffff_ffff_0000_0000_0000_0000_ffff_ffffn); });
instruction('CMPPD', () => { compare('not less than, in two lanes', 'cmppd', 5, pd(1, 2), pd(2, 2), ONES); });
instruction('CMPSS', () => { compare('less or equal, in the lowest lane', 'cmpss', 2, ss(2), s(2), ABOVE | 0xffff_ffffn); });
instruction('CMPSD', () => {
  compare('equal', 'cmpsd', 0, sd(-0), d(0), (sd(0) >> 64n << 64n) | ONES);
  compare('unordered', 'cmpsd', 3, QNAN, d(0), ONES);
  compare('ordered', 'cmpsd', 7, QNAN, d(0), 0n);
  compare('not equal is true of a NaN', 'cmpsd', 4, QNAN, QNAN, ONES);
  compare('a quiet NaN is invalid for less than', 'cmpsd', 1, QNAN, d(0), 0n, IE);
  compare('a signaling NaN is invalid for all', 'cmpsd', 0, SNAN, d(0), 0n, IE);
  compare('only bits 2:0 of the immediate count', 'cmpsd', 0xf8, d(1), d(1), ONES);
});

const order = (sentence: string, name: string, a: bigint, b: bigint, flags: Result): void => { example(sentence, `${name} xmm1, xmm2`, { xmm1: a, xmm2: b, OF: 1, SF: 1, AF: 1 }, { OF: 0, SF: 0, AF: 0, ...flags }); };
instruction('UCOMISS', () => { order('sets CF where DEST is less', 'ucomiss', s(1), s(2), { CF: 1 }); });
instruction('UCOMISD', () => {
  order('sets none where DEST is greater', 'ucomisd', d(2), d(1), {});
  order('sets ZF where they are equal', 'ucomisd', d(0), d(-0), { ZF: 1 });
  order('sets ZF PF CF where they are unordered, and a quiet NaN is nothing to report', 'ucomisd', QNAN, d(0), { ZF: 1, PF: 1, CF: 1 });
});
instruction('COMISS', () => { order('sets CF where DEST is less', 'comiss', s(1), s(2), { CF: 1 }); });
instruction('COMISD', () => { order('reports a quiet NaN as invalid', 'comisd', QNAN, d(0), { ZF: 1, PF: 1, CF: 1, mxcsr: DEFAULT | IE }); });

instruction('CVTPS2PD', () => {
  low('widens two numbers', 'cvtps2pd', 0n, ps(9, 9, 1.5, -2), pd(1.5, -2));
  example('reads eight bytes of memory', 'cvtps2pd xmm1, qword ptr [rdi]', { rdi: MEMORY, qword: ps(0, 0, 1.5, -2) }, { xmm1: pd(1.5, -2) });
});
instruction('CVTPD2PS', () => { low('narrows two numbers and clears the high half', 'cvtpd2ps', ABOVE, pd(1.5, -0.1), ps(0, 0, 1.5, -0.1), {}, { mxcsr: DEFAULT | PE }); });
instruction('CVTSS2SD', () => { low('widens a number; a NaN keeps the bits it has', 'cvtss2sd', sd(0), 0x7f80_0001n, (sd(0) >> 64n << 64n) | 0x7ff8_0000_2000_0000n, {}, { mxcsr: DEFAULT | IE }); });
instruction('CVTSD2SS', () => { low('narrows a number; too large is infinity', 'cvtsd2ss', ss(0), d(1e300), ss(Infinity), {}, { mxcsr: DEFAULT | OE | PE }); });
instruction('CVTDQ2PS', () => { low('makes numbers of four integers, rounded', 'cvtdq2ps', 0n, 0x0000_0001_ffff_ffff_0000_0000_7fff_ffffn, ps(1, -1, 0, 2 ** 31), {}, { mxcsr: DEFAULT | PE }); });
instruction('CVTDQ2PD', () => { low('makes numbers of the low two integers, exactly', 'cvtdq2pd', 0n, 0x0000_0005_7fff_ffffn, pd(5, 2 ** 31 - 1)); });
instruction('CVTPS2DQ', () => { low('rounds four numbers to integers; what does not fit is the indefinite', 'cvtps2dq', 0n, ps(1.5, 2.5, -1, 3e9), 0x0000_0002_0000_0002_ffff_ffff_8000_0000n, {}, { mxcsr: DEFAULT | IE | PE }); });
instruction('CVTTPS2DQ', () => { low('cuts four numbers to integers', 'cvttps2dq', 0n, ps(1.9, -1.9, 0, 7), 0x0000_0001_ffff_ffff_0000_0000_0000_0007n, {}, { mxcsr: DEFAULT | PE }); });
instruction('CVTPD2DQ', () => { low('rounds two numbers and clears the high half', 'cvtpd2dq', ABOVE, pd(-1, 2.5), 0xffff_ffff_0000_0002n, { mxcsr: DEFAULT }, { mxcsr: DEFAULT | PE }); });
instruction('CVTTPD2DQ', () => { low('cuts two numbers and clears the high half', 'cvttpd2dq', ABOVE, pd(-1.9, 2.9), 0xffff_ffff_0000_0002n, {}, { mxcsr: DEFAULT | PE }); });

instruction('CVTSI2SS', () => {
  example('makes a number of a 32-bit integer and keeps the lanes above', 'cvtsi2ss xmm1, eax', { rax: 0xffff_fffen, xmm1: ss(7) }, { xmm1: ss(-2) });
  example('of 64 bits keeps 24 of them', 'cvtsi2ss xmm1, rax', { rax: 0x100_0001n, xmm1: ss(7) }, { xmm1: ss(0x100_0000), mxcsr: DEFAULT | PE });
});
instruction('CVTSI2SD', () => {
  example('makes a number of 32 bits of memory', 'cvtsi2sd xmm1, dword ptr [rdi]', { rdi: MEMORY, dword: 3n, xmm1: sd(7) }, { xmm1: sd(3) });
  example('makes a number of 64 bits', 'cvtsi2sd xmm1, rax', { rax: ONES, xmm1: sd(7) }, { xmm1: sd(-1) });
});
const toInteger = (sentence: string, text: string, xmm1: bigint, rax: bigint, more: State = {}, after: Result = {}): void => { example(sentence, text, { rax: ONES, xmm1, ...more }, { rax, ...after }); };
instruction('CVTSS2SI', () => {
  toInteger('rounds half to even and clears bits 63:32', 'cvtss2si eax, xmm1', s(2.5), 2n, {}, { mxcsr: DEFAULT | PE });
  toInteger('has room for 64 bits', 'cvtss2si rax, xmm1', s(-(2 ** 40)), BigInt.asUintN(64, -(1n << 40n)));
});
instruction('CVTSD2SI', () => {
  toInteger('rounds as MXCSR says', 'cvtsd2si rax, xmm1', d(-2.5), BigInt.asUintN(64, -3n), { mxcsr: DEFAULT | DOWN }, { mxcsr: DEFAULT | DOWN | PE });
  toInteger('gives the indefinite for what does not fit', 'cvtsd2si eax, xmm1', d(2 ** 31), 0x8000_0000n, {}, { mxcsr: DEFAULT | IE });
});
instruction('CVTTSS2SI', () => {
  toInteger('cuts', 'cvttss2si rax, xmm1', s(-2.75), BigInt.asUintN(64, -2n), {}, { mxcsr: DEFAULT | PE });
  toInteger('cuts to 32 bits and clears those above', 'cvttss2si eax, xmm1', s(-2.75), 0xffff_fffen, {}, { mxcsr: DEFAULT | PE });
});
instruction('CVTTSD2SI', () => {
  toInteger('cuts', 'cvttsd2si eax, xmm1', d(2.75), 2n, {}, { mxcsr: DEFAULT | PE });
  toInteger('a NaN is the indefinite', 'cvttsd2si rax, xmm1', QNAN, 1n << 63n, {}, { mxcsr: DEFAULT | IE });
  toInteger('writes nothing where invalid is not masked', 'cvttsd2si rax, xmm1', QNAN, ONES, { mxcsr: unmasked(IE) }, { mxcsr: unmasked(IE) | IE, fault: XM });
});
