/** Builds the machine of a command line and loads its image: shared by every command that runs one. */
import { basename } from 'node:path';
import { ImageError, PROTOCOLS, type FlatOptions, type Module, type Protocol } from '../machine/boot/index.ts';
import { crc32 } from '../machine/crc32.ts';
import { CpuModelError, DEFAULT_MODEL_NAME, parseCpuModel } from '../cpu/models.ts';
import { DEFAULT_MEMORY_BYTES, ENGINE_NAMES, Machine, type EngineName } from '../machine/machine.ts';
import type { MachineRequest } from '../debugger/messages.ts';
import { MAX_RAM_BYTES } from '../state/layout.ts';
import { CommandError } from './exit-status.ts';
import { readInput } from './files.ts';
import { nearest, type Arguments, type Options } from './options.ts';

/** Options that say what machine to build and what to boot: shared by every command that runs an image. */
export const MACHINE_OPTIONS = {
  'memory': { value: 'SIZE', says: 'guest RAM, as 128M or 1G (default 128M, at most 3G)' },
  'cmdline': { value: 'STR', says: 'the kernel command line' },
  'initrd': { value: 'FILE', repeat: true, says: 'a module for the kernel; may be given several times' },
  'protocol': { value: 'NAME', says: 'how to enter IMAGE: multiboot, pvh or linux (default: what IMAGE offers first, in this order, as QEMU does)' },
  'load-address': { value: 'ADDR', says: 'take IMAGE as a flat binary and load it at this physical address' },
  'entry': { value: 'ADDR', says: 'where a flat binary starts (default: its load address)' },
  'bits': { value: '32|64', says: 'mode in which a flat binary starts: 32 (default) is flat protected mode, 64 long mode' },
  'cpu': { value: 'MODEL[,+FEATURE,-FEATURE]', says: `the processor (default ${DEFAULT_MODEL_NAME}): what its CPUID does not announce is not there` },
  'debug-exit': { value: 'PORT', says: 'port of the debug-exit device (default 0xf4)' },
  'max-instructions': { value: 'N', says: 'stop after N instructions' },
  'engine': { value: 'NAME', says: `${ENGINE_NAMES.join(', ')} (default auto): how instructions are executed; the guest sees no difference` },
} as const satisfies Options;

export interface Booted {
  readonly machine: Machine;
  readonly image: string;
  /** CRC-32 of everything that was loaded and said to the guest: runs with the same input are the same run where it is the same. */
  readonly fingerprint: () => number;
}

/** Builds the machine and loads the image as the options say. Throws CommandError. */
export function bootFromArguments(args: Arguments, onOutput?: (port: 0 | 1 | 'debug', byte: number) => void, rtcEpochSeconds?: number): Booted {
  const [image, ...rest] = args.operands;
  if (image === undefined) throw new CommandError('usage', 'IMAGE is missing');
  if (rest.length > 0) throw new CommandError('usage', `one IMAGE only; what is ${rest[0]}?`);
  const memoryBytes = args.bytes('memory', DEFAULT_MEMORY_BYTES, MAX_RAM_BYTES);
  const flat = flatOptions(args), protocol = protocolOption(args, flat);
  const modules: Module[] = args.all('initrd').map((path) => ({ name: path, bytes: readInput(path, '--initrd') }));
  const file = readInput(image, 'image');
  const machine = makeMachine(args, memoryBytes, onOutput, rtcEpochSeconds);
  try {
    machine.load(file, { name: basename(image), cmdline: args.text('cmdline') ?? '', modules, ...(flat ? { flat } : {}), ...(protocol ? { protocol } : {}) });
  } catch (e) {
    if (e instanceof ImageError) throw new CommandError('image', `image ${image}: ${e.message}`);
    throw e;
  }
  const said = new TextEncoder().encode(JSON.stringify([args.text('cmdline'), flat, protocol, args.integer('debug-exit', 0, 0xffff), cpuOf(args), modules.map(({ name }) => name)]));
  return { machine, image, fingerprint: () => crc32(new Uint8Array(Uint32Array.from([file, said, ...modules.map(({ bytes }) => bytes)], crc32).buffer)) };
}

type OnOutput = (port: 0 | 1 | 'debug', byte: number) => void;
function makeMachine(args: Arguments, memoryBytes: number, onOutput: OnOutput | undefined, rtcEpochSeconds: number | undefined): Machine {
  const debugExitPort = args.integer('debug-exit', 0, 0xffff);
  const engine = engineOf(args), cpu = cpuOf(args);
  try {
    return new Machine({ memoryBytes, engine, cpu, ...(rtcEpochSeconds === undefined ? {} : { rtcEpochSeconds }), ...(debugExitPort === undefined ? {} : { debugExitPort }), ...(onOutput ? { onOutput } : {}) });
  } catch (e) {
    throw new CommandError('usage', `--memory, --debug-exit: ${(e as Error).message}`);
  }
}

