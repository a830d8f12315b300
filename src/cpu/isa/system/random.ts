/**
 * RDRAND and RDSEED. Their numbers come from a generator whose state is part of the guest's: a run, its snapshots and its replays
 * see the same ones, and they are no secret. SDM Vol. 2B, "RDRAND—Read Random Number", "RDSEED—Read Random SEED".
 */
import type { Cpu } from '../../cpu.ts';
import { setFlag } from '../../flags.ts';
import type { SystemSemantics } from '../row.ts';
import { writeOperand } from './operands.ts';

const mod64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The next 64 bits: SplitMix64. G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014). */
function nextRandom(cpu: Cpu): bigint {
  const { state } = cpu;
  const x = state.randomState = mod64(state.randomState + 0x9e37_79b9_7f4a_7c15n);
  const y = mod64((x ^ (x >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  const z = mod64((y ^ (y >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return z ^ (z >> 31n);
}

/** A number is always there, so CF is always set. */
const random: SystemSemantics = (cpu, i) => {
  writeOperand(cpu, i, 0, nextRandom(cpu));
  for (const flag of ['OF', 'SF', 'ZF', 'AF', 'PF'] as const) setFlag(cpu.state, flag, false);
  setFlag(cpu.state, 'CF', true);
};

/** RDRAND — Read Random Number. */
export const RDRAND = random;
/** RDSEED — Read Random SEED: the same source. */
export const RDSEED = random;
