/** The scenarios, in the order in which `scenario=all` runs them. */
import type { KernelWriter } from '../writer.ts';
import { alloc } from './alloc.ts';
import { ring3Scenario } from './ring3.ts';

export interface Scenario {
  /** As on the kernel command line: `scenario=NAME`. */
  readonly name: string;
  readonly about: string;
  /** Whether `scenario=all`, the default, runs it. */
  readonly inAll: boolean;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'alloc', about: 'alloc(5), alloc(10), alloc(100) under the three policies', inAll: true },
  { name: 'ring3', about: 'a task in its own address space: system calls, demand-paged heap, and what it may not do', inAll: true },
];

/** Assembles every scenario. */
export function scenarios(k: KernelWriter): void {
  for (const part of [alloc, ring3Scenario]) part(k);
}
