/**
 * The 8042 keyboard controller of a PC, with a keyboard and without a mouse: ports 0x60 and 0x64, translation to scan
 * code set 1, the A20 gate and the processor's reset line. IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller".
 */
import { Ps2Keyboard } from './ps2-keyboard.ts';
import { BREAK, toSet1 } from './scancodes.ts';
import { array, copyState, flag, queue, record, u8, zeroState, type Snapshotable } from './snapshot.ts';
import type { PortDevice } from './port-bus.ts';

export const I8042_PORT = { DATA: 0x60, STATUS_COMMAND: 0x64 } as const;

const STATUS = { OUTPUT_FULL: 0x01, SYSTEM: 0x04, COMMAND: 0x08, NOT_INHIBITED: 0x10, AUXILIARY: 0x20, TIMEOUT: 0x40 } as const;
/** Controller command byte: byte 0 of its RAM. */
const COMMAND_BYTE = { KEYBOARD_INTERRUPT: 0x01, AUXILIARY_INTERRUPT: 0x02, SYSTEM: 0x04, DISABLE_KEYBOARD: 0x10, DISABLE_AUXILIARY: 0x20, TRANSLATE: 0x40 } as const;
const COMMAND = {
  READ_RAM: 0x20, WRITE_RAM: 0x60, RAM_MASK: 0xe0,
  DISABLE_AUXILIARY: 0xa7, ENABLE_AUXILIARY: 0xa8, TEST_AUXILIARY: 0xa9, SELF_TEST: 0xaa, TEST_KEYBOARD: 0xab, DISABLE_KEYBOARD: 0xad, ENABLE_KEYBOARD: 0xae,
  READ_INPUT_PORT: 0xc0, READ_OUTPUT_PORT: 0xd0, WRITE_OUTPUT_PORT: 0xd1, WRITE_KEYBOARD_BUFFER: 0xd2, WRITE_AUXILIARY_BUFFER: 0xd3, WRITE_AUXILIARY: 0xd4,
  DISABLE_A20: 0xdd, ENABLE_A20: 0xdf, PULSE: 0xf0,
} as const;
/** Output port: bit 0 low resets the processor. */
const OUTPUT_PORT = { RESET_N: 0x01, A20: 0x02, KEYBOARD_INTERRUPT: 0x10, KEYBOARD_DATA: 0x80, CLOCK: 0x40 } as const;
const SELF_TEST_PASSED = 0x55;
const KEYBOARD_TEST_PASSED = 0x00;
/** "Auxiliary device clock line stuck low": nothing is plugged in. */
const AUXILIARY_TEST_FAILED = 0x01;
const NOTHING_ANSWERED = 0xfe;
/** "Not inhibited, manufacturing jumper not installed". */
const INPUT_PORT = 0xb0;
/** Answers of the controller itself: at most a guest's commands between two reads; more than this are lost. */
const ANSWERS = 16;

const SHAPE = record({
  ram: array(u8, 32),
  /** The output buffer and the status bits of its source (AUXILIARY, TIMEOUT); full or not. */
  output: u8,
  outputStatus: u8,
  outputFull: flag,
  answers: queue(record({ byte: u8, status: u8 }), ANSWERS),
  /** The command whose parameter port 0x60 gets next; 0: the keyboard's. */
  expects: u8,
  lastWasCommand: flag,
  a20: flag,
  /** Translation saw the break prefix. */
  breaking: flag,
});

export interface I8042Signals {
  /** IRQ 1: a byte of the keyboard or of the controller waits. */
  readonly keyboardInterrupt: (level: boolean) => void;
  /** IRQ 12: a byte from the auxiliary side waits, be it that drivers sent it to themselves. */
  readonly auxiliaryInterrupt: (level: boolean) => void;
  readonly reset: () => void;
  readonly a20: (enabled: boolean) => void;
}

export class I8042 implements PortDevice, Snapshotable {
  readonly name = '8042 keyboard controller';
  readonly #signals: I8042Signals;
  readonly #keyboard = new Ps2Keyboard();
  readonly #state = zeroState(SHAPE);
  #lines = { keyboard: false, auxiliary: false };

