/** The processor's state after power-up. SDM Vol. 3A, "Processor State After Reset"; "State of MTRRs, PAT and APIC after reset". */
import type { GuestState } from '../state/guest-state.ts';
import { APIC_BASE, APIC_DEFAULT_BASE } from '../state/apic-base.ts';
import { ACTIVITY, NUMERIC_ERROR, SEGMENT } from '../state/layout.ts';
import { CR0, XCR0 } from '../mmu/control-bits.ts';
import type { Cpu } from './cpu.ts';
import { DR6, DR7 } from './debug-registers.ts';
import { writeRflags } from './flags.ts';
import { RDX } from './isa/operand.ts';
import { miscEnableAfterReset } from './msr.ts';
import { MXCSR_AFTER_RESET } from './mxcsr.ts';

/** Present, S, type 3: read/write, accessed; and type 11: execute/read, accessed. */
const DATA = 0x93, CODE = 0x9b, LDT = 0x82, TSS_BUSY = 0x8b;
/** Memory types write-back, write-through, uncached-minus, uncached, twice. SDM Vol. 3A, "Page Attribute Table". */
const PAT_AFTER_RESET = 0x0007_0406_0007_0406n;
const FPU_CONTROL_AFTER_RESET = 0x40, FPU_TAGS_AFTER_RESET = 0x5555;
/** Enabled, bootstrap processor, at its usual place. */
const APIC_AFTER_RESET = BigInt(APIC_DEFAULT_BASE) | APIC_BASE.BSP | APIC_BASE.EN;

/** The x87 FPU after power-up: registers zero and tagged so; FNINIT comes with the kernel. */
function resetFpu(state: GuestState): void {
  state.fpuControl = FPU_CONTROL_AFTER_RESET;
  state.fpuStatus = 0;
  state.numericError = NUMERIC_ERROR.none;
  state.fpuTag = FPU_TAGS_AFTER_RESET;
  state.fpuRegisters.fill(0n);
  state.fpuOpcode = state.fpuInstructionSelector = state.fpuDataSelector = 0;
  state.fpuInstructionPointer = state.fpuDataPointer = 0n;
}

export function resetState(cpu: Cpu): void {
  const { state } = cpu;
  state.gpr.fill(0n);
  state.gpr[RDX] = BigInt(cpu.model.signature);
  writeRflags(state, 2);
  state.cpl = 0;
  for (const number of [SEGMENT.ES, SEGMENT.SS, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(number, { selector: 0, attributes: DATA, limit: 0xffff, base: 0n });
  cpu.setSegment(SEGMENT.CS, { selector: 0xf000, attributes: CODE, limit: 0xffff, base: 0xffff_0000n });
  cpu.setSegment(SEGMENT.LDTR, { selector: 0, attributes: LDT, limit: 0xffff, base: 0n });
  cpu.setSegment(SEGMENT.TR, { selector: 0, attributes: TSS_BUSY, limit: 0xffff, base: 0n });
  state.rip = 0xfff0n;
  state.gdtrBase = state.idtrBase = 0n;
  state.gdtrLimit = state.idtrLimit = 0xffff;
  state.cr0 = CR0.CD | CR0.NW | CR0.ET;
  state.cr2 = state.cr3 = 0n;
  state.cr4 = state.cr8 = state.efer = 0;
  state.dr.fill(0n);
  state.dr6 = DR6.FIXED;
  state.dr7 = DR7.FIXED;
  state.xmm.fill(0n);
  state.ymmHigh.fill(0n);
  state.mxcsr = MXCSR_AFTER_RESET;
  state.xcr0 = XCR0.X87;
  state.pkru = 0;
  state.star = state.lstar = state.cstar = state.sfmask = state.kernelGsBase = 0n;
  state.sysenterCs = state.sysenterEsp = state.sysenterEip = 0n;
  // A processor without a local APIC is as one whose local APIC is off. SDM Vol. 3A, "Enabling or Disabling the Local APIC".
  state.apicBase = cpu.model.features.has('apic') ? APIC_AFTER_RESET : 0n;
  state.tscDeadline = 0n;
  state.pat = PAT_AFTER_RESET;
  state.mtrrDefType = 0n;
  state.mtrrFixed.fill(0n);
  state.mtrrVariable.fill(0n);
  state.mcgStatus = state.mcgCtl = 0n;
  state.mcCtl.fill(0n);
  state.miscEnable = miscEnableAfterReset(cpu.model.features);
  resetFpu(state);
  state.tscOffset = state.tscAux = 0n;
  state.interruptShadow = state.nmiBlocked = state.pendingEvents = state.debugTraps = 0;
  state.activity = ACTIVITY.running;
  cpu.mmu.memory.disarmMonitor();
  cpu.mmu.flushAll();
}
