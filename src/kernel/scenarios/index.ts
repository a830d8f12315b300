/** The scenarios, in the order in which `scenario=all` runs them. */
import type { KernelWriter } from '../writer.ts';
import { alloc } from './alloc.ts';
import { physicalMemory } from './physical.ts';
import { ring3Scenario } from './ring3.ts';
import { virtualMemory } from './virtual.ts';

export interface Scenario {
  /** As on the kernel command line: `scenario=NAME`. */
  readonly name: string;
  readonly about: string;
  /** Whether `scenario=all`, the default, runs it. */
  readonly inAll: boolean;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'pmm', about: 'the frame bitmap: worked example, runs, double free', inAll: true },
  { name: 'vmm', about: 'regions: lowest gap, exact base, protection, page tables, MMIO', inAll: true },
  { name: 'alloc', about: 'alloc(5), alloc(10), alloc(100) under the three policies', inAll: true },
  { name: 'methods', about: 'immediate, demand and zero page, measured', inAll: true },
  { name: 'large-pages', about: '2 MiB pages', inAll: true },
  { name: 'gigabyte-pages', about: '1 GiB pages, where the CPU has them', inAll: false },
  { name: 'ring3', about: 'a task in its own address space: system calls, demand-paged heap, and what it may not do', inAll: true },
  { name: 'pmm-exhaustion', about: 'every frame handed out, and what happens then', inAll: true },
];

/** Assembles every scenario. */
export function scenarios(k: KernelWriter): void {
  for (const part of [physicalMemory, virtualMemory, alloc, ring3Scenario]) part(k);
}
