/** Loading and storing segment registers. The checks are in cpu/segmentation.ts. */
import { SEGMENT, type Segment } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { SHADOW, castShadow } from '../../events.ts';
import { UD } from '../../exceptions.ts';
import { checkSegmentLoad } from '../../segmentation.ts';
import { Stack } from '../../stack.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { effectiveAddress, memoryOperand, offsetBy, readOperand, segmentRegister, writeOperand, writeRegister } from './operands.ts';

/** Loads and refreshes what hangs on it; MOV and POP to SS cast a shadow over the next instruction, LSS does not. */
function load(cpu: Cpu, segment: Segment, selector: number): void {
  cpu.setSegment(segment, checkSegmentLoad(cpu, segment, selector));
  if (segment === SEGMENT.SS) cpu.refresh();
}

/** MOV — Move, from a segment register: memory takes 16 bits, a register is zero-extended to its operand size. */
export const MOV_FROM_SREG: SystemSemantics = (cpu, i) => writeOperand(cpu, i, 0, BigInt(cpu.state.selector[segmentRegister(i, 1)]!));

/** MOV — Move, to a segment register. */
export const MOV_TO_SREG: SystemSemantics = (cpu, i) => {
  const segment = segmentRegister(i, 0);
  if (segment === SEGMENT.CS || segment > SEGMENT.GS) throw UD('MOV to CS');
  load(cpu, segment, Number(readOperand(cpu, i, 1)));
  if (segment === SEGMENT.SS) castShadow(cpu, SHADOW.movSs);
};

const stackWidth = (i: Instruction): 16 | 32 | 64 => i.width as 16 | 32 | 64;

/** PUSH of a segment register. With a 32- or 64-bit operand size the selector is zero-extended. */
export const PUSH_SREG: SystemSemantics = (cpu, i) => {
  const stack = Stack.current(cpu);
  stack.pushHalves(stackWidth(i), cpu.state.selector[segmentRegister(i, 0)]!);
  stack.commit();
};

/** POP to a segment register. */
export const POP_SREG: SystemSemantics = (cpu, i) => {
  const segment = segmentRegister(i, 0);
  const stack = Stack.current(cpu);
  const selector = stack.popLow(stackWidth(i)) & 0xffff;
  load(cpu, segment, selector);
  stack.commit();
  if (segment === SEGMENT.SS) castShadow(cpu, SHADOW.movSs);
};

const FAR_POINTER_SEGMENT: Record<string, Segment> = { LDS: SEGMENT.DS, LES: SEGMENT.ES, LFS: SEGMENT.FS, LGS: SEGMENT.GS, LSS: SEGMENT.SS };

/** LDS / LES / LFS / LGS / LSS — Load Far Pointer. */
export const LOAD_FAR_POINTER: SystemSemantics = (cpu, i) => {
  const x = memoryOperand(i, 1);
  const register = i.operands[0];
  if (register?.kind !== 'register') throw new Error(`${i.row.text}: operand 0 is no register`);
  const offset = effectiveAddress(cpu, x);
  const pointer = cpu.load(i.width, x.segment, offset, 'read');
  const selector = Number(cpu.load(16, x.segment, offsetBy(x, offset, i.width / 8), 'read'));
  load(cpu, FAR_POINTER_SEGMENT[i.mnemonic]!, selector);
  writeRegister(cpu, register.number, i.width, pointer);
};
