/** Why a run ended, in a paragraph for stderr. */
import { imageSymbols } from '../debug/image-symbols.ts';
import { postMortem } from '../debug/post-mortem.ts';
import type { Machine, Stop } from '../machine/machine.ts';
import { ACTIVITY } from '../state/layout.ts';

/** Why a run ended: as the machine says, or as its host. */
export type Ended = Stop | { readonly kind: 'time-limit' | 'interrupted' | 'terminated' | 'output-failed' | 'replayed' };

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

const place = (machine: Machine): string => {
  const symbols = imageSymbols(machine);
  return `RIP ${symbols.name(machine.state.rip) ?? hex(machine.state.rip)} after ${machine.state.retired} instructions`;
};

/** With --no-reboot: one line for a triple fault, which may or may not have been meant as a reset; a reset says it all by its status. */
export function explainReboot(machine: Machine, ended: Ended): string | undefined {
  return ended.kind === 'triple-fault' ? `longmode: the guest ended in a triple fault, which resets a real machine, at ${place(machine)}.` : undefined;
}

/** The paragraph, or undefined for the endings that a guest chooses: its exit status says it all. */
export function explainEnding(machine: Machine, ended: Ended): string | undefined {
  const symbols = imageSymbols(machine);
  const at = place(machine);
  switch (ended.kind) {
    case 'debug-exit': case 'power-off': case 'output-failed': return undefined;
    case 'reset': return `longmode: the guest reset the machine, at ${at}. A real machine would start its firmware again; longmode ends.`;
    case 'triple-fault': return postMortem(machine, symbols);
    case 'halted':
      if (machine.state.activity === ACTIVITY.frozen) return `longmode: an x87 exception waits to be reported as IRQ 13 (CR0.NE is 0), at ${at}, but no interrupt comes: ${ended.wakeable ? 'IRQ 13 is masked, or was not acknowledged at port 0xf0' : 'interrupts are off'}.`;
      return ended.wakeable
      ? `longmode: the processor halted (HLT) with interrupts on, at ${at}, but no timer is armed and no more input can come: nothing will ever wake it.`
      : `longmode: the processor halted (HLT) with interrupts off, at ${at}: only an NMI could wake it, and none will come. Kernels do this to stop for good.`;
    case 'instruction-limit': case 'reached': case 'paused': return `longmode: the limit of --max-instructions was reached, at ${at}.`;
    case 'time-limit': return `longmode: the time of --timeout is over, at ${at}.`;
    case 'replayed': return `longmode: the recording ends here, at ${at}.`;
    case 'interrupted': case 'terminated': return `longmode: ${ended.kind}, at ${at}.`;
    case 'unimplemented': return `longmode: unimplemented: ${ended.what}\n  bytes ${[...ended.bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ')}, at ${at}.\n`
      + '  The manual defines this and longmode does not have it yet; it stops here rather than go on with a wrong result.';
  }
}
