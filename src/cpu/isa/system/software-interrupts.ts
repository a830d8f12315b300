/** INT n, INT3, INTO, INT1: calls through the IDT that a program makes. SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure". */
import { deliverSoftware } from '../../delivery.ts';
import { GP, VECTOR } from '../../exceptions.ts';
import { getFlag } from '../../flags.ts';
import type { SystemSemantics } from '../row.ts';
import { readOperand } from './operands.ts';
import { enterOwnHandler } from './virtual-interrupts.ts';

export const INT: SystemSemantics = (cpu, i) => {
  const vector = Number(readOperand(cpu, i, 0) & 0xffn);
  if (enterOwnHandler(cpu, vector)) return;
  if (cpu.virtual8086Mode && cpu.iopl < 3) throw GP(0, `INT n in virtual-8086 mode with IOPL ${cpu.iopl}`);
  deliverSoftware(cpu, vector, 'software', `INT ${vector}`);
};
export const INT3: SystemSemantics = (cpu) => deliverSoftware(cpu, VECTOR.BP, 'software', 'INT3');
export const INTO: SystemSemantics = (cpu) => {
  if (getFlag(cpu.state, 'OF')) deliverSoftware(cpu, VECTOR.OF, 'software', 'INTO');
};
/** A #DB that no DPL forbids; DR6 is not changed. */
export const INT1: SystemSemantics = (cpu) => deliverSoftware(cpu, VECTOR.DB, 'INT1', 'INT1');
