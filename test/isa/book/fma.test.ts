/** FMA by example: the destination is 2, the second source 3, the third 10, in all lanes. */
import { example, instruction, MEMORY, XM } from '../../support/example.ts';

const BITS = { s: 32, d: 64 } as const;
/** Lanes of 256 or 128 bits, even and odd ones by turns. */
function lanes(format: 's' | 'd', width: 128 | 256, even: number, odd = even): bigint {
  const bits = (x: number): bigint => (format === 's' ? BigInt(new Uint32Array(Float32Array.of(x).buffer)[0]!) : new BigUint64Array(Float64Array.of(x).buffer)[0]!);
  let v = 0n;
  for (let n = 0; n < width / BITS[format]; n++) v |= bits(n % 2 === 0 ? even : odd) << BigInt(n * BITS[format]);
  return v;
}
/** The lines of a mnemonic on XMM and YMM registers; of a scalar one the destination's other lanes stay. */
function fused(mnemonic: string, even: number, odd = even): void {
  const name = mnemonic.toLowerCase(), format = name.at(-1) as 's' | 'd';
  const low = { xmm1: lanes(format, 128, 2), xmm2: lanes(format, 128, 3), xmm3: lanes(format, 128, 10) };
  if (name.at(-2) === 's') {
    const bits = BigInt(BITS[format]);
    const result = ((low.xmm1 >> bits) << bits) | (lanes(format, 128, even) & ((1n << bits) - 1n));
    example('computes one lane', `${name} xmm1, xmm2, xmm3`, low, { xmm1: result });
    return;
  }
  example('computes each lane', `${name} xmm1, xmm2, xmm3`, low, { xmm1: lanes(format, 128, even, odd) });
  example('computes each lane', `${name} ymm1, ymm2, ymmword ptr [rdi]`, { rdi: MEMORY, ymm1: lanes(format, 256, 2), ymm2: lanes(format, 256, 3), ymmword: lanes(format, 256, 10) }, { ymm1: lanes(format, 256, even, odd) });
}

