/** The vocabulary interpreted as the list of its verbs, in the order in which a semantics speaks them. */
import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import type { Ops } from '../../src/cpu/isa/ops.ts';

/** Verbs of an instruction; bodies under `when` are taken. A derived verb is listed as itself. */
export function verbsOf(i: Instruction): string[] {
  const verbs: string[] = [];
  const speak = (verb: string) => (...operands: unknown[]): unknown => {
    verbs.push(verb);
    if (verb === 'when') (operands[1] as () => void)();
    if (verb === 'raisedTogether') return (operands[0] as () => unknown)();
    return verb === 'divU' ? { quotient: null, remainder: null } : null;
  };
  const ops = new Proxy({}, { get: (_, verb) => speak(String(verb)) }) as Ops<null, null, null>;
  if (i.row.meaning.kind !== 'system') i.row.meaning.semantics(ops, i);
  return verbs;
}

export const COMMITS: ReadonlySet<string> = new Set(['setReg', 'setXmm', 'setYmmHigh', 'setMmx', 'enterMmx', 'setFlag', 'resultFlags', 'carryFlags', 'addFlags', 'subFlags', 'otherFlags', 'logicFlags', 'rotateFlags']);
export const MAY_FAULT: ReadonlySet<string> = new Set([
  'load', 'store', 'loadX', 'storeX', 'storeY', 'storeMaskedX', 'loadWhere', 'storeWhere', 'storeMaskedMmx', 'requireSse', 'requireAvx', 'requireMmx', 'setMxcsr', 'floatX', 'halvesFromFloatX', 'fusedX', 'compareFloatX', 'roundFloatX', 'orderFloatX', 'integerFromFloatX', 'floatFromIntegerX', 'fault', 'requireAligned', 'goto', 'gotoIf', 'gotoIndirect',
]);
