/** XCR0 and the XSAVE family. SDM Vol. 1, "Managing State Using the XSAVE Feature Set"; Vol. 2D, "XSAVE—Save Processor Extended States". */
import { CR0, CR4, XCR0 } from '../../../mmu/control-bits.ts';
import type { Cpu } from '../../cpu.ts';
import { GP, NM, UD } from '../../exceptions.ts';
import { loadMxcsr, mxcsrOf, saveMxcsr } from '../../fpu/environment.ts';
import { checkMxcsr, MXCSR_AFTER_RESET } from '../../mxcsr.ts';
import { componentsInUse, initialiseComponents, loadComponents, saveComponents, type XsaveOptions } from '../../fpu/xsave-area.ts';
import { areaBytes, HEADER_AT, HEADER_BYTES, isXcr0, placeOf, placesOf } from '../../xsave.ts';
import type { Instruction } from '../instruction.ts';
import { RAX, RCX, RDX, type MemoryOperand } from '../operand.ts';
import type { Intent } from '../ops.ts';
import type { SystemSemantics } from '../row.ts';
import { low32, memoryOperand, requireCpl0 } from './operands.ts';
import { isAligned, loadBlock, storeBlock } from './x87-operands.ts';

function requireOsxsave(cpu: Cpu, i: Instruction): void {
  if ((cpu.state.cr4 & CR4.OSXSAVE) === 0) throw UD(`${i.mnemonic} with CR4.OSXSAVE = 0`);
}

/** XGETBV — Get Value of Extended Control Register: XCR0, and with ECX = 1 the components of it that are in use. */
export const XGETBV: SystemSemantics = (cpu, i) => {
  requireOsxsave(cpu, i);
  const { state } = cpu;
  const number = low32(cpu, RCX);
  if (number !== 0 && !(number === 1 && cpu.model.features.has('xgetbv1'))) throw GP(0, `XGETBV of XCR${number}`);
  state.gpr[RAX] = BigInt(number === 0 ? state.xcr0 : state.xcr0 & componentsInUse(state));
  state.gpr[RDX] = 0n;
};

/** XSETBV — Set Extended Control Register. */
export const XSETBV: SystemSemantics = (cpu, i) => {
  requireOsxsave(cpu, i);
  requireCpl0(cpu, i);
  const number = low32(cpu, RCX);
  if (number !== 0) throw GP(0, `XSETBV of XCR${number}`);
  writeXcr0(cpu, (BigInt(low32(cpu, RDX)) << 32n) | BigInt(low32(cpu, RAX)));
};

/** Throws #GP(0) for a value that XCR0 cannot have. */
export function writeXcr0(cpu: Cpu, value: bigint): void {
  if (!isXcr0(value, cpu.model.features)) throw GP(0, 'components that XCR0 cannot have');
  cpu.state.xcr0 = Number(value);
  cpu.refresh();
}

function requireXsave(cpu: Cpu, i: Instruction): void {
  requireOsxsave(cpu, i);
  if ((cpu.state.cr0 & CR0.TS) !== 0) throw NM(`${i.mnemonic} with CR0.TS = 1`);
  if (!isAligned(cpu, memoryOperand(i, 0), 64)) throw GP(0, `${i.mnemonic} operand is not aligned to 64 bytes`);
}
const optionsOf = (cpu: Cpu, i: Instruction): XsaveOptions => ({ wide: i.mnemonic.endsWith('64'), registers: cpu.in64BitMode ? 16 : 8 });
/** RFBM, the requested-feature bitmap: what of XCR0 the instruction mask EDX:EAX names. */
const requested = (cpu: Cpu): number => cpu.state.xcr0 & low32(cpu, RAX);

/** Reads the parts of an area that are for these components. */
function loadArea(cpu: Cpu, x: MemoryOperand, components: number, intent: Intent, compacted?: number): Uint8Array {
  const image = new Uint8Array(areaBytes(components, compacted));
  for (const { at, bytes } of placesOf(components, compacted)) image.set(loadBlock(cpu, x, bytes, intent, at), at);
  return image;
}
/** Writes them. They must have been read to modify them: none of it faults. */
function storeArea(cpu: Cpu, x: MemoryOperand, components: number, image: Uint8Array, compacted?: number): void {
  for (const { at, bytes } of placesOf(components, compacted)) storeBlock(cpu, x, image.subarray(at, at + bytes), at);
}
const pkruView = (image: Uint8Array, compacted: number | undefined): DataView => {
  const { at, bytes } = placeOf(XCR0.PKRU, compacted);
  return new DataView(image.buffer, image.byteOffset + at, bytes);
};
function saveAll(state: Cpu['state'], image: Uint8Array, components: number, options: XsaveOptions): void {
  saveComponents(state, image, components, options);
  if ((components & XCR0.PKRU) !== 0) pkruView(image, options.compacted).setBigUint64(0, BigInt(state.pkru), true);
}

const headerOf = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset + HEADER_AT, HEADER_BYTES);
const XSTATE_BV = 0, XCOMP_BV = 8;
/** XCOMP_BV: the area is in the compacted form. */
const COMPACTED = 1n << 63n;

