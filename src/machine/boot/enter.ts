/** Carries out a boot plan: memory, registers, mode. After it the next instruction is the image's first. */
import type { Cpu } from '../../cpu/cpu.ts';
import { CR0, CR4, EFER } from '../../mmu/control-bits.ts';
import type { PhysicalMemory } from '../../mmu/physical-memory.ts';
import { physical } from '../../state/addresses.ts';
import { SEGMENT } from '../../state/layout.ts';
import type { BootPlan } from './plan.ts';

/** Attributes of descriptor bits 40-55: present, S, type; G and D/B or L on top. */
const CODE_32 = 0xc09b, CODE_64 = 0xa09b, DATA_32 = 0xc093, TSS_BUSY_32 = 0x008b;
const CODE_SELECTOR = 0x10, DATA_SELECTOR = 0x18;

/** Resets the processor and starts it as the plan says: flat segments, interrupts off, IDT of length 0. */
export function enter(cpu: Cpu, memory: PhysicalMemory, plan: BootPlan): void {
  const { state } = cpu;
  for (const segment of plan.segments) {
    memory.copyIn(physical(segment.physicalAddress), segment.bytes);
    const zeros = segment.memoryBytes - segment.bytes.length;
    for (let done = 0; done < zeros; done += ZEROS.length) {
      memory.copyIn(physical(segment.physicalAddress + segment.bytes.length + done), ZEROS.subarray(0, Math.min(ZEROS.length, zeros - done)));
    }
  }
  cpu.reset();
  state.gpr.fill(0n);
  state.gpr[0] = BigInt(plan.eax);
  state.gpr[3] = BigInt(plan.ebx);
  state.gpr[6] = BigInt(plan.esi ?? 0);
  state.rip = BigInt(plan.entry);
  state.cr3 = BigInt(plan.cr3);
  const long = plan.bits === 64;
  cpu.setSegment(SEGMENT.CS, { selector: CODE_SELECTOR, base: 0n, limit: 0xffff_ffff, attributes: long ? CODE_64 : CODE_32 });
  for (const segment of [SEGMENT.ES, SEGMENT.SS, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS]) {
    cpu.setSegment(segment, { selector: DATA_SELECTOR, base: 0n, limit: 0xffff_ffff, attributes: DATA_32 });
  }
  cpu.setSegment(SEGMENT.TR, { selector: 0, base: 0n, limit: 0x67, attributes: TSS_BUSY_32 });
  cpu.setMode(CR0.PE | CR0.ET | (long ? CR0.PG : 0), long ? CR4.PAE : 0, long ? EFER.LME | EFER.LMA : 0);
  state.idtrLimit = 0;
  state.gdtrBase = BigInt(plan.gdt?.base ?? 0);
  state.gdtrLimit = plan.gdt?.limit ?? 0;
}
const ZEROS = new Uint8Array(1 << 16);