  constructor(signals: I8042Signals) {
    this.#signals = signals;
    // What firmware leaves: self test done, keyboard translated and interrupting, A20 open.
    this.#state.ram[0] = COMMAND_BYTE.KEYBOARD_INTERRUPT | COMMAND_BYTE.SYSTEM | COMMAND_BYTE.DISABLE_AUXILIARY | COMMAND_BYTE.TRANSLATE;
    this.#state.a20 = true;
  }

  /** A key goes down or up, named as KeyboardEvent.code names it. False if the keyboard cannot take it. */
  key(code: string, pressed: boolean): boolean {
    const taken = this.#keyboard.key(code, pressed);
    this.#fill();
    return taken;
  }

  /** The A20 gate; ports 0x60 and 0x92 both have it. */
  get a20(): boolean {
    return this.#state.a20;
  }

  setA20(enabled: boolean): void {
    if (enabled === this.#state.a20) return;
    this.#state.a20 = enabled;
    this.#signals.a20(enabled);
  }

  readPort(port: number): number {
    const s = this.#state;
    if (port === I8042_PORT.STATUS_COMMAND) {
      return (s.outputFull ? STATUS.OUTPUT_FULL | s.outputStatus : 0) | (this.#commandByte & STATUS.SYSTEM) | (s.lastWasCommand ? STATUS.COMMAND : 0) | STATUS.NOT_INHIBITED;
    }
    const byte = s.output;
    s.outputFull = false;
    this.#update(); // the line drops between two bytes, or an edge-triggered PIC would see one
    this.#fill();
    return byte;
  }

  writePort(port: number, _bytes: number, value: number): void {
    this.#state.lastWasCommand = port === I8042_PORT.STATUS_COMMAND;
    if (port === I8042_PORT.STATUS_COMMAND) this.#command(value);
    else this.#data(value);
    this.#fill();
  }

  get #commandByte(): number {
    return this.#state.ram[0] ?? 0;
  }

  #setCommandByte(value: number): void {
    this.#state.ram[0] = value;
    this.#update();
  }