/** What firmware has no use for here. */
const NOT_WITH_FIRMWARE = ['cmdline', 'initrd', 'protocol', 'load-address', 'entry', 'bits', 'restore', 'save'] as const;

/** Builds the machine of `--bios FILE`. Throws CommandError. */
export function startFromRom(args: Arguments, path: string, onOutput: OnOutput, rtcEpochSeconds: number | undefined): { machine: Machine; fingerprint: () => number } {
  const [image] = args.operands;
  if (image !== undefined) throw new CommandError('usage', `--bios: firmware takes the place of IMAGE; what is ${image}?`);
  for (const name of NOT_WITH_FIRMWARE) if (args.has(name)) throw new CommandError('usage', `--bios and --${name}: ${name === 'save' ? 'a snapshot does not hold the ROM' : 'firmware takes the place of IMAGE'}`);
  const rom = readInput(path, '--bios');
  const machine = makeMachine(args, args.bytes('memory', DEFAULT_MEMORY_BYTES, MAX_RAM_BYTES), onOutput, rtcEpochSeconds);
  try {
    machine.loadFirmware(rom);
  } catch (e) {
    if (e instanceof ImageError) throw new CommandError('image', `--bios ${path}: ${e.message}`);
    throw e;
  }
  return { machine, fingerprint: () => crc32(rom) };
}

/** The machine of a command line as the debugger's page asks its worker for it; modules apart. */
export function machineRequest(args: Arguments): MachineRequest {
  const flat = flatOptions(args), protocol = protocolOption(args, flat), debugExitPort = args.integer('debug-exit', 0, 0xffff), cmdline = args.text('cmdline');
  return {
    memoryBytes: args.bytes('memory', DEFAULT_MEMORY_BYTES, MAX_RAM_BYTES), engine: engineOf(args), cpu: cpuOf(args),
    ...(cmdline === undefined ? {} : { cmdline }), ...(flat === undefined ? {} : { flat }), ...(protocol === undefined ? {} : { protocol }), ...(debugExitPort === undefined ? {} : { debugExitPort }),
  };
}

function flatOptions(args: Arguments): FlatOptions | undefined {
  const loadAddress = args.integer('load-address', 0, MAX_RAM_BYTES - 1);
  const entry = args.integer('entry', 0, MAX_RAM_BYTES - 1);
  const bits = args.text('bits');
  if (bits !== undefined && bits !== '32' && bits !== '64') throw new CommandError('usage', `--bits: "${bits}" is neither 32 nor 64`);
  if (loadAddress === undefined) {
    if (entry !== undefined || bits !== undefined) throw new CommandError('usage', `--${entry === undefined ? 'bits' : 'entry'} is for flat binaries: give --load-address too`);
    return undefined;
  }
  return { loadAddress, entry: entry ?? loadAddress, bits: bits === '64' ? 64 : 32 };
}

function protocolOption(args: Arguments, flat: FlatOptions | undefined): Protocol | undefined {
  const text = args.text('protocol');
  if (text === undefined) return undefined;
  const protocol = PROTOCOLS.find((name) => name === text);
  if (!protocol) throw new CommandError('usage', `--protocol: "${text}" is not one of ${PROTOCOLS.join(', ')}`);
  if (flat) throw new CommandError('usage', '--protocol: a flat binary (--load-address) has none');
  return protocol;
}

/** Throws a usage error for an engine that there is not. */
export function engineOf(args: Arguments): EngineName {
  const name = args.text('engine') ?? 'auto';
  const engine = ENGINE_NAMES.find((known) => known === name);
  if (engine === undefined) throw new CommandError('usage', `--engine: "${name}" is not one of ${ENGINE_NAMES.join(', ')}`);
  return engine;
}

/** The processor that `--cpu` says, as the machine takes it. Throws a usage error that names the nearest model or feature there is. */
export function cpuOf(args: Arguments): string {
  const text = args.text('cpu') ?? DEFAULT_MODEL_NAME;
  try {
    parseCpuModel(text);
  } catch (e) {
    if (!(e instanceof CpuModelError)) throw e;
    throw new CommandError('usage', `--cpu: ${e.message}${e.word === undefined ? '' : nearest(e.word, e.known, '')}`);
  }
  return text;
}
