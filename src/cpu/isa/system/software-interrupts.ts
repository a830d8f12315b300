/** INT n, INT3, INTO, INT1: calls through the IDT that a program makes. SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure". */
import { deliverSoftware, software } from '../../delivery.ts';
import { GP, VECTOR } from '../../exceptions.ts';
import { getFlag } from '../../flags.ts';
import type { SystemSemantics } from '../row.ts';
import { lowOperand } from './operands.ts';
import { enterOwnHandler } from './virtual-interrupts.ts';

const OWN = Array.from({ length: 256 }, (_, vector) => software(vector, 'software', `INT ${vector}`));
export const INT: SystemSemantics = (cpu, i) => {
  const vector = lowOperand(cpu, i, 0) & 0xff;
  if (cpu.virtual8086Mode) {
    if (enterOwnHandler(cpu, vector)) return;
    if (cpu.iopl < 3) throw GP(0, `INT n in virtual-8086 mode with IOPL ${cpu.iopl}`);
  }
  deliverSoftware(cpu, OWN[vector]!);
};
const BREAKPOINT = software(VECTOR.BP, 'software', 'INT3'), OVERFLOW = software(VECTOR.OF, 'software', 'INTO'), DEBUG = software(VECTOR.DB, 'INT1', 'INT1');
export const INT3: SystemSemantics = (cpu) => deliverSoftware(cpu, BREAKPOINT);
export const INTO: SystemSemantics = (cpu) => {
  if (getFlag(cpu.state, 'OF')) deliverSoftware(cpu, OVERFLOW);
};
/** A #DB that no DPL forbids; DR6 is not changed. */
export const INT1: SystemSemantics = (cpu) => deliverSoftware(cpu, DEBUG);
