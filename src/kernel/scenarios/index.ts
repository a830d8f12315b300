/** The scenarios, in the order in which `scenario=all` runs them. */
import type { KernelWriter } from '../writer.ts';
import { alloc } from './alloc.ts';
import { faults } from './faults.ts';
import { heaps } from './heaps.ts';
import { interrupts } from './interrupts.ts';
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
  { name: 'faults', about: 'page faults of every cause', inAll: true },
  { name: 'stale-tlb', about: 'a missing INVLPG', inAll: true },
  { name: 'heap-stages', about: 'bump, headers, first fit, coalescing, splitting, expansion', inAll: true },
  { name: 'heap', about: 'the real heap: realloc, alignment, growth, double free, corruption', inAll: true },
  { name: 'heap-random', about: '2,000 checked random operations on the heap', inAll: true },
  { name: 'ring3', about: 'a task in its own address space: system calls, demand-paged heap, and what it may not do', inAll: true },
  { name: 'timer', about: 'timer interrupts while faulting', inAll: true },
  { name: 'pmm-exhaustion', about: 'every frame handed out, and what happens then', inAll: true },
  { name: 'heap-stress', about: '100,000 checked random operations on the heap', inAll: false },
  { name: 'reserved-bits', about: 'reserved bits of paging-structure entries', inAll: false },
  { name: 'gigabyte-pages', about: '1 GiB pages, where the CPU has them', inAll: false },
  { name: 'unexplained-fault', about: 'ends with status 35: a page fault that no region explains', inAll: false },
  { name: 'stack-overflow', about: 'ends with status 37: a double fault on the guard page below the stack', inAll: false },
  { name: 'triple-fault', about: 'ends the machine: no exception can be delivered', inAll: false },
];

/** Assembles every scenario. */
export function scenarios(k: KernelWriter): void {
  for (const part of [physicalMemory, virtualMemory, alloc, faults, heaps, ring3Scenario, interrupts]) part(k);
}
