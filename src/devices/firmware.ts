/**
 * What PC firmware has done to the chips when it starts a kernel. There is no firmware here, and kernels do rely on it:
 * many remap the PICs and never touch their masks or the timer's rate. Values as SeaBIOS leaves them (QEMU's `info pic`).
 */
import { I8254 } from './i8254.ts';
import type { LocalApic } from './local-apic.ts';
import type { Mc146818 } from './mc146818.ts';
import type { PortBus } from './port-bus.ts';

const MASTER = 0x20;
const SLAVE = 0xa0;
/** ICW1: edge triggered, cascaded, ICW4 follows. ICW4: 8086 mode. */
const ICW1 = 0x11;
const ICW4 = 0x01;
/** Vectors of real mode. IRQ 0, 1, 2 and 6 open; 8, 12, 13 and 14 open. */
const MASTER_SETUP = { vectors: 0x08, cascade: 0x04, mask: 0xb8 } as const;
const SLAVE_SETUP = { vectors: 0x70, cascade: 0x02, mask: 0x8e } as const;
/** Counter 0, two bytes, rate generator. */
const TIMER_CONTROL = 0x34;
const COUNTER_1_CONTROL = 0x54;
const REFRESH_COUNT = 18;
/** Virtual wire mode: the APIC enabled, LINT0 for the PIC, LINT1 for NMI. MultiProcessor Specification, "Virtual Wire Mode". */
const LOCAL_APIC_SETUP = [[0xf0, 0x1ff], [0x350, 0x700], [0x360, 0x400]] as const;

const KIB = 1024;
const MIB = 1024 * KIB;
const CMOS = { BASE_MEMORY: 0x15, EXTENDED_MEMORY: 0x17, EXTENDED_MEMORY_2: 0x30, MEMORY_ABOVE_16M: 0x34, EQUIPMENT: 0x14 } as const;
/** A coprocessor and a PS/2 port; no diskette drives. */
const EQUIPMENT = 0x06;

/** Programs the chips through their registers, as firmware does. `memoryBytes` is the size of RAM below 4 GiB. */
export function leaveAsFirmwareDoes(ports: PortBus, localApic: LocalApic, rtc: Mc146818, memoryBytes: number): void {
  for (const [base, setup] of [[MASTER, MASTER_SETUP], [SLAVE, SLAVE_SETUP]] as const) {
    ports.write(base, 1, ICW1);
    for (const value of [setup.vectors, setup.cascade, ICW4, setup.mask]) ports.write(base + 1, 1, value);
  }
  ports.write(I8254.PORT + 3, 1, TIMER_CONTROL);
  ports.write(I8254.PORT, 1, 0);
  ports.write(I8254.PORT, 1, 0);
  ports.write(I8254.PORT + 3, 1, COUNTER_1_CONTROL);
  ports.write(I8254.PORT + 1, 1, REFRESH_COUNT);
  for (const [offset, value] of LOCAL_APIC_SETUP) localApic.write(offset, 4, value);

  const word = (register: number, value: number): void => {
    const clipped = Math.min(value, 0xffff);
    rtc.setRam(register, clipped & 0xff);
    rtc.setRam(register + 1, clipped >> 8);
  };
  const extended = Math.max(0, Math.floor(memoryBytes / KIB) - KIB);
  rtc.setRam(CMOS.EQUIPMENT, EQUIPMENT);
  word(CMOS.BASE_MEMORY, 640);
  word(CMOS.EXTENDED_MEMORY, extended);
  word(CMOS.EXTENDED_MEMORY_2, extended);
  word(CMOS.MEMORY_ABOVE_16M, Math.max(0, Math.floor((memoryBytes - 16 * MIB) / (64 * KIB))));
}
