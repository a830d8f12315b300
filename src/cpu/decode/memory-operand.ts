/** The memory forms of ModRM and SIB. SDM Vol. 2A, "Addressing-Mode Encoding of ModR/M and SIB Bytes". */
import { SEGMENT, type Segment } from '../../state/layout.ts';
import { NO_REGISTER, RBP, RBX, RDI, RSI, RSP, type AddressWidth, type MemoryOperand } from '../isa/operand.ts';
import type { ByteReader } from './reader.ts';

/** What a memory operand depends on besides its own bytes. */
export interface AddressContext {
  readonly longMode: boolean;
  readonly addressWidth: AddressWidth;
  readonly rexX: number;
  readonly rexB: number;
  readonly segmentOverride: Segment | undefined;
}

/** Base and index of the eight 16-bit forms, by ModRM.rm. */
const FORMS_16: readonly (readonly [base: number, index: number])[] = [
  [RBX, RSI], [RBX, RDI], [RBP, RSI], [RBP, RDI], [RSI, NO_REGISTER], [RDI, NO_REGISTER], [RBP, NO_REGISTER], [RBX, NO_REGISTER],
];

/** Reads SIB and displacement of a ModRM byte whose mod is not 3. `width`: the access in bits; `vectorIndex`: that of the register of indices, which needs a SIB byte. */
export function readMemoryOperand(r: ByteReader, modrm: number, width: number, c: AddressContext, vectorIndex?: 128 | 256): MemoryOperand {
  const mod = modrm >> 6;
  const rm = modrm & 7;
  let base = rm + c.rexB;
  let index = NO_REGISTER;
  let scale: 1 | 2 | 4 | 8 = 1;
  let ripRelative = false;
  let size: 0 | 1 | 2 | 4 = mod === 0 ? 0 : mod === 1 ? 1 : c.addressWidth === 16 ? 2 : 4;

  if (c.addressWidth === 16) {
    [base, index] = FORMS_16[rm] as readonly [number, number];
    if (mod === 0 && rm === 6) { base = NO_REGISTER; size = 2; }
  } else if (rm === 4) {
    const sib = r.byte();
    scale = (1 << (sib >> 6)) as 1 | 2 | 4 | 8;
    index = ((sib >> 3) & 7) + c.rexX;
    if (index === RSP && vectorIndex === undefined) { index = NO_REGISTER; scale = 1; }
    base = (sib & 7) + c.rexB;
    if ((sib & 7) === RBP && mod === 0) { base = NO_REGISTER; size = 4; }
  } else if (rm === 5 && mod === 0) {
    base = NO_REGISTER;
    size = 4;
    ripRelative = c.longMode;
  }

  const onStack = base === RSP || base === RBP;
  const segment = c.segmentOverride ?? (onStack ? SEGMENT.SS : SEGMENT.DS), displacement = r.extended(size);
  const operand: MemoryOperand = { kind: 'memory', width, segment, base, index, scale, displacement, ripRelative, addressWidth: c.addressWidth };
  return vectorIndex === undefined ? operand : { ...operand, index: NO_REGISTER, vectorIndex: { kind: 'xmm', width: vectorIndex, number: index } };
}

/** Reads the address of a `moffs` operand: an unsigned offset of the address size. */
export function readMemoryOffset(r: ByteReader, width: number, c: AddressContext): MemoryOperand {
  const displacement = c.addressWidth === 64 ? r.extended(8) : BigInt(r.unsigned(c.addressWidth === 32 ? 4 : 2));
  return {
    kind: 'memory', width, segment: c.segmentOverride ?? SEGMENT.DS,
    base: NO_REGISTER, index: NO_REGISTER, scale: 1, displacement, ripRelative: false, addressWidth: c.addressWidth,
  };
}