  #command(value: number): void {
    const s = this.#state;
    s.expects = 0;
    if ((value & COMMAND.RAM_MASK) === COMMAND.READ_RAM) {
      this.#answer(s.ram[value & 0x1f] ?? 0);
      return;
    }
    // "Pulse output port": bits 3:0 low mean that the line is pulsed, bit 0 is the processor's reset.
    if ((value & 0xf0) === COMMAND.PULSE) {
      if ((value & OUTPUT_PORT.RESET_N) === 0) this.#signals.reset();
      return;
    }
    switch (value) {
      case COMMAND.DISABLE_AUXILIARY: this.#setCommandByte(this.#commandByte | COMMAND_BYTE.DISABLE_AUXILIARY); return;
      case COMMAND.ENABLE_AUXILIARY: this.#setCommandByte(this.#commandByte & ~COMMAND_BYTE.DISABLE_AUXILIARY); return;
      case COMMAND.TEST_AUXILIARY: this.#answer(AUXILIARY_TEST_FAILED); return;
      case COMMAND.SELF_TEST:
        this.#setCommandByte(this.#commandByte | COMMAND_BYTE.SYSTEM);
        this.#answer(SELF_TEST_PASSED);
        return;
      case COMMAND.TEST_KEYBOARD: this.#answer(KEYBOARD_TEST_PASSED); return;
      case COMMAND.DISABLE_KEYBOARD: this.#setCommandByte(this.#commandByte | COMMAND_BYTE.DISABLE_KEYBOARD); return;
      case COMMAND.ENABLE_KEYBOARD: this.#setCommandByte(this.#commandByte & ~COMMAND_BYTE.DISABLE_KEYBOARD); return;
      case COMMAND.READ_INPUT_PORT: this.#answer(INPUT_PORT); return;
      case COMMAND.READ_OUTPUT_PORT: this.#answer(this.#outputPort()); return;
      case COMMAND.DISABLE_A20: this.setA20(false); return;
      case COMMAND.ENABLE_A20: this.setA20(true); return;
      case COMMAND.WRITE_OUTPUT_PORT: case COMMAND.WRITE_KEYBOARD_BUFFER: case COMMAND.WRITE_AUXILIARY_BUFFER: case COMMAND.WRITE_AUXILIARY:
        s.expects = value;
        return;
      default:
        if ((value & COMMAND.RAM_MASK) === COMMAND.WRITE_RAM) s.expects = value; // others: no operation
    }
  }

  #data(value: number): void {
    const s = this.#state;
    const expects = s.expects;
    s.expects = 0;
    switch (expects) {
      case 0:
        // "Any byte written to the keyboard enables it."
        this.#setCommandByte(this.#commandByte & ~COMMAND_BYTE.DISABLE_KEYBOARD);
        s.breaking = false;
        this.#keyboard.command(value);
        return;
      case COMMAND.WRITE_OUTPUT_PORT:
        this.setA20((value & OUTPUT_PORT.A20) !== 0);
        if ((value & OUTPUT_PORT.RESET_N) === 0) this.#signals.reset();
        return;
      case COMMAND.WRITE_KEYBOARD_BUFFER: this.#answer(value); return;
      case COMMAND.WRITE_AUXILIARY_BUFFER: this.#answer(value, STATUS.AUXILIARY); return;
      case COMMAND.WRITE_AUXILIARY: this.#answer(NOTHING_ANSWERED, STATUS.AUXILIARY | STATUS.TIMEOUT); return;
      default:
        if ((expects & 0x1f) === 0) this.#setCommandByte(value);
        else s.ram[expects & 0x1f] = value;
    }
  }

  #outputPort(): number {
    const s = this.#state;
    return OUTPUT_PORT.RESET_N | (s.a20 ? OUTPUT_PORT.A20 : 0) | (s.outputFull ? OUTPUT_PORT.KEYBOARD_INTERRUPT : 0) | OUTPUT_PORT.CLOCK | OUTPUT_PORT.KEYBOARD_DATA;
  }

  #answer(byte: number, status = 0): void {
    if (this.#state.answers.length < ANSWERS) this.#state.answers.push({ byte, status });
  }

  /** Moves the next byte into the output buffer if that is empty: the controller's own answers first. */
  #fill(): void {
    const s = this.#state;
    if (!s.outputFull) {
      const answer = s.answers.shift();
      if (answer !== undefined) this.#put(answer.byte, answer.status);
      else if ((this.#commandByte & COMMAND_BYTE.DISABLE_KEYBOARD) === 0) this.#fillFromKeyboard();
    }
    this.#update();
  }

  #fillFromKeyboard(): void {
    const s = this.#state;
    for (let byte = this.#keyboard.take(); byte !== undefined; byte = this.#keyboard.take()) {
      if ((this.#commandByte & COMMAND_BYTE.TRANSLATE) === 0) {
        this.#put(byte, 0);
        return;
      }
      if (byte === BREAK) {
        s.breaking = true;
        continue;
      }
      this.#put(toSet1(byte) | (s.breaking ? 0x80 : 0), 0);
      s.breaking = s.breaking && byte === 0xe0;
      return;
    }
  }

  #put(byte: number, status: number): void {
    const s = this.#state;
    s.output = byte;
    s.outputStatus = status;
    s.outputFull = true;
  }

  /** The output buffer full, by source. */
  #wanted(): { keyboard: boolean; auxiliary: boolean } {
    const s = this.#state;
    const auxiliary = (s.outputStatus & STATUS.AUXILIARY) !== 0;
    return {
      keyboard: s.outputFull && !auxiliary && (this.#commandByte & COMMAND_BYTE.KEYBOARD_INTERRUPT) !== 0,
      auxiliary: s.outputFull && auxiliary && (this.#commandByte & COMMAND_BYTE.AUXILIARY_INTERRUPT) !== 0,
    };
  }

  #update(): void {
    const before = this.#lines, now = this.#wanted();
    this.#lines = now;
    if (now.keyboard !== before.keyboard) this.#signals.keyboardInterrupt(now.keyboard);
    if (now.auxiliary !== before.auxiliary) this.#signals.auxiliaryInterrupt(now.auxiliary);
  }

  snapshot(): unknown {
    return { controller: copyState(SHAPE, this.#state, 'i8042'), keyboard: this.#keyboard.snapshot() };
  }

  restore(snapshot: unknown): void {
    const { controller } = copyState(record({ controller: SHAPE }), snapshot, 'i8042');
    this.#keyboard.restore((snapshot as { keyboard: unknown }).keyboard);
    Object.assign(this.#state, controller);
    this.#signals.a20(controller.a20);
    this.#lines = this.#wanted();
  }
}
