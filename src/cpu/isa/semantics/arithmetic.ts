/** Addition, subtraction, comparison. */
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
