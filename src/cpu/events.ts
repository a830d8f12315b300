/**
 * What may happen between two instructions: #DB traps, NMI, interrupts, instruction breakpoints, and the end of HLT and MWAIT.
 * SDM Vol. 3A, "Priority Among Concurrent Events"; "Masking Exceptions and Interrupts When Switching Stacks".
 */
import { ACTIVITY } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import { DR6, matchExecution } from './debug-registers.ts';
import { deliverInterruption } from './delivery.ts';
import { VECTOR } from './exceptions.ts';
import { RFLAGS } from './flags.ts';
import { linear } from '../state/addresses.ts';
import { SEGMENT } from '../state/layout.ts';

/** `state.interruptShadow`: what is blocked until the next instruction has run. */
export const SHADOW = { sti: 1, movSs: 3, blocksDebug: 2 } as const;
const PENDING_NMI = 1;

const interruptDue = (cpu: Cpu): boolean => (cpu.state.systemFlags & RFLAGS.IF) !== 0 && cpu.bus.interruptRequested();
const nmiDue = (cpu: Cpu): boolean => (cpu.state.pendingEvents & PENDING_NMI) !== 0 && cpu.state.nmiBlocked === 0;

/** Whether the next instruction may not simply be executed. */
export function attentionNeeded(cpu: Cpu): boolean {
  const { state } = cpu;
  return (state.systemFlags & (RFLAGS.TF | RFLAGS.RF)) !== 0 || state.interruptShadow !== 0 || cpu.shadow !== 0 || state.debugTraps !== 0
    || state.activity !== ACTIVITY.running || cpu.executionBreakpoints || nmiDue(cpu) || interruptDue(cpu);
}

/**
 * Notes that the next boundary is in the shadow of STI or MOV SS. Of consecutive such instructions only the first
 * counts, so a shadow is not renewed by an instruction that runs in one.
 */
export function castShadow(cpu: Cpu, shadow: number): void {
  if (cpu.shadow !== 0) return;
  cpu.state.interruptShadow = shadow;
  cpu.attention = true;
}

/** Cpu.serviceAttention. Calling it twice at one boundary is the same as calling it once. */
export function serviceAttention(cpu: Cpu): 'run' | 'halted' | 'shutdown' {
  const { state } = cpu;
  const again = cpu.servicedAt === state.retired;
  cpu.servicedAt = state.retired;
  const shadow = state.interruptShadow | (again ? cpu.shadow : 0);
  state.interruptShadow = 0;
  cpu.shadow = shadow;
  // The step of an instruction that has not run yet is no trap.
  if (again) state.debugTraps &= ~DR6.BS;
  const blocked = (shadow & SHADOW.blocksDebug) !== 0;

  // MOV SS holds data breakpoints back until the next instruction is through; its own single step is lost.
  if (blocked) state.debugTraps &= ~DR6.BS;
  else if (state.debugTraps !== 0 && state.activity !== ACTIVITY.shutdown) deliverDebugTraps(cpu);
  if (!blocked && nmiDue(cpu) && state.activity !== ACTIVITY.shutdown) {
    state.pendingEvents &= ~PENDING_NMI;
    state.nmiBlocked = 1;
    deliverInterruption(cpu, { vector: VECTOR.NMI, errorCode: undefined, kind: 'nmi', reason: 'NMI' });
  }
  if (shadow === 0 && interruptDue(cpu) && state.activity !== ACTIVITY.shutdown) {
    deliverInterruption(cpu, { vector: cpu.bus.acknowledgeInterrupt(), errorCode: undefined, kind: 'interrupt', reason: 'external interrupt' });
  }
  if (state.activity === ACTIVITY.waitingForAny && cpu.bus.interruptRequested()) {
    state.activity = ACTIVITY.running;
    cpu.mmu.memory.disarmMonitor();
  }
  if (state.activity !== ACTIVITY.running) {
    cpu.attention = true;
    return state.activity === ACTIVITY.shutdown ? 'shutdown' : 'halted';
  }
  if (cpu.executionBreakpoints && !blocked && (state.systemFlags & RFLAGS.RF) === 0) breakOnExecution(cpu);
  if ((state.activity as number) === ACTIVITY.shutdown) return 'shutdown';
  // RF holds for one instruction, which clears it as it starts.
  state.systemFlags &= ~RFLAGS.RF;
  if ((state.systemFlags & RFLAGS.TF) !== 0) state.debugTraps |= DR6.BS;
  cpu.refreshAttention();
  return 'run';
}

function deliverDebugTraps(cpu: Cpu): void {
  const { state } = cpu;
  state.dr6 |= state.debugTraps;
  deliverInterruption(cpu, { vector: VECTOR.DB, errorCode: undefined, kind: 'trap', reason: (state.debugTraps & DR6.BS) !== 0 ? 'single step' : (state.debugTraps & DR6.BT) !== 0 ? 'task switch' : 'data or I/O breakpoint' });
}

/**
 * An instruction breakpoint is a fault before the instruction at RIP.
 * Deviates: one on the first instruction of the #DB handler is not seen; hardware would push frames until the stack is gone.
 */
function breakOnExecution(cpu: Cpu): void {
  const { state } = cpu;
  const address = cpu.in64BitMode ? state.rip : BigInt.asUintN(32, state.base[SEGMENT.CS]! + state.rip);
  const matched = matchExecution(state, linear(address));
  if (matched === 0) return;
  state.dr6 |= matched;
  deliverInterruption(cpu, { vector: VECTOR.DB, errorCode: undefined, kind: 'breakpoint', reason: 'instruction breakpoint' });
}
