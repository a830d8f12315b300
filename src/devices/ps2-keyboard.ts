/** The PS/2 keyboard behind the 8042: commands from the host, answers and scan codes to it. IBM PS/2 Hardware Interface Technical Reference, "Keyboard (101- and 102-Key)". */
import { copyState, flag, queue, record, u8, upTo, zeroState, type Snapshotable } from './snapshot.ts';
import { set2Bytes } from './scancodes.ts';

const COMMAND = {
  SET_INDICATORS: 0xed, ECHO: 0xee, SELECT_SCAN_CODES: 0xf0, READ_ID: 0xf2, SET_TYPEMATIC: 0xf3, ENABLE: 0xf4,
  DEFAULT_DISABLE: 0xf5, SET_DEFAULT: 0xf6, RESEND: 0xfe, RESET: 0xff,
} as const;
const ANSWER = { ACKNOWLEDGE: 0xfa, COMPLETION: 0xaa, ECHO: 0xee, RESEND: 0xfe } as const;
const ID = [0xab, 0x83] as const;
/** The keyboard's own buffer; what comes when it is full is lost, but for one overrun code. */
const BUFFER_BYTES = 16;
const OVERRUN = 0x00;
/** Room for answers besides. */
const QUEUE_BYTES = BUFFER_BYTES + 8;

const SHAPE = record({
  output: queue(u8, QUEUE_BYTES),
  scanning: flag,
  indicators: u8,
  /** The command whose parameter is next; 0 for none. */
  expects: u8,
  scanCodeSet: upTo(3),
  last: u8,
});

export class Ps2Keyboard implements Snapshotable {
  readonly #state = zeroState(SHAPE);

  constructor() {
    this.#state.scanning = true;
    this.#state.scanCodeSet = 2;
  }

  /** Whether a byte waits for the controller. */
  get ready(): boolean {
    return this.#state.output.length > 0;
  }

  /** The next byte on the wire to the controller. */
  take(): number | undefined {
    const byte = this.#state.output.shift();
    if (byte !== undefined) this.#state.last = byte;
    return byte;
  }

  /** A key goes down or up. False if there is no such key, or the guest disabled scanning, or the buffer is full. */
  key(code: string, pressed: boolean): boolean {
    const s = this.#state;
    const bytes = set2Bytes(code, pressed);
    if (bytes === undefined || !s.scanning) return false;
    if (s.output.length + bytes.length > BUFFER_BYTES) {
      if (s.output.length < BUFFER_BYTES) s.output.push(OVERRUN);
      return false;
    }
    s.output.push(...bytes);
    return true;
  }

  /** A byte from the controller. Only set 2 is generated: asking for another one is refused. */
  command(byte: number): void {
    const s = this.#state;
    const expects = s.expects;
    s.expects = 0;
    if (expects !== 0) {
      this.#parameter(expects, byte);
      return;
    }
    switch (byte) {
      case COMMAND.SET_INDICATORS: case COMMAND.SELECT_SCAN_CODES: case COMMAND.SET_TYPEMATIC:
        s.expects = byte;
        this.#answer(ANSWER.ACKNOWLEDGE);
        return;
      case COMMAND.ECHO: this.#answer(ANSWER.ECHO); return;
      case COMMAND.READ_ID: this.#answer(ANSWER.ACKNOWLEDGE, ...ID); return;
      case COMMAND.ENABLE: this.#restart(true); return;
      case COMMAND.DEFAULT_DISABLE: this.#restart(false); return;
      case COMMAND.SET_DEFAULT: this.#restart(true); return;
      case COMMAND.RESEND: this.#answer(s.last); return;
      case COMMAND.RESET:
        this.#restart(true);
        this.#answer(ANSWER.COMPLETION);
        return;
      default: this.#answer(ANSWER.RESEND);
    }
  }

  #parameter(command: number, value: number): void {
    const s = this.#state;
    if (command === COMMAND.SELECT_SCAN_CODES && value === 0) this.#answer(ANSWER.ACKNOWLEDGE, s.scanCodeSet);
    else if (command === COMMAND.SELECT_SCAN_CODES && value !== s.scanCodeSet) this.#answer(ANSWER.RESEND);
    else {
      if (command === COMMAND.SET_INDICATORS) s.indicators = value & 7;
      this.#answer(ANSWER.ACKNOWLEDGE);
    }
  }

  /** "The keyboard clears its output buffer" and answers. */
  #restart(scanning: boolean): void {
    this.#state.output.length = 0;
    this.#state.scanning = scanning;
    this.#answer(ANSWER.ACKNOWLEDGE);
  }

  #answer(...bytes: number[]): void {
    const { output } = this.#state;
    output.push(...bytes.slice(0, QUEUE_BYTES - output.length));
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, 'ps2Keyboard');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, 'ps2Keyboard'));
  }
}
