/**
 * .debug_frame: where each function's caller goes on, and where the registers lie that the function saved, so that a
 * debugger's backtrace needs no frame pointer. Read off the code itself, instruction by instruction in the order of
 * addresses: PUSH and POP, and constants added to RSP. So a function must use its stack alike on every path to a place.
 * A function without RET has no caller (an entry), nor has 32-bit code, whose stack a debugger of 64-bit code would misread, nor has what follows a load of RSP: backtraces end there. What an interrupt leads to goes on, by its
 * frame, with the code that was interrupted, every register as it was there.
 * DWARF Debugging Information Format 4, "Call Frame Information"; System V ABI, AMD64, "DWARF Register Number Mapping"; Linux Standard Base, Core, "Exception
 * Frames" (augmentations; S, an interrupted frame, is GCC's); SDM Vol. 3A, "64-Bit Mode Stack Frame".
 */
import { ByteWriter } from './byte-writer.ts';
import type { Image, ImageLine, ImageSymbol } from './image.ts';

const CFA = { advance: 0x40, offset: 0x80, restore: 0xc0, advance4: 0x04, undefined: 0x07, define: 0x0c, defineOffset: 0x0e };
const CIE_ID = 0xffff_ffff;
const RSP = 7, RETURN_ADDRESS = 16, FLAGS = 49, SLOT = 8;
/** The frame of an interrupt, from the highest of its quadwords: SS, RSP, RFLAGS, CS, RIP. */
const INTERRUPT_FRAME = { rsp: 2, flags: 3, rip: 5, bytes: 40 } as const;
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

/** The contents of .debug_frame: entries for all functions of a kind, and one for each function, or each part of what an interrupt leads to. */
export function debugFrame(image: Image): Uint8Array {
  const w = new ByteWriter(), kinds = commonEntries(w);
  for (const section of image.sections) {
    const lines = image.lines.filter((x) => x.section === section.name);
    const indexes = new Map(lines.map((x, i) => [x.linear, i]));
    for (const f of image.symbols.values()) {
      const first = f.kind === 'function' && f.section === section.name ? indexes.get(f.linear) : undefined;
      if (first === undefined) continue;
      const code: FunctionLine[] = [];
      for (let i = first; i < lines.length; i += 1) {
        const { kind, linear, size } = lines[i] as ImageLine;
        const at = Number(linear - f.linear), inSection = Number(linear - section.linear);
        if (at >= f.size) break;
        if (kind === 'instruction') code.push({ at, bytes: section.bytes.subarray(inSection, inSection + size) });
      }
      functionEntries(w, f, lines[first]?.bits === 64 ? rowsOf(f, code) : NO_CALLER, code, kinds);
    }
  }
  return w.finish();
}

interface FunctionLine { readonly at: number; readonly bytes: Uint8Array }
/** From an offset in the function on: RSP is so many bytes below the frame's end, registers are saved so many bytes below it; or nothing is known of a caller. */
interface Row { readonly at: number; readonly depth: number; readonly saved: ReadonlyMap<number, number>; readonly caller: boolean }

const NO_CALLER: readonly Row[] = [{ at: 0, depth: SLOT, saved: new Map(), caller: false }];

/** The rows of a function's table, the first for its beginning. */
function rowsOf({ interruptFrameAt }: ImageSymbol, code: readonly FunctionLine[]): readonly Row[] {
  const interrupts = interruptFrameAt !== undefined;
  if (!interrupts && !code.some((x) => RET.has(x.bytes[0] ?? 0))) return NO_CALLER;
  let depth = interrupts ? INTERRUPT_FRAME.bytes + interruptFrameAt : SLOT;
  const saved = new Map<number, number>(), rows: Row[] = [];
  const note = (at: number, caller = true): void => void rows.push({ at, depth, saved: new Map(saved), caller });
  note(0);
  for (const { at, bytes } of code) {
    const effect = stackEffect(bytes);
    if (effect.bytes === 0 && effect.loads === undefined) continue;
    if (effect.loads) {
      note(at + bytes.length, false);
      break;
    }
    depth += effect.bytes;
    if (effect.push !== undefined && (interrupts || CALLEE_SAVED.has(effect.push)) && !saved.has(effect.push)) saved.set(effect.push, depth);
    if (effect.pop !== undefined && saved.get(effect.pop) === depth + SLOT) saved.delete(effect.pop);
    note(at + bytes.length);
  }
  return rows;
}

/** Offsets of the entries for all functions of a kind. */
interface Kinds { readonly called: number; readonly interrupting: number; readonly atCall: number }

