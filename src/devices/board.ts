/**
 * The devices of the machine's board, made and wired: what answers at which port and address, which line goes where, and
 * the state in which firmware hands them to a kernel.
 */
import type { MmioDevice } from '../mmu/physical-memory.ts';
import { physical, type PhysicalAddress } from '../state/addresses.ts';
import { APIC_BYTES, APIC_DEFAULT_BASE } from '../state/apic-base.ts';
import { AcpiPm, PM_BASE, PM_PORTS } from './acpi-pm.ts';
import { debugConsole, debugExit, PostCodePort, powerOffPort, POWER_OFF_PORT, ShutdownPort } from './emulator-ports.ts';
import { leaveAsFirmwareDoes } from './firmware.ts';
import { I8042, I8042_PORT } from './i8042.ts';
import { I8254 } from './i8254.ts';
import { I8259Pair } from './i8259.ts';
import { Interrupts, IRQ } from './interrupts.ts';
import { IO_APIC_BASE, IO_APIC_BYTES } from './io-apic.ts';
import type { LocalApic } from './local-apic.ts';
import { Mc146818 } from './mc146818.ts';
import { PortBus, type PortDevice } from './port-bus.ts';
import { Scheduler, type Clock } from './scheduler.ts';
import { SnapshotError, type Snapshotable } from './snapshot.ts';
import { NumericErrorControl, ResetControl, SystemControlPortA, SystemControlPortB } from './system-ports.ts';
import { Uart16550 } from './uart16550.ts';

export interface PcDevicesOptions {
  /** Virtual time in nanoseconds: an integer that never goes back. */
  readonly clock: Clock;
  /** RAM size, for the CMOS registers that tell it. */
  readonly memoryBytes: number;
  /** What the real-time clock shows at virtual time 0, in seconds since 1970, UTC. */
  readonly rtcEpochSeconds: number;
  /** The local APIC's timer has the TSC-deadline mode; default yes. */
  readonly tscDeadline?: boolean;
  /** First of the four ports of the debug exit; default 0xf4. */
  readonly debugExitPort?: number;
  /** A byte leaves a serial port: 0 is COM1, 1 is COM2. */
  onSerialOutput(port: 0 | 1, byte: number): void;
  /** A byte for the debug console at port 0xe9. */
  onDebugConsole?(byte: number): void;
  onDebugExit(value: number): void;
  onPowerOff(): void;
  /** The guest resets the machine: port 0xcf9, port 0x92, the keyboard controller; also an INIT that it sends to itself. */
  onReset(): void;
  /** The A20 gate was opened or closed. */
  onA20?(open: boolean): void;
  /** IGNNE# is asserted: x87 instructions go on in spite of the exception that FERR# reports. */
  onIgnoreNumericError?(): void;
  /** Interrupts.requested() has changed. */
  onInterruptChange(): void;
  onNmi(): void;
  /** The task priority was written through the local APIC's TPR: what CR8 reads from now on. */
  onTaskPriorityChange?(cr8: number): void;
  /** The guest asked for something that the manuals define and that is not built. */
  onUnimplemented?(what: string): void;
}

/** A device in the physical address space, for PhysicalMemory.addMmio. */
export interface MmioRegion {
  readonly base: PhysicalAddress;
  readonly bytes: number;
  readonly device: MmioDevice;
}

export interface PcDevices extends Snapshotable {
  readonly scheduler: Scheduler;
  readonly ports: PortBus;
  /** The local APIC is at its default base here; IA32_APIC_BASE moves it. */
  readonly mmio: readonly MmioRegion[];
  readonly interrupts: Interrupts;
  readonly localApic: LocalApic;
  /** COM1 and COM2. */
  readonly serial: readonly [Uart16550, Uart16550];
  readonly keyboard: I8042;
  readonly rtc: Mc146818;
  readonly numericError: NumericErrorControl;
  readonly power: AcpiPm;
  readonly postCode: PostCodePort;
}

export const DEFAULT_DEBUG_EXIT_PORT = 0xf4;
const DEBUG_EXIT_PORTS = 4;
export const DEBUG_CONSOLE_PORT = 0xe9;
const COM1_PORT = 0x3f8;
const COM2_PORT = 0x2f8;

/** An interrupt controller whose accesses see the timer's line as it is now: the timer sleeps while they mask it. */
const catchingUp = (device: PortDevice, timer: I8254): PortDevice => ({
  name: device.name,
  readPort(port, bytes) {
    timer.catchUp();
    return device.readPort(port, bytes);
  },
  writePort(port, bytes, value) {
    timer.catchUp();
    device.writePort(port, bytes, value);
    timer.listenersChanged();
  },
});

/** The same for a controller in memory. */
const catchingUpMmio = (device: MmioDevice, timer: I8254): MmioDevice => ({
  name: device.name,
  read(offset, bytes) {
    timer.catchUp();
    return device.read(offset, bytes);
  },
  write(offset, bytes, value) {
    timer.catchUp();
    device.write(offset, bytes, value);
    timer.listenersChanged();
  },
});

