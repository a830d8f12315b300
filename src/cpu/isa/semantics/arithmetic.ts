/** Addition, subtraction, comparison. */
import type { RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import { place, read } from './operands.ts';

/** ADD — Add. SDM Vol. 2A, "ADD—Add". */
export const ADD: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const sum = o.add(i.width, dest.value, src);
  dest.write(sum);
  o.addFlags(i.width, dest.value, src, sum);
};

/** ADC — Add With Carry. SDM Vol. 2A, "ADC—Add With Carry". */
export const ADC: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const sum = o.add(i.width, o.add(i.width, dest.value, src), o.fromBit(i.width, o.getFlag('CF')));
  dest.write(sum);
  o.addFlags(i.width, dest.value, src, sum, 'carryIn');
};

/** SUB — Subtract. SDM Vol. 2B, "SUB—Subtract". */
export const SUB: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const difference = o.sub(i.width, dest.value, src);
  dest.write(difference);
  o.subFlags(i.width, dest.value, src, difference);
};

/** SBB — Integer Subtraction With Borrow. SDM Vol. 2B, "SBB—Integer Subtraction With Borrow". */
export const SBB: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const difference = o.sub(i.width, o.sub(i.width, dest.value, src), o.fromBit(i.width, o.getFlag('CF')));
  dest.write(difference);
  o.subFlags(i.width, dest.value, src, difference, 'carryIn');
};

/** CMP — Compare Two Operands. SDM Vol. 2A, "CMP—Compare Two Operands". */
export const CMP: Semantics = (o, i) => {
  const a = read(o, i, 0);
  const b = read(o, i, 1);
  o.subFlags(i.width, a, b, o.sub(i.width, a, b));
};

/** NEG — Two's Complement Negation. SDM Vol. 2B, "NEG—Two's Complement Negation". */
export const NEG: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const zero = o.const(i.width, 0n);
  const difference = o.sub(i.width, zero, dest.value);
  dest.write(difference);
  o.subFlags(i.width, zero, dest.value, difference);
};

/** INC — Increment by 1; CF is preserved. SDM Vol. 2A, "INC—Increment by 1". */
export const INC: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const one = o.const(i.width, 1n);
  const sum = o.add(i.width, dest.value, one);
  dest.write(sum);
  o.addFlags(i.width, dest.value, one, sum, 'keepCF');
};

/** DEC — Decrement by 1; CF is preserved. SDM Vol. 2A, "DEC—Decrement by 1". */
export const DEC: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const one = o.const(i.width, 1n);
  const difference = o.sub(i.width, dest.value, one);
  dest.write(difference);
  o.subFlags(i.width, dest.value, one, difference, 'keepCF');
};

/** An addition whose carry comes from one flag and goes back to it, so that two of them can run side by side. */
const addWithFlag = (flag: 'CF' | 'OF'): Semantics => (o, i) => {
  const w = i.width;
  const a = o.getReg(i.operands[0] as RegisterOperand);
  const b = read(o, i, 1);
  const partial = o.add(w, a, b);
  const sum = o.add(w, partial, o.fromBit(w, o.getFlag(flag)));
  const carry = o.orB(o.ltU(w, partial, a), o.ltU(w, sum, partial));
  o.setReg(i.operands[0] as RegisterOperand, sum);
  o.setFlag(flag, carry);
};
/** ADCX — Unsigned Integer Addition of Two Operands With Carry Flag. SDM Vol. 2A, "ADCX". */
export const ADCX = addWithFlag('CF');
/** ADOX — Unsigned Integer Addition of Two Operands With Overflow Flag. SDM Vol. 2A, "ADOX". */
export const ADOX = addWithFlag('OF');
