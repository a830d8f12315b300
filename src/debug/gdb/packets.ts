/**
 * Packets of gdb's remote protocol: `$payload#checksum`, acknowledged by + or - until QStartNoAckMode. What is damaged is answered with -, what is
 * too long is read to its end and dropped. "Debugging with GDB", appendix "GDB Remote Serial Protocol", "Overview".
 */

/** Most bytes of a payload, as announced in qSupported (PacketSize), which counts the escaped form. */
export const MOST_PAYLOAD = 0x4000;

const CODE = { dollar: 0x24, hash: 0x23, escape: 0x7d, star: 0x2a, plus: 0x2b, minus: 0x2d, interrupt: 0x03 } as const;
const ESCAPE_XOR = 0x20;

/** Something that came from gdb. */
export type Received =
  /** `payload` is unescaped. */
  | { readonly kind: 'packet'; readonly payload: Uint8Array }
  | { readonly kind: 'damaged' | 'too-long' }
  | { readonly kind: 'ack' | 'nack' }
  /** Ctrl-C. */
  | { readonly kind: 'interrupt' };

/** Reads a stream of bytes. Bytes between packets that mean nothing are passed over. */
export class PacketReader {
  readonly #payload: number[] = [];
  #state: 'between' | 'payload' | 'escaped' | 'checksum' | 'checksum2' = 'between';
  #sum = 0;
  #length = 0;
  #claimed = 0;

  *read(bytes: Uint8Array): Generator<Received> {
    for (const byte of bytes) {
      const received = this.#byte(byte);
      if (received !== undefined) yield received;
    }
  }

  #byte(byte: number): Received | undefined {
    switch (this.#state) {
      case 'between':
        if (byte === CODE.dollar) this.#begin();
        return byte === CODE.plus ? { kind: 'ack' } : byte === CODE.minus ? { kind: 'nack' } : byte === CODE.interrupt ? { kind: 'interrupt' } : undefined;
      case 'checksum':
      case 'checksum2': {
        const digit = Number.parseInt(String.fromCharCode(byte), 16);
        this.#claimed = this.#claimed * 16 + digit;
        if (this.#state === 'checksum' && !Number.isNaN(digit)) {
          this.#state = 'checksum2';
          return undefined;
        }
        this.#state = 'between';
        if (this.#claimed !== this.#sum) return { kind: 'damaged' };
        return this.#length > MOST_PAYLOAD ? { kind: 'too-long' } : { kind: 'packet', payload: Uint8Array.from(this.#payload) };
      }
      default:
        // A packet that begins within another: its end was lost.
        if (byte === CODE.dollar) {
          this.#begin();
          return { kind: 'damaged' };
        }
        if (byte === CODE.hash) {
          this.#claimed = 0;
          this.#state = 'checksum';
          return undefined;
        }
        this.#sum = (this.#sum + byte) & 0xff;
        this.#length++;
        if (byte === CODE.escape && this.#state === 'payload') {
          this.#state = 'escaped';
          return undefined;
        }
        if (this.#length <= MOST_PAYLOAD) this.#payload.push(this.#state === 'escaped' ? byte ^ ESCAPE_XOR : byte);
        this.#state = 'payload';
        return undefined;
    }
  }

  #begin(): void {
    this.#state = 'payload';
    this.#payload.length = 0;
    this.#sum = 0;
    this.#length = 0;
  }
}

/** A packet with this payload. */
export function packet(payload: Uint8Array | string): Uint8Array {
  const plain = typeof payload === 'string' ? latin1(payload) : payload;
  const bytes = [CODE.dollar as number];
  let sum = 0;
  for (const byte of plain) {
    const escaped = byte === CODE.dollar || byte === CODE.hash || byte === CODE.escape || byte === CODE.star;
    for (const sent of escaped ? [CODE.escape, byte ^ ESCAPE_XOR] : [byte]) {
      bytes.push(sent);
      sum = (sum + sent) & 0xff;
    }
  }
  bytes.push(CODE.hash, ...latin1(sum.toString(16).padStart(2, '0')));
  return Uint8Array.from(bytes);
}

export const ACK = latin1('+'), NACK = latin1('-');

export function latin1(text: string): Uint8Array { return Uint8Array.from(text, (c) => c.charCodeAt(0)); }
export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
/** Undefined where it is not whole bytes in hexadecimal. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, n) => Number.parseInt(text.slice(2 * n, 2 * n + 2), 16));
}
