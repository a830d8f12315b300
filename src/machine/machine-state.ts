/**
 * Everything that decides how the machine goes on, but for RAM: processor, TLBs, devices, clock. What fits no guest is refused with
 * the name of the field, since it may come from a file.
 */
import { Tlb } from '../mmu/tlb.ts';
import { FIELDS, FIELDS_END, OFFSET, type FieldName } from '../state/layout.ts';
import { copyState, flag, range, record, SnapshotError, time, upTo, type StateOf } from '../devices/snapshot.ts';
import type { FaultRecord } from '../cpu/delivery.ts';
import type { Machine } from './machine.ts';

/** What of the processor and the board is in no field of the layout table. */
const BESIDES = record({
  /** `Cpu.shadow` and `Cpu.servicedAt`: a boundary may have been serviced without the instruction behind it having run. */
  shadow: upTo(3),
  serviced: flag,
  deliveries: time,
  advancedTo: range(-1, Number.MAX_SAFE_INTEGER),
});

/** The machine at a boundary. The arrays are copies. */
export interface MachineState {
  readonly fields: Uint8Array<ArrayBuffer>;
  /** As `Tlb.save` gives it. */
  readonly tlb: Uint32Array<ArrayBuffer>;
  readonly devices: unknown;
  readonly besides: StateOf<typeof BESIDES>;
  /** The way to a triple fault, for the post-mortem. Not in files. */
  readonly faultChain: readonly FaultRecord[];
}

export function captureState(machine: Machine): MachineState {
  const { state, cpu, mmu } = machine;
  return {
    fields: state.u8.slice(0, FIELDS_END),
    tlb: mmu.tlb.save(),
    devices: machine.devices.snapshot(),
    besides: { shadow: cpu.shadow, serviced: cpu.servicedAt === state.retired, deliveries: cpu.deliveries, advancedTo: machine.advancedTo },
    faultChain: [...cpu.faultChain],
  };
}

/** Puts a state back; RAM is the caller's. Throws SnapshotError, with nothing changed, for what is no state of such a machine. */
export function replaceState(machine: Machine, to: MachineState): void {
  const { state, cpu, mmu } = machine;
  checkFields(to.fields);
  if (!Tlb.isSaved(to.tlb)) throw new SnapshotError('tlb', 'valid entries in ascending order');
  const besides = copyState(BESIDES, to.besides, 'machine');
  machine.devices.restore(to.devices);
  state.u8.set(to.fields, 0);
  machine.placeLocalApic();
  mmu.tlb.load(to.tlb);
  cpu.stateReplaced();
  cpu.shadow = besides.shadow;
  cpu.servicedAt = besides.serviced ? state.retired : -1;
  cpu.deliveries = besides.deliveries;
  cpu.faultChain = [...to.faultChain];
  machine.advancedTo = besides.advancedTo;
  cpu.refreshAttention();
  machine.engine.stateReplaced();
}

/** The most that fields may be which other code relies on, and may not be more than. */
const LIMITS: { readonly [F in FieldName]?: number } = {
  cpl: 3, cr8: 15, interruptShadow: 3, activity: 5, numericError: 2, nmiBlocked: 1, pendingEvents: 1, debugTraps: 0xffff, selector: 0xffff, attributes: 0x1_ffff,
  fpuControl: 0xffff, fpuStatus: 0xffff, fpuTag: 0xffff, fpuOpcode: 0x7ff, mxcsr: 0xffff, gdtrLimit: 0xffff, idtrLimit: 0xffff, systemFlags: 0x3f_ffff,
};

/** Throws SnapshotError for fields that no machine can have. */
function checkFields(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length !== FIELDS_END) throw new SnapshotError('fields', `${FIELDS_END} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [name, limit] of Object.entries(LIMITS)) {
    const at = OFFSET[name as FieldName];
    for (let n = 0; n < FIELDS[name as FieldName].count; n++) if (view.getUint32(at + 4 * n, true) > limit) throw new SnapshotError(name, `at most ${limit}`);
  }
  for (const name of ['retired', 'idleTime', 'monitoredLine'] as const) {
    const value = view.getFloat64(OFFSET[name], true);
    if (!Number.isSafeInteger(value) || value < 0) throw new SnapshotError(name, 'a whole number');
  }
  if (view.getBigUint64(OFFSET.gpr + 8 * 16, true) !== 0n) throw new SnapshotError('gpr[16]', '0: it stands for the absent register');
  for (let n = 0; n < 8; n++) if (view.getBigUint64(OFFSET.fpuRegisters + 16 * n + 8, true) > 0xffffn) throw new SnapshotError(`fpuRegisters[${n}]`, '80 bits');
}
