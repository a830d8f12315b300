/** One counter of the 8254 as a clocked circuit, one CLK pulse at a time: slow, obvious, and written without looking at the real one. */
export class NaiveCounter {
  mode = 0;
  bcd = false;
  count = 0;
  written = false;
  nullCount = true;
  gate: boolean;
  trigger = false;
  out = true;
  ce = 0;
  /** The count that CE was loaded with. */
  loaded = 0;
  state: 'stopped' | 'wait-load' | 'count' | 'done' | 'strobe' = 'stopped';

  constructor(gate: boolean) { this.gate = gate; }

  get modulus(): number { return this.bcd ? 10_000 : 65_536; }

  control(mode: number, bcd: boolean): void {
    this.mode = mode;
    this.bcd = bcd;
    this.state = 'stopped';
    this.written = false;
    this.trigger = false;
    this.nullCount = true;
    this.out = mode !== 0;
  }

  /** A whole count, as a number. */
  write(count: number): void {
    this.count = count;
    this.written = true;
    this.nullCount = true;
    if (this.mode === 0) this.out = false;
    if (this.mode === 0 || this.mode === 4) this.state = 'wait-load';
    if ((this.mode === 2 || this.mode === 3) && this.state === 'stopped') this.state = 'wait-load';
  }

  setGate(level: boolean): void {
    const rises = level && !this.gate;
    this.gate = level;
    if (rises && this.written && this.mode !== 0 && this.mode !== 4) this.trigger = true;
    if (!level && (this.mode === 2 || this.mode === 3)) this.out = true;
  }

  private load(): void {
    this.loaded = this.count || this.modulus;
    this.ce = this.mode === 3 && this.loaded % 2 === 1 ? this.loaded - 1 : this.loaded;
    this.nullCount = false;
  }

  clk(): void {
    if (this.state === 'wait-load' || this.trigger) {
      this.trigger = false;
      this.state = 'count';
      this.load();
      this.out = this.mode >= 2;
      return;
    }
    if (this.state === 'stopped') return;
    if (this.state === 'strobe') {
      this.out = true;
      this.state = 'done';
    }
    const enabled = this.mode === 1 || this.mode === 5 || this.gate;
    if (!enabled) return;
    if (this.mode === 2) {
      if (this.ce === 1) {
        this.load();
        this.out = true;
      } else {
        this.ce--;
        if (this.ce === 1) this.out = false;
      }
    } else if (this.mode === 3) {
      if (this.loaded % 2 === 1 && this.out && this.ce > 0) {
        this.ce -= 2;
      } else if (this.loaded % 2 === 1 && this.out) {
        this.load();
        this.out = false;
      } else {
        this.ce -= 2;
        if (this.ce === 0) {
          this.load();
          this.out = !this.out;
        }
      }
    } else {
      this.ce = (this.ce - 1 + this.modulus) % this.modulus;
      if (this.ce === 0 && this.state === 'count') {
        this.state = this.mode >= 4 ? 'strobe' : 'done';
        this.out = this.mode < 4;
      }
    }
  }
}