/** XSAVE writes what is requested, XSAVEOPT of this what is in use; both say in XSTATE_BV what is, and write MXCSR for SSE and for AVX. */
const save = (optimised: boolean): SystemSemantics => (cpu, i) => {
  requireXsave(cpu, i);
  const { state } = cpu;
  const x = memoryOperand(i, 0);
  const wanted = requested(cpu), inUse = componentsInUse(state);
  const image = loadArea(cpu, x, wanted, 'modify');
  saveAll(state, image, optimised ? wanted & inUse : wanted, optionsOf(cpu, i));
  if ((wanted & (XCR0.SSE | XCR0.AVX)) !== 0) saveMxcsr(state, image);
  const header = headerOf(image);
  header.setBigUint64(XSTATE_BV, (header.getBigUint64(XSTATE_BV, true) & ~BigInt(wanted)) | BigInt(wanted & inUse), true);
  storeArea(cpu, x, wanted, image);
};
/** XSAVE, XSAVE64 — Save Processor Extended States. */
export const XSAVE = save(false);
/** XSAVEOPT, XSAVEOPT64 — Save Processor Extended States Optimized. What was not modified since XRSTOR is written all the same, as the manual allows. */
export const XSAVEOPT = save(true);

/** XSAVEC and XSAVES: what is requested and in use, in the compacted form. MXCSR is a part of the SSE component here. */
function saveCompacted(cpu: Cpu, i: Instruction): void {
  const { state } = cpu;
  const x = memoryOperand(i, 0);
  const wanted = requested(cpu);
  const saved = wanted & (componentsInUse(state) | (state.mxcsr === MXCSR_AFTER_RESET ? 0 : XCR0.SSE));
  const image = loadArea(cpu, x, wanted, 'modify', wanted);
  saveAll(state, image, saved, { ...optionsOf(cpu, i), compacted: wanted });
  if ((saved & XCR0.SSE) !== 0) saveMxcsr(state, image);
  const header = headerOf(image);
  header.setBigUint64(XSTATE_BV, BigInt(saved), true);
  header.setBigUint64(XCOMP_BV, COMPACTED | BigInt(wanted), true);
  storeArea(cpu, x, wanted, image, wanted);
}
/** XSAVEC, XSAVEC64 — Save Processor Extended States with Compaction. */
export const XSAVEC: SystemSemantics = (cpu, i) => {
  requireXsave(cpu, i);
  saveCompacted(cpu, i);
};
/**
 * XSAVES, XSAVES64 — Save Processor Extended States Supervisor. No component here is a supervisor's alone, so that IA32_XSS stays 0. What was
 * not modified since XRSTORS is written all the same, as the manual allows.
 */
export const XSAVES: SystemSemantics = (cpu, i) => {
  requireXsave(cpu, i);
  requireCpl0(cpu, i);
  saveCompacted(cpu, i);
};

function refuse(what: string): never {
  throw GP(0, `XRSTOR: ${what}`);
}

/** Which components the header says are in the area, and for which it has room in the compacted form; #GP(0) for a header that none of the forms has. */
function componentsIn(cpu: Cpu, image: Uint8Array): { present: number; compacted: number | undefined } {
  const header = headerOf(image);
  const present = header.getBigUint64(XSTATE_BV, true), layout = header.getBigUint64(XCOMP_BV, true);
  const compacted = (layout & COMPACTED) !== 0n;
  if (compacted && !cpu.model.features.has('xsavec')) refuse('the compacted form');
  const allowed = BigInt(cpu.state.xcr0);
  const layoutBits = layout & ~COMPACTED;
  if (compacted ? (layoutBits & ~allowed) !== 0n || (present & ~layoutBits) !== 0n : layout !== 0n || (present & ~allowed) !== 0n) refuse('components that cannot be here');
  const zeros = image.subarray(HEADER_AT + 16, compacted ? HEADER_AT + HEADER_BYTES : HEADER_AT + 24);
  if (zeros.some((b) => b !== 0)) refuse('reserved bytes of the header');
  return { present: Number(present), compacted: compacted ? Number(layoutBits) : undefined };
}

/** XRSTOR and XRSTORS: what is requested and not in the area gets its initial configuration. */
function restore(cpu: Cpu, i: Instruction, form: 'any' | 'compacted'): void {
  const { state } = cpu;
  const x = memoryOperand(i, 0);
  const wanted = requested(cpu);
  const { present, compacted } = componentsIn(cpu, loadArea(cpu, x, 0, 'read'));
  if (form === 'compacted' && compacted === undefined) refuse('not the compacted form');
  const options = compacted === undefined ? optionsOf(cpu, i) : { ...optionsOf(cpu, i), compacted };
  const image = loadArea(cpu, x, wanted & present, 'read', compacted);
  const takesMxcsr = compacted !== undefined ? (wanted & present & XCR0.SSE) !== 0 : (wanted & (XCR0.SSE | XCR0.AVX)) !== 0;
  if (takesMxcsr) checkMxcsr(mxcsrOf(image));
  loadComponents(state, image, wanted & present, options);
  initialiseComponents(state, wanted & ~present, options);
  if (takesMxcsr) loadMxcsr(state, image);
  else if (compacted !== undefined && (wanted & XCR0.SSE) !== 0) state.mxcsr = MXCSR_AFTER_RESET;
  if ((wanted & XCR0.PKRU) !== 0) cpu.mmu.setPkru((present & XCR0.PKRU) === 0 ? 0 : pkruView(image, compacted).getUint32(0, true));
}
/** XRSTOR, XRSTOR64 — Restore Processor Extended States. */
export const XRSTOR: SystemSemantics = (cpu, i) => {
  requireXsave(cpu, i);
  restore(cpu, i, 'any');
};
/** XRSTORS, XRSTORS64 — Restore Processor Extended States Supervisor. */
export const XRSTORS: SystemSemantics = (cpu, i) => {
  requireXsave(cpu, i);
  requireCpl0(cpu, i);
  restore(cpu, i, 'compacted');
};