instruction('VFMADD213SD', () => {
  example('rounds once: the product of 1 + 2^-52 and 1 - 2^-52 is 1 - 2^-104, and less 1 nothing is lost', 'vfmadd213sd xmm1, xmm2, xmm3', { xmm1: 0x3ff0_0000_0000_0001n, xmm2: 0x3fef_ffff_ffff_fffen, xmm3: 0xbff0_0000_0000_0000n }, { xmm1: 0xb970_0000_0000_0000n });
  example('of infinity and 0 is invalid', 'vfmadd213sd xmm1, xmm2, xmm3', { xmm1: 0x7ff0_0000_0000_0000n, xmm2: 0n, xmm3: 0n, mxcsr: 0x1f00 }, { mxcsr: 0x1f01, fault: XM });
});
instruction('VFMADD132PS', () => { fused('VFMADD132PS', 23); });
instruction('VFMADD132PD', () => { fused('VFMADD132PD', 23); });
instruction('VFMADD132SS', () => { fused('VFMADD132SS', 23); });
instruction('VFMADD132SD', () => { fused('VFMADD132SD', 23); });
instruction('VFMADD213PS', () => { fused('VFMADD213PS', 16); });
instruction('VFMADD213PD', () => { fused('VFMADD213PD', 16); });
instruction('VFMADD213SS', () => { fused('VFMADD213SS', 16); });
instruction('VFMADD213SD', () => { fused('VFMADD213SD', 16); });
instruction('VFMADD231PS', () => { fused('VFMADD231PS', 32); });
instruction('VFMADD231PD', () => { fused('VFMADD231PD', 32); });
instruction('VFMADD231SS', () => { fused('VFMADD231SS', 32); });
instruction('VFMADD231SD', () => { fused('VFMADD231SD', 32); });
instruction('VFMSUB132PS', () => { fused('VFMSUB132PS', 17); });
instruction('VFMSUB132PD', () => { fused('VFMSUB132PD', 17); });
instruction('VFMSUB132SS', () => { fused('VFMSUB132SS', 17); });
instruction('VFMSUB132SD', () => { fused('VFMSUB132SD', 17); });
instruction('VFMSUB213PS', () => { fused('VFMSUB213PS', -4); });
instruction('VFMSUB213PD', () => { fused('VFMSUB213PD', -4); });
instruction('VFMSUB213SS', () => { fused('VFMSUB213SS', -4); });
instruction('VFMSUB213SD', () => { fused('VFMSUB213SD', -4); });
instruction('VFMSUB231PS', () => { fused('VFMSUB231PS', 28); });
instruction('VFMSUB231PD', () => { fused('VFMSUB231PD', 28); });
instruction('VFMSUB231SS', () => { fused('VFMSUB231SS', 28); });
instruction('VFMSUB231SD', () => { fused('VFMSUB231SD', 28); });
instruction('VFNMADD132PS', () => { fused('VFNMADD132PS', -17); });
instruction('VFNMADD132PD', () => { fused('VFNMADD132PD', -17); });
instruction('VFNMADD132SS', () => { fused('VFNMADD132SS', -17); });
instruction('VFNMADD132SD', () => { fused('VFNMADD132SD', -17); });
instruction('VFNMADD213PS', () => { fused('VFNMADD213PS', 4); });
instruction('VFNMADD213PD', () => { fused('VFNMADD213PD', 4); });
instruction('VFNMADD213SS', () => { fused('VFNMADD213SS', 4); });
instruction('VFNMADD213SD', () => { fused('VFNMADD213SD', 4); });
instruction('VFNMADD231PS', () => { fused('VFNMADD231PS', -28); });
instruction('VFNMADD231PD', () => { fused('VFNMADD231PD', -28); });
instruction('VFNMADD231SS', () => { fused('VFNMADD231SS', -28); });
instruction('VFNMADD231SD', () => { fused('VFNMADD231SD', -28); });
instruction('VFNMSUB132PS', () => { fused('VFNMSUB132PS', -23); });
instruction('VFNMSUB132PD', () => { fused('VFNMSUB132PD', -23); });
instruction('VFNMSUB132SS', () => { fused('VFNMSUB132SS', -23); });
instruction('VFNMSUB132SD', () => { fused('VFNMSUB132SD', -23); });
instruction('VFNMSUB213PS', () => { fused('VFNMSUB213PS', -16); });
instruction('VFNMSUB213PD', () => { fused('VFNMSUB213PD', -16); });
instruction('VFNMSUB213SS', () => { fused('VFNMSUB213SS', -16); });
instruction('VFNMSUB213SD', () => { fused('VFNMSUB213SD', -16); });
instruction('VFNMSUB231PS', () => { fused('VFNMSUB231PS', -32); });
instruction('VFNMSUB231PD', () => { fused('VFNMSUB231PD', -32); });
instruction('VFNMSUB231SS', () => { fused('VFNMSUB231SS', -32); });
instruction('VFNMSUB231SD', () => { fused('VFNMSUB231SD', -32); });
instruction('VFMADDSUB132PS', () => { fused('VFMADDSUB132PS', 17, 23); });
instruction('VFMADDSUB132PD', () => { fused('VFMADDSUB132PD', 17, 23); });
instruction('VFMADDSUB213PS', () => { fused('VFMADDSUB213PS', -4, 16); });
instruction('VFMADDSUB213PD', () => { fused('VFMADDSUB213PD', -4, 16); });
instruction('VFMADDSUB231PS', () => { fused('VFMADDSUB231PS', 28, 32); });
instruction('VFMADDSUB231PD', () => { fused('VFMADDSUB231PD', 28, 32); });
instruction('VFMSUBADD132PS', () => { fused('VFMSUBADD132PS', 23, 17); });
instruction('VFMSUBADD132PD', () => { fused('VFMSUBADD132PD', 23, 17); });
instruction('VFMSUBADD213PS', () => { fused('VFMSUBADD213PS', 16, -4); });
instruction('VFMSUBADD213PD', () => { fused('VFMSUBADD213PD', 16, -4); });
instruction('VFMSUBADD231PS', () => { fused('VFMSUBADD231PS', 32, 28); });
instruction('VFMSUBADD231PD', () => { fused('VFMSUBADD231PD', 32, 28); });
