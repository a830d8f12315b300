/** XCR0 and the XSAVE family. SDM Vol. 1, "Managing State Using the XSAVE Feature Set"; Vol. 2D, "XSAVE—Save Processor Extended States". */
import { CR0, CR4, XCR0 } from '../../../mmu/control-bits.ts';
import type { Cpu } from '../../cpu.ts';
import { GP, NM, UD } from '../../exceptions.ts';
import { loadMxcsr, mxcsrOf, saveMxcsr } from '../../fpu/environment.ts';
import { checkMxcsr, MXCSR_AFTER_RESET } from '../../mxcsr.ts';
import { componentsInUse, initialiseComponents, loadComponents, saveComponents, type XsaveOptions } from '../../fpu/xsave-area.ts';
import { AVX_AT, areaBytes, HEADER_AT, HEADER_BYTES, isXcr0 } from '../../xsave.ts';
import type { Instruction } from '../instruction.ts';
import { RAX, RCX, RDX } from '../operand.ts';
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
  const value = (BigInt(low32(cpu, RDX)) << 32n) | BigInt(low32(cpu, RAX));
  if (!isXcr0(value, cpu.model.features)) throw GP(0, 'XSETBV of components that XCR0 cannot have');
  cpu.state.xcr0 = Number(value);
  cpu.refresh();
};

function requireXsave(cpu: Cpu, i: Instruction): void {
  requireOsxsave(cpu, i);
  if ((cpu.state.cr0 & CR0.TS) !== 0) throw NM(`${i.mnemonic} with CR0.TS = 1`);
  if (!isAligned(cpu, memoryOperand(i, 0), 64)) throw GP(0, `${i.mnemonic} operand is not aligned to 64 bytes`);
}
const optionsOf = (cpu: Cpu, i: Instruction): XsaveOptions => ({ wide: i.mnemonic.endsWith('64'), registers: cpu.in64BitMode ? 16 : 8 });
/** RFBM, the requested-feature bitmap: what of XCR0 the instruction mask EDX:EAX names. */
const requested = (cpu: Cpu): number => cpu.state.xcr0 & low32(cpu, RAX);

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
  const image = loadBlock(cpu, x, areaBytes(wanted), 'modify');
  saveComponents(state, image, optimised ? wanted & inUse : wanted, optionsOf(cpu, i));
  if ((wanted & (XCR0.SSE | XCR0.AVX)) !== 0) saveMxcsr(state, image);
  const header = headerOf(image);
  header.setBigUint64(XSTATE_BV, (header.getBigUint64(XSTATE_BV, true) & ~BigInt(wanted)) | BigInt(wanted & inUse), true);
  storeBlock(cpu, x, image);
};
/** XSAVE, XSAVE64 — Save Processor Extended States. */
export const XSAVE = save(false);
/** XSAVEOPT, XSAVEOPT64 — Save Processor Extended States Optimized. What was not modified since XRSTOR is written all the same, as the manual allows. */
export const XSAVEOPT = save(true);

/** XSAVEC, XSAVEC64 — Save Processor Extended States with Compaction. MXCSR is a part of the SSE component here. */
export const XSAVEC: SystemSemantics = (cpu, i) => {
  requireXsave(cpu, i);
  const { state } = cpu;
  const x = memoryOperand(i, 0);
  const wanted = requested(cpu);
  const saved = wanted & (componentsInUse(state) | (state.mxcsr === MXCSR_AFTER_RESET ? 0 : XCR0.SSE));
  const image = loadBlock(cpu, x, areaBytes(wanted), 'modify');
  saveComponents(state, image, saved, optionsOf(cpu, i));
  if ((saved & XCR0.SSE) !== 0) saveMxcsr(state, image);
  const header = headerOf(image);
  header.setBigUint64(XSTATE_BV, BigInt(saved), true);
  header.setBigUint64(XCOMP_BV, COMPACTED | BigInt(wanted), true);
  storeBlock(cpu, x, image);
};

function refuse(what: string): never {
  throw GP(0, `XRSTOR: ${what}`);
}

/** Which components the header says are in the area; #GP(0) for a header that none of the forms has. */
function componentsIn(cpu: Cpu, image: Uint8Array): { present: number; compacted: boolean } {
  const header = headerOf(image);
  const present = header.getBigUint64(XSTATE_BV, true), layout = header.getBigUint64(XCOMP_BV, true);
  const compacted = (layout & COMPACTED) !== 0n;
  if (compacted && !cpu.model.features.has('xsavec')) refuse('the compacted form');
  const allowed = BigInt(cpu.state.xcr0);
  const layoutBits = layout & ~COMPACTED;
  if (compacted ? (layoutBits & ~allowed) !== 0n || (present & ~layoutBits) !== 0n : layout !== 0n || (present & ~allowed) !== 0n) refuse('components that cannot be here');
  const zeros = image.subarray(HEADER_AT + 16, compacted ? HEADER_AT + HEADER_BYTES : HEADER_AT + 24);
  if (zeros.some((b) => b !== 0)) refuse('reserved bytes of the header');
  return { present: Number(present), compacted };
}

/** XRSTOR, XRSTOR64 — Restore Processor Extended States: what is requested and not in the area gets its initial configuration. */
export const XRSTOR: SystemSemantics = (cpu, i) => {
  requireXsave(cpu, i);
  const { state } = cpu;
  const x = memoryOperand(i, 0);
  const wanted = requested(cpu), options = optionsOf(cpu, i);
  const { present, compacted } = componentsIn(cpu, loadBlock(cpu, x, AVX_AT));
  const image = loadBlock(cpu, x, areaBytes(wanted & present));
  const takesMxcsr = compacted ? (wanted & present & XCR0.SSE) !== 0 : (wanted & (XCR0.SSE | XCR0.AVX)) !== 0;
  if (takesMxcsr) checkMxcsr(mxcsrOf(image));
  loadComponents(state, image, wanted & present, options);
  initialiseComponents(state, wanted & ~present, options);
  if (takesMxcsr) loadMxcsr(state, image);
  else if (compacted && (wanted & XCR0.SSE) !== 0) state.mxcsr = MXCSR_AFTER_RESET;
};
