/** What a debugger can stop at, and how that is said. */
import type { SymbolTable } from '../symbols.ts';
import { vectorMnemonic } from '../error-code.ts';

export type BreakKind =
  /** Before the instruction at an address of the range: an offset in CS, or the physical address of its first byte. */
  | { readonly on: 'execute'; readonly from: bigint; readonly bytes?: number; readonly physical?: boolean }
  /**
   * After an instruction or a delivery that reads or writes a byte of the range. At linear addresses: through that address, by the program. At
   * physical ones: writes by anyone, a page walk that sets A or D too; reads by the program.
   */
  | { readonly on: 'read' | 'write' | 'access'; readonly from: bigint; readonly bytes: number; readonly physical?: boolean }
  /** Before an exception is delivered: with this vector, with these bits of its error code. */
  | { readonly on: 'exception'; readonly vector?: number; readonly errorCode?: { readonly mask: number; readonly value: number } }
  /** Before an interrupt, an NMI or INT n is delivered. */
  | { readonly on: 'interrupt'; readonly vector?: number }
  /** After a write to a control register, or to an MSR. */
  | { readonly on: 'control-register'; readonly number?: 0 | 2 | 3 | 4 | 8 }
  | { readonly on: 'msr'; readonly address?: number }
  /** After IN or OUT. */
  | { readonly on: 'port'; readonly from: number; readonly count?: number; readonly direction?: 'in' | 'out' }
  /** After a change of the decode mode, of paging mode or long mode; of CPL. */
  | { readonly on: 'mode' | 'privilege' }
  /** After a change of an entry that the walk of this linear address goes through (A and D do not count). */
  | { readonly on: 'page-table'; readonly address: bigint }
  | { readonly on: 'tlb-flush' }
  /** After COM1 has printed this text. */
  | { readonly on: 'console'; readonly text: string }
  /** At an instruction count. */
  | { readonly on: 'count'; readonly instructions: number }
  /** At the first boundary where the condition is true after one where it was not. */
  | { readonly on: 'expression' };

/** A breakpoint in words: `write to 8 bytes at 0x1000 <counter>`. */
export function describeKind(what: BreakKind, symbols: SymbolTable): string {
  const range = (from: bigint, bytes: number, physical: boolean | undefined): string =>
    `${bytes === 1 ? '' : `${bytes} bytes at `}${physical === true ? `physical 0x${from.toString(16)}` : symbols.text(from)}`;
  switch (what.on) {
    case 'execute': return `execution of ${range(what.from, what.bytes ?? 1, what.physical)}`;
    case 'read': case 'write': case 'access': return `${what.on === 'access' ? 'access' : what.on} ${what.on === 'read' ? 'of' : 'to'} ${range(what.from, what.bytes, what.physical)}`;
    case 'exception': {
      const code = what.errorCode === undefined ? '' : ` with error code ${what.errorCode.mask === 0xffff_ffff ? '' : `& 0x${what.errorCode.mask.toString(16)} `}= 0x${what.errorCode.value.toString(16)}`;
      return `${what.vector === undefined ? 'any exception' : vectorMnemonic(what.vector)}${code}`;
    }
    case 'interrupt': return what.vector === undefined ? 'any interrupt' : `interrupt ${what.vector}`;
    case 'control-register': return `write to ${what.number === undefined ? 'any control register' : `CR${what.number}`}`;
    case 'msr': return `write to ${what.address === undefined ? 'any MSR' : `MSR 0x${what.address.toString(16)}`}`;
    case 'port': return `${what.direction === undefined ? 'IN or OUT' : what.direction.toUpperCase()} at port 0x${what.from.toString(16)}${(what.count ?? 1) > 1 ? ` to 0x${(what.from + what.count! - 1).toString(16)}` : ''}`;
    case 'mode': return 'change of mode';
    case 'privilege': return 'change of CPL';
    case 'page-table': return `change of the page tables of ${symbols.text(what.address)}`;
    case 'tlb-flush': return 'invalidation of the TLB';
    case 'console': return `console text ${JSON.stringify(what.text)}`;
    case 'count': return `instruction ${what.instructions}`;
    case 'expression': return 'condition';
  }
}
