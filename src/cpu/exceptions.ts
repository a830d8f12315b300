/** The exceptions of the architecture as values: thrown by whatever detects them, delivered by cpu/delivery.ts. */
import type { LinearAddress } from '../state/addresses.ts';

/** Exception vectors. SDM Vol. 3A, "Exception and Interrupt Vectors". */
export const VECTOR = { DE: 0, DB: 1, NMI: 2, BP: 3, OF: 4, BR: 5, UD: 6, NM: 7, DF: 8, TS: 10, NP: 11, SS: 12, GP: 13, PF: 14, MF: 16, AC: 17, MC: 18, XM: 19, VE: 20, CP: 21 } as const;

/** A guest exception on its way to the IDT. Not an Error: it is ordinary guest behaviour and carries no stack. */
export class GuestException {
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** #PF only: what CR2 receives. */
  readonly faultAddress: LinearAddress | undefined;
  /** Why, in words of the manual, for the post-mortem: "CS limit", "descriptor not present". */
  readonly reason: string;
  constructor(vector: number, errorCode: number | undefined, reason: string, faultAddress?: LinearAddress) {
    this.vector = vector;
    this.errorCode = errorCode;
    this.reason = reason;
    this.faultAddress = faultAddress;
  }
}

export const DE = (reason = 'divide error'): GuestException => new GuestException(VECTOR.DE, undefined, reason);
export const UD = (reason = 'invalid opcode'): GuestException => new GuestException(VECTOR.UD, undefined, reason);
export const NM = (reason = 'x87 or SIMD unit not available'): GuestException => new GuestException(VECTOR.NM, undefined, reason);
export const GP = (errorCode: number, reason: string): GuestException => new GuestException(VECTOR.GP, errorCode, reason);
export const SS = (errorCode: number, reason: string): GuestException => new GuestException(VECTOR.SS, errorCode, reason);
export const NP = (errorCode: number, reason: string): GuestException => new GuestException(VECTOR.NP, errorCode, reason);
export const TS = (errorCode: number, reason: string): GuestException => new GuestException(VECTOR.TS, errorCode, reason);
export const MF = (reason: string): GuestException => new GuestException(VECTOR.MF, undefined, reason);
export const AC = (reason = 'unaligned access at CPL 3'): GuestException => new GuestException(VECTOR.AC, 0, reason);
export const PF = (errorCode: number, address: LinearAddress, reason = 'page fault'): GuestException => new GuestException(VECTOR.PF, errorCode, reason, address);

export const XM = (reason = 'SIMD floating-point exception'): GuestException => new GuestException(VECTOR.XM, undefined, reason);

/** The guest did something that the manual defines and we have not built: the machine stops with a located report. */
export class Unimplemented {
  readonly what: string;
  constructor(what: string) { this.what = what; }
}

/** Thrown before an instruction that must wait for an interrupt: nothing of it has happened. */
export class Frozen {
  readonly reason: string;
  constructor(reason: string) { this.reason = reason; }
}
