/**
 * Who called whom, from the stack alone: return addresses are known by the CALL before them, frames of exceptions and interrupts by
 * their values: five, or in 32-bit code without a change of privilege three. Needs neither frame pointers nor debug information; a stale return address that happens to call the function in question can deceive it.
 */
import { decode, DecodeFailure } from '../cpu/decode/decode.ts';
import type { Instruction } from '../cpu/isa/instruction.ts';
import { isCanonical } from '../state/addresses.ts';
import type { Machine } from '../machine/machine.ts';
import { CR0 } from '../mmu/control-bits.ts';
import { littleEndian } from './bytes.ts';
import type { SourceLine, SourceLines } from './source-lines.ts';
import type { SymbolTable } from './symbols.ts';

export interface Frame {
  /** Where execution is, or will go on. */
  readonly rip: bigint;
  /** RSP there: of a caller, once its callee has returned. */
  readonly rsp: bigint;
  /** What leads to the frame: nothing, since it is where execution is; a return address; the frame of an exception or interrupt. */
  readonly by: 'current' | 'call' | 'event';
  /** Where the return address, or the frame's RIP, lies. */
  readonly slot: bigint | undefined;
  /** What lies there, from the slot on, of the frame of an exception or interrupt. */
  readonly parts?: readonly string[];
}

const PARTS_64 = ['RIP', 'CS', 'RFLAGS', 'RSP', 'SS'], PARTS_32 = ['EIP', 'CS', 'EFLAGS', 'ESP', 'SS'];

/** The source line of an address, or of what lies there. */
export const lineAt = (lines: SourceLines, symbols: SymbolTable, address: bigint): ReturnType<SourceLines['at']> => (lines.count === 0 ? undefined : lines.at(address) ?? lines.at(symbols.linked(address)));
/** The source line that a frame is in. A return address may already be the next function's: the CALL before it counts. */
export const lineOfFrame = (lines: SourceLines, symbols: SymbolTable, { rip, by }: Frame): SourceLine | undefined => lineAt(lines, symbols, by === 'call' ? rip - 1n : rip);

const MOST_FRAMES = 64, MOST_SLOTS = 1024;
/** CALL with a 32-bit displacement, and by register or memory. */
const CALL_LENGTHS = [5, 2, 3, 4, 6, 7, 8] as const;

/** The frames, the current one first. Memory that is not mapped ends them. */
export function backtrace(machine: Machine, symbols: SymbolTable): Frame[] {
  const { state } = machine;
  const frames: Frame[] = [{ rip: state.rip, rsp: state.gpr[4]!, by: 'current', slot: undefined }];
  for (let frame: Frame | undefined = frames[0]; frames.length < MOST_FRAMES;) {
    frame = callerOf(machine, symbols, frame!);
    if (frame === undefined) break;
    frames.push(frame);
  }
  return frames;
}

/** The frame behind one; undefined where none can be made out. */
export function callerOf(machine: Machine, symbols: SymbolTable, { rip, rsp }: Frame): Frame | undefined {
  const size = machine.cpu.in64BitMode ? 8 : 4;
  const stack = machine.readLinear(rsp, size * MOST_SLOTS);
  const value = (slot: number): bigint => littleEndian(stack.subarray(slot * size, (slot + 1) * size));
  const here = functionOf(symbols, rip);
  let plausible: Frame | undefined;
  for (let slot = 0; (slot + 1) * size <= stack.length; slot++) {
    const at = rsp + BigInt(slot * size), to = value(slot);
    const event = eventFrame(machine, symbols, Array.from({ length: Math.min(5, stack.length / size - slot) }, (_, n) => value(slot + n)));
    if (event !== undefined) return { rip: to, rsp: event.rsp ?? at + BigInt(size * event.parts.length), by: 'event', slot: at, parts: event.parts };
    const target = callBefore(machine, to);
    if (target === undefined) continue;
    const frame: Frame = { rip: to, rsp: at + BigInt(size), by: 'call', slot: at };
    if (target === 'somewhere' || here === undefined || functionOf(symbols, target) === here) return frame;
    // A function that was jumped to has the return address of the one that was called.
    plausible ??= frame;
  }
  return plausible;
}

/** The address of the symbol that an address belongs to. */
function functionOf(symbols: SymbolTable, address: bigint): bigint | undefined {
  const found = symbols.lookup(address);
  return found === undefined ? undefined : address - found.offset;
}

/** Where the CALL that ends at an address leads; undefined if none does. */
function callBefore(machine: Machine, end: bigint): bigint | 'somewhere' | undefined {
  if (end < 16n) return undefined;
  for (const length of CALL_LENGTHS) {
    const call = instructionAt(machine, end - BigInt(length));
    if (call?.mnemonic !== 'CALL' || call.length !== length) continue;
    const x = call.operands[0];
    return x?.kind === 'relative' ? BigInt.asUintN(machine.cpu.mode().codeSize, end + x.displacement) : 'somewhere';
  }
  return undefined;
}

/** The instruction at an offset in CS, as the mode is now; undefined where there is none. */
export function instructionAt(machine: Machine, ip: bigint): Instruction | undefined {
  const { cpu, state } = machine;
  const bytes = machine.readLinear(cpu.in64BitMode ? ip : BigInt.asUintN(32, state.base[1]! + ip), 15);
  const i = bytes.length === 0 ? undefined : decode(bytes, 0, cpu.mode());
  return i instanceof DecodeFailure ? undefined : i;
}

/** Bits of RFLAGS that are 0, and the one that is 1. SDM Vol. 1, "EFLAGS Register". */
const RESERVED = ~0x3f_7fd7n, FIXED = 2n;

/**
 * Whether values of the stack are the frame of an exception or interrupt: CS names a code segment of no inner ring, RFLAGS has its fixed bits. RSP is among them in 64-bit mode and where
 * the privilege changed; otherwise the stack goes on behind them. SDM Vol. 3A, "Stack Usage on Transfers to Interrupt and Exception-Handling Routines", "64-Bit Mode Stack Frame".
 */
function eventFrame(machine: Machine, symbols: SymbolTable, [ip, cs, rflags, rsp, ss]: readonly (bigint | undefined)[]): { readonly parts: readonly string[]; readonly rsp: bigint | undefined } | undefined {
  const { state, cpu } = machine, wide = cpu.in64BitMode;
  if (ip === undefined || cs === undefined || rflags === undefined || (state.cr0 & CR0.PE) === 0) return undefined;
  if (cs === 0n || cs > 0xffffn || (cs & 4n) !== 0n || Number(cs & 3n) < state.cpl || (rflags & RESERVED) !== 0n || (rflags & FIXED) === 0n) return undefined;
  const outer = Number(cs & 3n) > state.cpl, hasStack = wide || outer;
  if (hasStack && (rsp === undefined || ss === undefined || ss > 0xffffn)) return undefined;
  if (wide ? !isCanonical(ip, cpu.linearWidth) : machine.readLinear(BigInt.asUintN(32, state.base[1]! + ip), 1).length === 0) return undefined;
  // Three numbers are soon found: the first must be in what is known as code.
  if (!hasStack && symbols.size > 0 && symbols.lookup(ip) === undefined) return undefined;
  const descriptor = machine.readLinear(state.gdtrBase + (cs & 0xfff8n), 8);
  if (descriptor.length < 8 || Number(cs | 7n) > state.gdtrLimit || (descriptor[5]! & 0x98) !== 0x98) return undefined;
  return { parts: wide ? PARTS_64 : PARTS_32.slice(0, hasStack ? 5 : 3), rsp: hasStack ? rsp : undefined };
}