function commonEntries(w: ByteWriter): Kinds {
  const entryFor = (augmentation: string, rules: () => void): number => {
    const at = w.length;
    entry(w, () => {
      w.u32(CIE_ID);
      w.u8(4);
      w.string(augmentation);
      w.u8(8);                            // bytes of an address
      w.u8(0);
      w.uleb(1);                          // factor of code distances
      w.sleb(-SLOT);                      // factor of stack offsets
      w.uleb(RETURN_ADDRESS);
      if (augmentation !== '') w.uleb(0); // bytes of augmentation data
      rules();
    });
    return at;
  };
  const frame = (bytes: number, ...places: readonly (readonly [register: number, slot: number])[]) => (): void => {
    w.u8(CFA.define);
    w.uleb(RSP);
    w.uleb(bytes);
    for (const [register, slot] of places) {
      w.u8(CFA.offset | register);
      w.uleb(slot);
    }
  };
  const interrupted = frame(INTERRUPT_FRAME.bytes, [RETURN_ADDRESS, INTERRUPT_FRAME.rip], [RSP, INTERRUPT_FRAME.rsp], [FLAGS, INTERRUPT_FRAME.flags]);
  return { called: entryFor('', frame(SLOT, [RETURN_ADDRESS, 1])), interrupting: entryFor('', interrupted), atCall: entryFor('zS', interrupted) };
}

/**
 * What an interrupt leads to is one entry for each CALL and the instruction that it returns to, and one for what is between: behind a frame with S gdb takes the address
 * for the instruction that was interrupted, and not for one behind a CALL, whose line may be another; but where it stands in such a frame it shows neither name nor line.
 */
function functionEntries(w: ByteWriter, f: ImageSymbol, rows: readonly Row[], code: readonly FunctionLine[], kinds: Kinds): void {
  if (f.interruptFrameAt === undefined) return functionEntry(w, f, 0, f.size, rows, kinds.called, false);
  let from = 0;
  code.forEach(({ at, bytes }, n) => {
    if (!isCall(bytes)) return;
    const end = code[n + 1] === undefined ? f.size : code[n + 1]!.at + code[n + 1]!.bytes.length;
    if (at > from) functionEntry(w, f, from, at, rows, kinds.interrupting, false);
    functionEntry(w, f, at, end, rows, kinds.atCall, true);
    from = end;
  });
  if (f.size > from) functionEntry(w, f, from, f.size, rows, kinds.interrupting, false);
}

/** CALL rel32, and CALL m64 or r64. */
const isCall = ([opcode, modrm = 0]: Uint8Array): boolean => opcode === 0xe8 || (opcode === 0xff && (modrm & 0x38) === 0x10);

/** The table of a function from one offset to another. */
function functionEntry(w: ByteWriter, f: ImageSymbol, from: number, to: number, rows: readonly Row[], kind: number, augmented: boolean): void {
  entry(w, () => {
    w.u32(kind);
    w.u64(f.linear + BigInt(from));
    w.u64(BigInt(to - from));
    if (augmented) w.uleb(0);             // bytes of augmentation data
    const beginning = rows.findLast(({ at }) => at <= from) as Row;
    let before: Row = { at: from, depth: f.interruptFrameAt === undefined ? SLOT : INTERRUPT_FRAME.bytes, saved: new Map(), caller: true };
    for (const row of [{ ...beginning, at: from }, ...rows.filter(({ at }) => at > from && at < to)]) {
      writeRow(w, row, before);
      before = row;
    }
  });
}

function writeRow(w: ByteWriter, { at, depth, saved, caller }: Row, before: Row): void {
  const by = at - before.at;
  if (by >= 0x40) {
    w.u8(CFA.advance4);
    w.u32(by);
  } else if (by > 0) w.u8(CFA.advance | by);
  if (!caller) {
    w.u8(CFA.undefined);
    w.uleb(RETURN_ADDRESS);
    return;
  }
  if (depth !== before.depth) {
    w.u8(CFA.defineOffset);
    w.uleb(depth);
  }
  for (const [register, place] of saved) {
    if (before.saved.has(register)) continue;
    w.u8(CFA.offset | register);
    w.uleb(place / SLOT);
  }
  for (const register of before.saved.keys()) if (!saved.has(register)) w.u8(CFA.restore | register);
}

/** A length, and the content filled up with DW_CFA_nop. */
function entry(w: ByteWriter, content: () => void): void {
  const start = w.length;
  w.u32(0);
  content();
  w.align(8);
  w.patch32(start, w.length - start - 4);
}