/** Makes the board's devices as firmware leaves them. Throws Error if the debug-exit port collides with a device. */
export function createPcDevices(options: PcDevicesOptions): PcDevices {
  const { clock } = options;
  const reset = (): void => options.onReset();
  const powerOff = (): void => options.onPowerOff();
  const unimplemented = (what: string): void => options.onUnimplemented?.(what);

  const scheduler = new Scheduler();
  const ports = new PortBus();
  const interrupts = new Interrupts({
    scheduler, clock,
    onChange: () => options.onInterruptChange(),
    onNmi: () => options.onNmi(),
    onInit: reset,
    onTaskPriority: (cr8) => options.onTaskPriorityChange?.(cr8),
    onUnimplemented: unimplemented,
    tscDeadline: options.tscDeadline ?? true,
  });
  const irq = (line: number) => (level: boolean): void => interrupts.setIrq(line, level);

  const timer = new I8254(scheduler, clock, irq(IRQ.TIMER), () => interrupts.listens(IRQ.TIMER));
  const pic = catchingUp(interrupts.pic, timer), ioApic = catchingUpMmio(interrupts.ioApic, timer);
  const portB = new SystemControlPortB(clock, timer);
  const rtc = new Mc146818(scheduler, clock, {
    epochSeconds: options.rtcEpochSeconds, interrupt: irq(IRQ.RTC), nmiMask: (masked) => interrupts.setNmiMask(masked),
  });
  const uart = (index: 0 | 1, port: number, line: number): Uart16550 => new Uart16550(scheduler, clock, {
    name: `COM${index + 1}`, port, interrupt: irq(line), transmit: (byte) => options.onSerialOutput(index, byte),
  });
  const serial: readonly [Uart16550, Uart16550] = [uart(0, COM1_PORT, IRQ.COM1), uart(1, COM2_PORT, IRQ.COM2)];
  const keyboard = new I8042({
    keyboardInterrupt: irq(IRQ.KEYBOARD), auxiliaryInterrupt: irq(IRQ.MOUSE), reset,
    a20: (open) => options.onA20?.(open),
  });
  const portA = new SystemControlPortA(keyboard, reset);
  const numericError = new NumericErrorControl(irq(IRQ.NUMERIC_ERROR), () => options.onIgnoreNumericError?.());
  const resetControl = new ResetControl(reset);
  const power = new AcpiPm(scheduler, clock, { interrupt: irq(IRQ.SCI), powerOff, unimplemented });
  const shutdown = new ShutdownPort(powerOff);
  const postCode = new PostCodePort();

  for (const [first, count] of I8259Pair.PORTS) ports.claim(first, count, pic);
  ports.claim(I8254.PORT, 4, timer);
  ports.claim(I8042_PORT.DATA, 1, keyboard);
  ports.claim(SystemControlPortB.PORT, 1, portB);
  ports.claim(I8042_PORT.STATUS_COMMAND, 1, keyboard);
  ports.claim(Mc146818.INDEX_PORT, 2, rtc);
  ports.claim(PostCodePort.PORT, 1, postCode);
  ports.claim(SystemControlPortA.PORT, 1, portA);
  ports.claim(NumericErrorControl.PORT, 1, numericError);
  ports.claim(DEBUG_CONSOLE_PORT, 1, debugConsole(DEBUG_CONSOLE_PORT, (byte) => options.onDebugConsole?.(byte)));
  ports.claim(options.debugExitPort ?? DEFAULT_DEBUG_EXIT_PORT, DEBUG_EXIT_PORTS, debugExit((value) => options.onDebugExit(value)));
  for (const device of serial) ports.claim(device.port, Uart16550.PORTS, device);
  ports.claim(PM_BASE, PM_PORTS, power);
  ports.claim(ResetControl.PORT, ResetControl.PORTS, resetControl);
  ports.claim(ShutdownPort.PORT, 1, shutdown);
  ports.claim(POWER_OFF_PORT, 2, powerOffPort(powerOff));

  const parts: Readonly<Record<string, Snapshotable>> = {
    scheduler, interrupts, timer, portB, rtc, com1: serial[0], com2: serial[1], keyboard, portA, numericError, resetControl, power, shutdown, postCode,
  };
  const snapshot = (): Record<string, unknown> => Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.snapshot()]));
  const restoreParts = (given: ReadonlyMap<string, unknown>): void => {
    for (const [name, part] of Object.entries(parts)) part.restore(given.get(name));
  };

  leaveAsFirmwareDoes(ports, interrupts.localApic, rtc, options.memoryBytes);
  return {
    scheduler, ports, interrupts, localApic: interrupts.localApic, serial, keyboard, rtc, numericError, power, postCode,
    mmio: [
      { base: physical(IO_APIC_BASE), bytes: IO_APIC_BYTES, device: ioApic },
      { base: physical(APIC_DEFAULT_BASE), bytes: APIC_BYTES, device: interrupts.localApic },
    ],
    snapshot,
    restore(given) {
      if (typeof given !== 'object' || given === null) throw new SnapshotError('devices', 'an object');
      const before = snapshot();
      try {
        restoreParts(new Map(Object.entries(given)));
      } catch (error) {
        restoreParts(new Map(Object.entries(before)));
        throw error;
      }
    },
  };
}
