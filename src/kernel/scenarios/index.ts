/** The scenarios, in the order in which `scenario=all` runs them. */
import type { KernelWriter } from '../writer.ts';
import { alloc, tmp } from './alloc.ts';

export interface Scenario {
  /** As on the kernel command line: `scenario=NAME`. */
  readonly name: string;
  readonly about: string;
  /** Whether `scenario=all`, the default, runs it. */
  readonly inAll: boolean;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'alloc', about: 'alloc(5), alloc(10), alloc(100) under the three policies', inAll: true },
];

/** Assembles every scenario. */
export function scenarios(k: KernelWriter): void {
  for (const part of [alloc, tmp]) part(k);
}
