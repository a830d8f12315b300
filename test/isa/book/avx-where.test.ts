/** Masked moves, gathers and half-precision numbers. */
import { example, instruction, MEMORY, PF, READ_ONLY, UNMAPPED } from '../../support/example.ts';
import { s } from '../../support/floats.ts';

/** Lanes of so many bits, lane 0 first. */
const lanes = (bits: number, ...values: readonly (number | bigint)[]): bigint => values.reduceRight<bigint>((v, lane) => (v << BigInt(bits)) | BigInt.asUintN(bits, BigInt(lane)), 0n);

/** Moves of the elements whose sign the mask has. */
function masked(name: string, bits: 32 | 64): void {
  const count = 128 / bits, n = Array.from({ length: 2 * count }, (_, k) => k + 1);
  const alternate = (values: readonly number[]): bigint => lanes(bits, ...values.map((value, k) => (k % 2 === 0 ? value : 0)));
  const mask = n.map((_, k) => (k % 2 === 0 ? -1 : 1));
  const low = n.slice(0, count);
  example('loads the elements whose sign the mask has, zeros for the others', `${name} xmm0, xmm1, xmmword ptr [rdi]`, { rdi: MEMORY, xmm1: lanes(bits, ...mask.slice(0, count)), xmmword: lanes(bits, ...low) }, { xmm0: alternate(low) });
  example('in both halves', `${name} ymm0, ymm1, ymmword ptr [rdi]`, { rdi: MEMORY, ymm1: lanes(bits, ...mask), ymmword: lanes(bits, ...n) }, { ymm0: alternate(n) });
  example('does not look at memory that it does not load', `${name} xmm0, xmm1, xmmword ptr [rdi]`, { rdi: UNMAPPED, xmm1: 0n }, { xmm0: 0n });
  example('faults for what it loads, and changes nothing', `${name} xmm0, xmm1, xmmword ptr [rdi]`, { rdi: UNMAPPED - BigInt(bits / 8), xmm1: lanes(bits, 0, -1) }, { fault: PF(UNMAPPED) });
  example('stores the elements whose sign the mask has', `${name} xmmword ptr [rdi], xmm1, xmm2`, { rdi: MEMORY, xmmword: (1n << 128n) - 1n, xmm1: lanes(bits, ...mask.slice(0, count)), xmm2: lanes(bits, ...low) },
    { xmmword: lanes(bits, ...low.map((value, k) => (k % 2 === 0 ? value : -1))) });
  example('in both halves', `${name} ymmword ptr [rdi], ymm1, ymm2`, { rdi: MEMORY, ymmword: (1n << 256n) - 1n, ymm1: lanes(bits, ...mask), ymm2: lanes(bits, ...n) }, { ymmword: lanes(bits, ...n.map((value, k) => (k % 2 === 0 ? value : -1))) });
  example('does not look at memory that it does not store', `${name} xmmword ptr [rdi], xmm1, xmm2`, { rdi: READ_ONLY, xmm1: 0n }, {});
  example('stores nothing where an element faults', `${name} ymmword ptr [rdi], ymm1, ymm2`, { rdi: READ_ONLY - BigInt(bits / 8), ymm1: (1n << 256n) - 1n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
}
instruction('VMASKMOVPS', () => { masked('vmaskmovps', 32); });
instruction('VMASKMOVPD', () => { masked('vmaskmovpd', 64); });
instruction('VPMASKMOVD', () => { masked('vpmaskmovd', 32); });
instruction('VPMASKMOVQ', () => { masked('vpmaskmovq', 64); });

/** Elements of `bits` bits by indices of `indexBits`, from memory that holds 1, 2, 3 ... */
function gathers(name: string, indexBits: 32 | 64, bits: 32 | 64): void {
  const size = bits === 32 ? 'dword' : 'qword', scale = bits / 8;
  const table = Array.from({ length: 128 / scale }, (_, k) => Array.from({ length: scale }, (_x, b) => (b === 0 ? k + 1 : 0))).flat();
  for (const [vector, width] of [['xmm', 128], ['ymm', 256]] as const) {
    const count = Math.min(width / bits, width / indexBits);
    const dest = count * bits > 128 ? 'ymm' : 'xmm', index = count * indexBits > 128 ? 'ymm' : 'xmm';
    if (vector === 'ymm' && dest === 'xmm' && index === 'xmm') continue;
    const places = Array.from({ length: count }, (_, k) => (k % 2 === 0 ? 5 - k : -k));
    const text = `${name} ${dest}0, ${size} ptr [rdi+${index}1*${scale}], ${dest}2`;
    const all = { rdi: MEMORY + BigInt(8 * scale), bytes: table, [`${index}1`]: lanes(indexBits, ...places) };
    example('loads an element at each index and clears the mask', text, { ...all, [`${dest}2`]: lanes(bits, ...places.map(() => -1)) }, { [`${dest}0`]: lanes(bits, ...places.map((place) => place + 9)), [`${dest}2`]: 0n });
    example('keeps the elements that the mask does not have', text, { ...all, [`${dest}0`]: lanes(bits, ...places.map(() => 77)), [`${dest}2`]: lanes(bits, -1) }, { [`${dest}0`]: lanes(bits, ...places.map((place, k) => (k === 0 ? place + 9 : 77))), [`${dest}2`]: 0n });
  }
  // In front of the page that is not mapped, a doubleword of zeros can be put only by the first element's being kept from loading.
  example('goes on where it was after a fault: the mask keeps what is left', `${name} xmm0, ${size} ptr [rdi+xmm1*1], xmm2`,
    { rdi: UNMAPPED, xmm0: lanes(bits, 1, 2), xmm1: lanes(indexBits, -0x1000, 0), xmm2: lanes(bits, 1, -2) }, { xmm2: lanes(bits, 0, -1), fault: PF(UNMAPPED) });
}
instruction('VPGATHERDD', () => { gathers('vpgatherdd', 32, 32); });
instruction('VPGATHERDQ', () => { gathers('vpgatherdq', 32, 64); });
instruction('VPGATHERQD', () => { gathers('vpgatherqd', 64, 32); });
instruction('VPGATHERQQ', () => { gathers('vpgatherqq', 64, 64); });
instruction('VGATHERDPS', () => { gathers('vgatherdps', 32, 32); });
instruction('VGATHERDPD', () => { gathers('vgatherdpd', 32, 64); });
instruction('VGATHERQPS', () => { gathers('vgatherqps', 64, 32); });
instruction('VGATHERQPD', () => { gathers('vgatherqpd', 64, 64); });

/** 1, -2, 65504 (the largest), 2^-24 (the smallest), then infinity, a NaN, 0.5 and -0. */
const HALVES = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x7e01, 0x3800, 0x8000] as const;
const SINGLES = [s(1), s(-2), s(65504), s(2 ** -24), s(Infinity), 0x7fc0_2000n, s(0.5), s(-0)] as const;
instruction('VCVTPH2PS', () => {
  example('widens four half-precision numbers', 'vcvtph2ps xmm0, xmm1', { xmm1: lanes(16, ...HALVES) }, { xmm0: lanes(32, ...SINGLES.slice(0, 4)) });
  example('widens eight', 'vcvtph2ps ymm0, xmm1', { xmm1: lanes(16, ...HALVES) }, { ymm0: lanes(32, ...SINGLES) });
  example('reads 64 bits of memory', 'vcvtph2ps xmm0, qword ptr [rdi]', { rdi: MEMORY, qword: lanes(16, ...HALVES.slice(0, 4)) }, { xmm0: lanes(32, ...SINGLES.slice(0, 4)) });
  example('takes denormal numbers as they are, DAZ or not, and says nothing', 'vcvtph2ps xmm0, xmm1', { xmm1: 1n, mxcsr: 0x1fc0 }, { xmm0: s(2 ** -24) });
});
instruction('VCVTPS2PH', () => {
  example('narrows four numbers', 'vcvtps2ph xmm0, xmm1, 4', { xmm1: lanes(32, ...SINGLES.slice(0, 4)) }, { xmm0: lanes(16, ...HALVES.slice(0, 4)) });
  example('narrows eight', 'vcvtps2ph xmm0, ymm1, 0', { ymm1: lanes(32, ...SINGLES) }, { xmm0: lanes(16, ...HALVES) });
  example('rounds as the immediate says', 'vcvtps2ph qword ptr [rdi], xmm1, 2', { rdi: MEMORY, qword: 0n, xmm1: s(1 + 2 ** -20) }, { qword: 0x3c01n, mxcsr: 0x1fa0 });
  example('has set its flags when its store faults', 'vcvtps2ph qword ptr [rdi], xmm1, 2', { rdi: UNMAPPED, xmm1: s(1 + 2 ** -20) }, { fault: PF(UNMAPPED, { write: true }), mxcsr: 0x1fa0 });
  example('stores 128 bits of eight', 'vcvtps2ph xmmword ptr [rdi], ymm1, 0', { rdi: MEMORY, xmmword: 0n, ymm1: lanes(32, ...SINGLES) }, { xmmword: lanes(16, ...HALVES) });
});
