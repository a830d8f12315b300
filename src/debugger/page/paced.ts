/**
 * Output for a terminal, one piece at a time: the next when the last is drawn. A tab in the background draws hardly ever, and a terminal that is told all the same keeps
 * what it is told, up to a limit behind which it throws (xterm.js, "Flow Control"). Here the oldest of what waits is left out, and the terminal says so.
 */

/** What is used of a terminal. */
export interface Sink {
  /** Draws bytes, in time; then calls back. */
  write(data: Uint8Array | string, done: () => void): void;
  reset(): void;
}
/** `replaces`: nothing of what was shown before stays. `repeats`: it has been shown before. */
interface Piece { readonly bytes: Uint8Array; readonly replaces: boolean; readonly repeats: boolean }

export class Paced {
  readonly #sink: Sink;
  readonly #most: number;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  #leftOut = 0;
  /** What is being drawn has been drawn before. */
  repeats = false;
  #isDrawing = false;

  /** `most`: bytes that may wait. */
  constructor(sink: Sink, most: number) {
    this.#sink = sink;
    this.#most = most;
  }

  write(piece: Piece): void {
    if (piece.replaces) {
      this.#waiting = [];
      this.#waitingBytes = this.#leftOut = 0;
    }
    this.#waiting.push(piece);
    this.#waitingBytes += piece.bytes.length;
    while (this.#waitingBytes > this.#most) this.#leaveOut();
    if (!this.#isDrawing) this.#next();
  }

  /** The oldest piece that waits, or the beginning of one that is too long alone. */
  #leaveOut(): void {
    const [oldest] = this.#waiting as [Piece, ...Piece[]], excess = Math.min(oldest.bytes.length, this.#waitingBytes - this.#most);
    const rest = oldest.bytes.subarray(excess);
    this.#waiting.splice(0, 1, ...(rest.length > 0 ? [{ ...oldest, bytes: rest }] : []));
    this.#waitingBytes -= excess;
    this.#leftOut += excess;
  }

  #next(): void {
    const piece = this.#waiting.shift();
    this.#isDrawing = piece !== undefined;
    if (piece === undefined) return;
    this.#waitingBytes -= piece.bytes.length;
    // What is left out may have been the middle of an escape sequence.
    if (piece.replaces || this.#leftOut > 0) this.#sink.reset();
    this.repeats = piece.repeats;
    const draw = (): void => {
      this.#sink.write(piece.bytes, () => {
        this.repeats = false;
        this.#next();
      });
    };
    if (this.#leftOut === 0) draw();
    else this.#sink.write(`[${this.#leftOut.toLocaleString('en')} bytes came faster than they could be shown]\n`, draw);
    this.#leftOut = 0;
  }
}
