/** INT n, INT3, INTO, INT1: calls through the IDT that a program makes. SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure". */
import { deliverSoftware } from '../../delivery.ts';
import { VECTOR } from '../../exceptions.ts';
import { getFlag } from '../../flags.ts';
import type { SystemSemantics } from '../row.ts';
import { requireIoplInVirtual8086Mode } from './flags.ts';
import { readOperand } from './operands.ts';

export const INT: SystemSemantics = (cpu, i) => {
  requireIoplInVirtual8086Mode(cpu, i);
  const vector = Number(readOperand(cpu, i, 0) & 0xffn);
  deliverSoftware(cpu, vector, 'software', `INT ${vector}`);
};
export const INT3: SystemSemantics = (cpu) => deliverSoftware(cpu, VECTOR.BP, 'software', 'INT3');
export const INTO: SystemSemantics = (cpu) => {
  if (getFlag(cpu.state, 'OF')) deliverSoftware(cpu, VECTOR.OF, 'software', 'INTO');
};
/** A #DB that no DPL forbids; DR6 is not changed. */
export const INT1: SystemSemantics = (cpu) => deliverSoftware(cpu, VECTOR.DB, 'INT1', 'INT1');
