/** longmode as a library: a machine to run guest images on, an assembler to write them with, the guest kernel. */
export { Machine, type MachineOptions, type RunOptions, type Stop } from './machine/machine.ts';
export type { Report } from './machine/statistics.ts';
export { ImageError, planBoot, type BootOptions, type BootPlan, type FlatOptions, type Module, type Protocol } from './machine/boot/index.ts';
export { linear, physical, type LinearAddress, type PhysicalAddress } from './state/addresses.ts';
export * from './assembler/index.ts';
export { SCENARIOS, buildKernel, kernelElf, type KernelOptions } from './kernel/index.ts';
export { postMortem } from './debug/post-mortem.ts';
export { History, type HistoryOptions, type HistoryStop, type Watch, type WatchHit } from './debug/history/history.ts';
export { Breakpoints, type Breakpoint, type Hit } from './debug/break/breakpoints.ts';
export type { BreakKind } from './debug/break/kinds.ts';
export { Debugger, type DebugStop } from './debug/debugger.ts';
export type { LastWrite, WriteTarget } from './debug/history/last-write.ts';
export { reverseContinue } from './debug/history/search.ts';
export { SymbolTable, type GuestSymbol } from './debug/symbols.ts';
export type { WalkExplanation, WalkLevel } from './mmu/explain.ts';
export { decode, DecodeFailure } from './cpu/decode/decode.ts';
export { format } from './cpu/describe/format.ts';
export { MODE_32, MODE_64, type Instruction, type Mode } from './cpu/isa/instruction.ts';
