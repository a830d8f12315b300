/**
 * .debug_frame: where each function's caller goes on, and where the registers lie that the function saved, so that a
 * debugger's backtrace needs no frame pointer. Read off the code itself, instruction by instruction in the order of
 * addresses: PUSH and POP, and constants added to RSP. So a function must use its stack alike on every path to a place.
 * A function without RET has no caller (an entry, an interrupt stub), nor has what follows a load of RSP: backtraces end there.
 * DWARF Debugging Information Format 4, "Call Frame Information"; System V ABI, AMD64, "DWARF Register Number Mapping".
 */
import { ByteWriter } from './byte-writer.ts';
import type { Image, ImageLine, ImageSymbol } from './image.ts';

const CFA = { advance: 0x40, offset: 0x80, restore: 0xc0, advance4: 0x04, undefined: 0x07, define: 0x0c, defineOffset: 0x0e };
const CIE_ID = 0xffff_ffff;
const RSP = 7, RETURN_ADDRESS = 16, SLOT = 8;
/** DWARF's numbers of the general registers, in the order of their encoding. */
const DWARF_NUMBER = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
/** What a function gives back as it found it: RBX, RBP, R12 to R15. */
const CALLEE_SAVED = new Set([3, 6, 12, 13, 14, 15]);
/** RET, and RET imm16. */
const RET = new Set([0xc3, 0xc2]);

/** What an instruction does to the stack: bytes pushed (negative: popped), the register moved to or from it, or RSP itself is loaded. */
interface StackEffect { readonly bytes: number; readonly push?: number; readonly pop?: number; readonly loads?: true }
const NONE: StackEffect = { bytes: 0 };

/** Of one instruction in 64-bit code. SDM Vol. 2, "Opcode Map"; stack operations with an operand-size prefix are not read. */
function stackEffect(code: Uint8Array): StackEffect {
  const rex = ((code[0] ?? 0) & 0xf0) === 0x40 ? (code[0] ?? 0) : 0;
  const [opcode = 0, modrm = 0, sib = 0] = code.subarray(rex === 0 ? 0 : 1);
  const operand = code.subarray(rex === 0 ? 1 : 2);
  const register = DWARF_NUMBER[(opcode & 7) | ((rex & 1) << 3)] as number;
  const reg = ((modrm >> 3) & 7) | ((rex & 4) << 1), rm = (modrm & 7) | ((rex & 1) << 3), mod = modrm >> 6;
  const constant = (at: number, bytes: number): number => {
    const view = new DataView(operand.buffer, operand.byteOffset, operand.byteLength);
    return bytes === 1 ? view.getInt8(at) : view.getInt32(at, true);
  };
  if ((opcode & 0xf8) === 0x50) return { bytes: 8, push: register };
  if ((opcode & 0xf8) === 0x58) return { bytes: -8, pop: register };
  switch (opcode) {
    case 0x68: case 0x6a: case 0x9c: return { bytes: 8 };                // PUSH imm, PUSHFQ
    case 0x9d: return { bytes: -8 };                                     // POPFQ
    case 0xff: return (modrm & 0x38) === 0x30 ? { bytes: 8 } : NONE;     // PUSH m64
    case 0x8f: return { bytes: -8 };                                     // POP m64
    case 0x81: case 0x83: {
      if (mod !== 3 || rm !== 4) return NONE;
      const amount = constant(1, opcode === 0x83 ? 1 : 4);
      return reg === 5 ? { bytes: amount } : reg === 0 ? { bytes: -amount } : reg === 7 ? NONE : { bytes: 0, loads: true };
    }
    case 0x8b: return reg === 4 ? { bytes: 0, loads: true } : NONE;      // MOV RSP, r/m64
    case 0x89: return mod === 3 && rm === 4 ? { bytes: 0, loads: true } : NONE;
    case 0x8d:                                                           // LEA RSP, [RSP + displacement]
      if (reg !== 4) return NONE;
      return (mod === 1 || mod === 2) && rm === 4 && sib === 0x24 ? { bytes: -constant(2, mod === 1 ? 1 : 4) } : { bytes: 0, loads: true };
    case 0xc8: case 0xc9: return { bytes: 0, loads: true };              // ENTER, LEAVE
    default: return NONE;
  }
}

/** The contents of .debug_frame: one entry for all, one for each function of 64-bit code. */
export function debugFrame(image: Image): Uint8Array {
  const w = new ByteWriter();
  entry(w, () => {
    w.u32(CIE_ID);
    w.u8(4);
    w.string('');
    w.u8(8);                              // bytes of an address
    w.u8(0);
    w.uleb(1);                            // factor of code distances
    w.sleb(-SLOT);                        // factor of stack offsets
    w.uleb(RETURN_ADDRESS);
    w.u8(CFA.define);
    w.uleb(RSP);
    w.uleb(SLOT);
    w.u8(CFA.offset | RETURN_ADDRESS);
    w.uleb(1);
  });
  for (const section of image.sections) {
    const lines = image.lines.filter((x) => x.section === section.name);
    const indexes = new Map(lines.map((x, i) => [x.linear, i]));
    for (const f of image.symbols.values()) {
      const first = f.kind === 'function' && f.section === section.name ? indexes.get(f.linear) : undefined;
      if (first === undefined || lines[first]?.bits !== 64) continue;
      const code: FunctionLine[] = [];
      for (let i = first; i < lines.length; i += 1) {
        const { kind, linear, size } = lines[i] as ImageLine;
        const at = Number(linear - f.linear), inSection = Number(linear - section.linear);
        if (at >= f.size) break;
        if (kind === 'instruction') code.push({ at, bytes: section.bytes.subarray(inSection, inSection + size) });
      }
      functionEntry(w, f, code);
    }
  }
  return w.finish();
}

interface FunctionLine { readonly at: number; readonly bytes: Uint8Array }

function functionEntry(w: ByteWriter, f: ImageSymbol, code: readonly FunctionLine[]): void {
  entry(w, () => {
    w.u32(0);                             // offset of the entry for all
    w.u64(f.linear);
    w.u64(BigInt(f.size));
    if (!code.some((x) => RET.has(x.bytes[0] ?? 0))) return noCaller(w);
    let depth = SLOT, told = 0;
    const saved = new Map<number, number>();
    const advance = (to: number): void => {
      const by = to - told;
      told = to;
      if (by === 0) return;
      if (by < 0x40) w.u8(CFA.advance | by);
      else {
        w.u8(CFA.advance4);
        w.u32(by);
      }
    };
    for (const { at, bytes } of code) {
      const effect = stackEffect(bytes);
      if (effect.bytes === 0 && effect.loads === undefined) continue;
      advance(at + bytes.length);
      if (effect.loads) return noCaller(w);
      depth += effect.bytes;
      w.u8(CFA.defineOffset);
      w.uleb(depth);
      if (effect.push !== undefined && CALLEE_SAVED.has(effect.push) && !saved.has(effect.push)) {
        saved.set(effect.push, depth);
        w.u8(CFA.offset | effect.push);
        w.uleb(depth / SLOT);
      }
      if (effect.pop !== undefined && saved.get(effect.pop) === depth + SLOT) {
        saved.delete(effect.pop);
        w.u8(CFA.restore | effect.pop);
      }
    }
  });
}

function noCaller(w: ByteWriter): void {
  w.u8(CFA.undefined);
  w.uleb(RETURN_ADDRESS);
}

/** A length, and the content filled up with DW_CFA_nop. */
function entry(w: ByteWriter, content: () => void): void {
  const start = w.length;
  w.u32(0);
  content();
  w.align(8);
  w.patch32(start, w.length - start - 4);
}
