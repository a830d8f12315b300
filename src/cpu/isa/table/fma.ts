/** FMA: the lines of the manual. */
import { instruction } from '../row.ts';
import { FUSED } from '../semantics/fused.ts';

const FMA = { feature: 'fma', size: 'any' } as const;

export const fma = [
  instruction(FUSED('f32x4.maddsub', '132'), FMA, [
    ['VFMADDSUB132PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 96 /r'],
    ['VFMADDSUB132PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 96 /r'],
  ]),
  instruction(FUSED('f64x2.maddsub', '132'), FMA, [
    ['VFMADDSUB132PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 96 /r'],
    ['VFMADDSUB132PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 96 /r'],
  ]),
  instruction(FUSED('f32x4.maddsub', '213'), FMA, [
    ['VFMADDSUB213PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 A6 /r'],
    ['VFMADDSUB213PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 A6 /r'],
  ]),
  instruction(FUSED('f64x2.maddsub', '213'), FMA, [
    ['VFMADDSUB213PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 A6 /r'],
    ['VFMADDSUB213PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 A6 /r'],
  ]),
  instruction(FUSED('f32x4.maddsub', '231'), FMA, [
    ['VFMADDSUB231PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 B6 /r'],
    ['VFMADDSUB231PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 B6 /r'],
  ]),
  instruction(FUSED('f64x2.maddsub', '231'), FMA, [
    ['VFMADDSUB231PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 B6 /r'],
    ['VFMADDSUB231PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 B6 /r'],
  ]),
  instruction(FUSED('f32x4.msubadd', '132'), FMA, [
    ['VFMSUBADD132PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 97 /r'],
    ['VFMSUBADD132PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 97 /r'],
  ]),
  instruction(FUSED('f64x2.msubadd', '132'), FMA, [
    ['VFMSUBADD132PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 97 /r'],
    ['VFMSUBADD132PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 97 /r'],
  ]),
  instruction(FUSED('f32x4.msubadd', '213'), FMA, [
    ['VFMSUBADD213PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 A7 /r'],
    ['VFMSUBADD213PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 A7 /r'],
  ]),
  instruction(FUSED('f64x2.msubadd', '213'), FMA, [
    ['VFMSUBADD213PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 A7 /r'],
    ['VFMSUBADD213PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 A7 /r'],
  ]),
  instruction(FUSED('f32x4.msubadd', '231'), FMA, [
    ['VFMSUBADD231PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 B7 /r'],
    ['VFMSUBADD231PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 B7 /r'],
  ]),
  instruction(FUSED('f64x2.msubadd', '231'), FMA, [
    ['VFMSUBADD231PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 B7 /r'],
    ['VFMSUBADD231PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 B7 /r'],
  ]),
  instruction(FUSED('f32x4.madd', '132'), FMA, [
    ['VFMADD132PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 98 /r'],
    ['VFMADD132PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 98 /r'],
  ]),
  instruction(FUSED('f64x2.madd', '132'), FMA, [
    ['VFMADD132PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 98 /r'],
    ['VFMADD132PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 98 /r'],
  ]),
  instruction(FUSED('f32.madd', '132'), FMA, [['VFMADD132SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 99 /r']]),
  instruction(FUSED('f64.madd', '132'), FMA, [['VFMADD132SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 99 /r']]),
  instruction(FUSED('f32x4.madd', '213'), FMA, [
    ['VFMADD213PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 A8 /r'],
    ['VFMADD213PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 A8 /r'],
  ]),
  instruction(FUSED('f64x2.madd', '213'), FMA, [
    ['VFMADD213PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 A8 /r'],
    ['VFMADD213PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 A8 /r'],
  ]),
  instruction(FUSED('f32.madd', '213'), FMA, [['VFMADD213SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 A9 /r']]),
  instruction(FUSED('f64.madd', '213'), FMA, [['VFMADD213SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 A9 /r']]),
  instruction(FUSED('f32x4.madd', '231'), FMA, [
    ['VFMADD231PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 B8 /r'],
    ['VFMADD231PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 B8 /r'],
  ]),
  instruction(FUSED('f64x2.madd', '231'), FMA, [
    ['VFMADD231PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 B8 /r'],
    ['VFMADD231PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 B8 /r'],
  ]),
  instruction(FUSED('f32.madd', '231'), FMA, [['VFMADD231SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 B9 /r']]),
  instruction(FUSED('f64.madd', '231'), FMA, [['VFMADD231SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 B9 /r']]),
  instruction(FUSED('f32x4.msub', '132'), FMA, [
    ['VFMSUB132PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 9A /r'],
    ['VFMSUB132PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 9A /r'],
  ]),
  instruction(FUSED('f64x2.msub', '132'), FMA, [
    ['VFMSUB132PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 9A /r'],
    ['VFMSUB132PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 9A /r'],
  ]),
  instruction(FUSED('f32.msub', '132'), FMA, [['VFMSUB132SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 9B /r']]),
  instruction(FUSED('f64.msub', '132'), FMA, [['VFMSUB132SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 9B /r']]),
  instruction(FUSED('f32x4.msub', '213'), FMA, [
    ['VFMSUB213PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 AA /r'],
    ['VFMSUB213PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 AA /r'],
  ]),
  instruction(FUSED('f64x2.msub', '213'), FMA, [
    ['VFMSUB213PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 AA /r'],
    ['VFMSUB213PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 AA /r'],
  ]),
  instruction(FUSED('f32.msub', '213'), FMA, [['VFMSUB213SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 AB /r']]),
  instruction(FUSED('f64.msub', '213'), FMA, [['VFMSUB213SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 AB /r']]),
  instruction(FUSED('f32x4.msub', '231'), FMA, [
    ['VFMSUB231PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 BA /r'],
    ['VFMSUB231PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 BA /r'],
  ]),
  instruction(FUSED('f64x2.msub', '231'), FMA, [
    ['VFMSUB231PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 BA /r'],
    ['VFMSUB231PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 BA /r'],
  ]),
  instruction(FUSED('f32.msub', '231'), FMA, [['VFMSUB231SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 BB /r']]),
  instruction(FUSED('f64.msub', '231'), FMA, [['VFMSUB231SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 BB /r']]),
  instruction(FUSED('f32x4.nmadd', '132'), FMA, [
    ['VFNMADD132PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 9C /r'],
    ['VFNMADD132PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 9C /r'],
  ]),
  instruction(FUSED('f64x2.nmadd', '132'), FMA, [
    ['VFNMADD132PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 9C /r'],
    ['VFNMADD132PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 9C /r'],
  ]),
  instruction(FUSED('f32.nmadd', '132'), FMA, [['VFNMADD132SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 9D /r']]),
  instruction(FUSED('f64.nmadd', '132'), FMA, [['VFNMADD132SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 9D /r']]),
  instruction(FUSED('f32x4.nmadd', '213'), FMA, [
    ['VFNMADD213PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 AC /r'],
    ['VFNMADD213PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 AC /r'],
  ]),
  instruction(FUSED('f64x2.nmadd', '213'), FMA, [
    ['VFNMADD213PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 AC /r'],
    ['VFNMADD213PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 AC /r'],
  ]),
  instruction(FUSED('f32.nmadd', '213'), FMA, [['VFNMADD213SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 AD /r']]),
  instruction(FUSED('f64.nmadd', '213'), FMA, [['VFNMADD213SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 AD /r']]),
  instruction(FUSED('f32x4.nmadd', '231'), FMA, [
    ['VFNMADD231PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 BC /r'],
    ['VFNMADD231PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 BC /r'],
  ]),
  instruction(FUSED('f64x2.nmadd', '231'), FMA, [
    ['VFNMADD231PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 BC /r'],
    ['VFNMADD231PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 BC /r'],
  ]),
  instruction(FUSED('f32.nmadd', '231'), FMA, [['VFNMADD231SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 BD /r']]),
  instruction(FUSED('f64.nmadd', '231'), FMA, [['VFNMADD231SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 BD /r']]),
  instruction(FUSED('f32x4.nmsub', '132'), FMA, [
    ['VFNMSUB132PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 9E /r'],
    ['VFNMSUB132PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 9E /r'],
  ]),
  instruction(FUSED('f64x2.nmsub', '132'), FMA, [
    ['VFNMSUB132PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 9E /r'],
    ['VFNMSUB132PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 9E /r'],
  ]),
  instruction(FUSED('f32.nmsub', '132'), FMA, [['VFNMSUB132SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 9F /r']]),
  instruction(FUSED('f64.nmsub', '132'), FMA, [['VFNMSUB132SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 9F /r']]),
  instruction(FUSED('f32x4.nmsub', '213'), FMA, [
    ['VFNMSUB213PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 AE /r'],
    ['VFNMSUB213PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 AE /r'],
  ]),
  instruction(FUSED('f64x2.nmsub', '213'), FMA, [
    ['VFNMSUB213PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 AE /r'],
    ['VFNMSUB213PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 AE /r'],
  ]),
  instruction(FUSED('f32.nmsub', '213'), FMA, [['VFNMSUB213SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 AF /r']]),
  instruction(FUSED('f64.nmsub', '213'), FMA, [['VFNMSUB213SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 AF /r']]),
  instruction(FUSED('f32x4.nmsub', '231'), FMA, [
    ['VFNMSUB231PS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 BE /r'],
    ['VFNMSUB231PS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 BE /r'],
  ]),
  instruction(FUSED('f64x2.nmsub', '231'), FMA, [
    ['VFNMSUB231PD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 BE /r'],
    ['VFNMSUB231PD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 BE /r'],
  ]),
  instruction(FUSED('f32.nmsub', '231'), FMA, [['VFNMSUB231SS xmm1, xmm2, xmm3/m32', 'VEX.LIG.66.0F38.W0 BF /r']]),
  instruction(FUSED('f64.nmsub', '231'), FMA, [['VFNMSUB231SD xmm1, xmm2, xmm3/m64', 'VEX.LIG.66.0F38.W1 BF /r']]),
] as const;
