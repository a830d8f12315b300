/** Cases on the bare machine of other emulators: memory goes in as files, and comes out as one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, Outcome } from '../../../test/support/silicon/world.ts';
import { OUTCOME_BYTES, readOutcomes } from '../format.ts';
import { bareImage } from './image.ts';
import { CASES, casesBytes, EXIT_PORT, FIRST_OUTCOME, IMAGE, MEMORY_BYTES, MOST_CASES, OUTCOMES, UPPER_HALF } from './layout.ts';
import { romTo } from './rom.ts';

/** Another emulator. */
export interface Witness {
  readonly title: string;
  /** What it calls itself, and the processor that it is asked for. */
  version(): string;
  /** Runs the bare machine in the folder, with its memory from CASES on filled from the file `cases`. Leaves what is at OUTCOMES, so many bytes, in the file `outcomes`. */
  run(folder: string, outcomeBytes: number): void;
}

const SECONDS = 600;
const QEMU = 'qemu-system-x86_64', QEMU_CPU = 'max';
export const qemu: Witness = {
  title: 'QEMU',
  version: () => `${execFileSync(QEMU, ['--version'], { encoding: 'utf8' }).split('\n')[0]}, TCG, -cpu ${QEMU_CPU}`,
  run(folder, outcomeBytes) {
    const ram = join(folder, 'ram'), elf = join(folder, 'bare.elf');
    writeFileSync(elf, bareImage().elf);
    const { status, stderr } = spawnSync(QEMU, [
      '-nodefaults', '-accel', 'tcg,thread=single', '-cpu', QEMU_CPU, '-display', 'none', '-no-reboot', '-machine', 'pc,memory-backend=ram', '-m', `${MEMORY_BYTES >> 20}M`,
      '-object', `memory-backend-file,id=ram,size=${MEMORY_BYTES >> 20}M,mem-path=${ram},share=on`, '-kernel', elf,
      '-device', `loader,file=${join(folder, 'cases')},addr=${CASES},force-raw=on`, '-device', `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`,
    ], { encoding: 'utf8', timeout: SECONDS * 1000 });
    // The debug-exit port makes an odd status of what was written to it.
    if (status !== 1) throw new Error(`QEMU ended with status ${status}: ${stderr}`);
    const outcomes = Buffer.alloc(outcomeBytes), file = openSync(ram, 'r');
    readSync(file, outcomes, 0, outcomeBytes, OUTCOMES);
    closeSync(file);
    writeFileSync(join(folder, 'outcomes'), outcomes);
  },
};

/** The model of Debian's build that has most of what the table has. */
const BOCHS_CPU = 'tigerlake';
export const bochs: Witness = {
  title: 'Bochs',
  version: () => `Bochs ${execFileSync('dpkg-query', ['-W', '-f', '${Version}', 'bochs'], { encoding: 'utf8' })} (Debian), model ${BOCHS_CPU}`,
  run(folder, outcomeBytes) {
    const path = (name: string): string => join(folder, name);
    const { flat, entry, end } = bareImage();
    writeFileSync(path('bare'), flat);
    writeFileSync(path('rom'), romTo(entry, { from: CASES, to: OUTCOMES }));
    // Nobody calls the VGA BIOS, but Bochs insists on a file.
    writeFileSync(path('vga'), Buffer.alloc(0x8000));
    writeFileSync(path('bochsrc'), [
      `megs: ${MEMORY_BYTES >> 20}`, `romimage: file=${path('rom')}`, `vgaromimage: file=${path('vga')}`, `cpu: model=${BOCHS_CPU}, ips=50000000`, 'clock: sync=none',
      `optramimage1: file=${path('bare')}, address=0x${IMAGE.toString(16)}`, `optramimage2: file=${path('cases')}, address=0x${CASES.toString(16)}`,
      'plugin_ctrl: es1370=0, sb16=0, speaker=0', 'display_library: term', 'panic: action=fatal', `log: ${path('log')}`, ''].join('\n'));
    // Debian's build has the debugger: it stops behind the last case and writes memory to a file.
    writeFileSync(path('rc'), [`pb 0x${end.toString(16)}`, 'continue', `writemem "${path('outcomes')}" 0x${(UPPER_HALF + BigInt(OUTCOMES)).toString(16)} ${outcomeBytes}`, 'quit', ''].join('\n'));
    // The text display needs a terminal, which `script` provides.
    const { stdout } = spawnSync('script', ['-qec', `TERM=xterm exec timeout --foreground -k 5 ${SECONDS} bochs -q -f ${path('bochsrc')} -rc ${path('rc')}`, '/dev/null'], { encoding: 'utf8', input: '' });
    writeFileSync(path('screen'), stdout);
  },
};

/** The outcomes of the cases on a witness, in order. Throws where it did not come to the end. */
export function runOnWitness(witness: Witness, cases: readonly Case[]): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'bare-'));
  try {
    const outcomes: Outcome[] = [];
    for (let at = 0; at < cases.length; at += MOST_CASES) outcomes.push(...runSome(witness, folder, cases.slice(at, at + MOST_CASES)));
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
function runSome(witness: Witness, folder: string, cases: readonly Case[]): Outcome[] {
  writeFileSync(join(folder, 'cases'), casesBytes(cases));
  witness.run(folder, FIRST_OUTCOME - OUTCOMES + cases.length * OUTCOME_BYTES);
  const file = readFileSync(join(folder, 'outcomes')), done = Number(file.readBigUInt64LE());
  if (done !== cases.length) throw new Error(`${witness.title} came to case ${done} of ${cases.length}: ${Buffer.from(cases[done]!.code).toString('hex')}`);
  return readOutcomes(file.subarray(FIRST_OUTCOME - OUTCOMES), cases);
}
