/** The page fault as the paging unit finds it; cpu/ turns it into #PF. */
import type { LinearAddress } from '../state/addresses.ts';

/** Error-code bits. SDM Vol. 3A, "Interrupt 14—Page-Fault Exception (#PF)". */
export const PF_ERROR = { P: 1, W: 2, U: 4, RSVD: 8, I: 16, PK: 32, SS: 64 } as const;

/** Thrown by every access that paging refuses. Ordinary guest behaviour: no Error, no stack. */
export class PageFault {
  readonly address: LinearAddress;
  readonly errorCode: number;
  constructor(address: LinearAddress, errorCode: number) {
    this.address = address;
    this.errorCode = errorCode;
  }
}
