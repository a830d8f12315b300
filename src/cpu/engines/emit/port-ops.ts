/**
 * The vocabulary as generated WebAssembly: the I/O address space. A device is TypeScript, called in the middle of generated code; what it leaves
 * behind may concern the next instruction, so that an instruction which accesses a port ends its block and asks there (`askedFor`).
 */
import { OFFSET } from '../../../state/layout.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { ENGINE } from '../engine-memory.ts';
import { ENGINE_FUNCTION } from '../engine-functions.ts';
import { I32, LOAD, STORE } from '../wasm/opcodes.ts';
import { MemoryOps } from './memory-ops.ts';
import type { Node } from './node.ts';

/** A device answers it. */
export const accessesPort = (i: Instruction): boolean => i.row.meaning.kind === 'device';

export abstract class PortOps extends MemoryOps {
  /** Offset of this instruction in CS. */
  protected abstract ownIp(): Node;
  /** The code calls EngineFunctions. */
  callsEngine = false;
  /** Writes the budget as it is before this instruction where the engine finds it. */
  protected abstract writeBudgetBefore(): void;
  /** The instruction ends its block, and goes on behind itself unless the engine is to be asked first: where the value is not 0. */
  protected abstract goOnUnless(asked: Node): void;

  override readPort(w: 8 | 16 | 32, port: Node): Node {
    this.#requireOpen();
    const ip = this.ownIp();
    const value = this.value(I32, [ip, port], () => { this.#call('readPort', w, ip, port); });
    this.#askedFor();
    return value;
  }
  override writePort(w: 8 | 16 | 32, port: Node, v: Node): void {
    this.#requireOpen();
    const ip = this.ownIp();
    this.effect([ip, port, v], () => { this.#call('writePort', w, ip, port, v); });
    this.#askedFor();
  }

  /** The reference engine judges programs that need the bitmap of the TSS, and does what someone looks at. */
  #requireOpen(): void {
    const iopl = this.and(32, this.shrU(32, this.loadState(I32, LOAD[32], OFFSET.systemFlags), this.const(32, 12n)), this.const(32, 3n));
    this.leaveUnless(this.andB(
      this.not(this.isZero(32, this.loadState(I32, LOAD[32], ENGINE.portsOpen))),
      this.not(this.ltU(32, iopl, this.loadState(I32, LOAD[32], OFFSET.cpl))),
    ));
  }
  #call(name: 'readPort' | 'writePort', w: number, ip: Node, ...operands: readonly Node[]): void {
    const { code } = this;
    this.callsEngine = true;
    this.writeBudgetBefore();
    // For a device that ends the run: it says where.
    code.i32(0);
    this.emit(ip);
    code.memory(STORE[64], OFFSET.rip);
    for (const x of operands) this.emit(x);
    code.i32(w / 8);
    code.call(ENGINE_FUNCTION[name]);
  }
  #askedFor(): void { this.goOnUnless(this.loadState(I32, LOAD[32], ENGINE.asked)); }
}
