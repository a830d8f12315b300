/** The machines that run the guest: how each is started, and what tells that it is not here. */
import { spawnSync } from 'node:child_process';
import { constants, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { romOf } from './rom.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const LONGMODE = path('../../bin/longmode.js'), V86_HOST = path('../peers/v86.mjs');
const V86_PACKAGE = path('../node_modules/v86/package.json');
/** RAM of every guest, in MiB: the arena's end and what a machine keeps for itself. */
const MEMORY = 256;

/** The process of a `longmode run` on an engine. */
export function longmode(engine) {
  return {
    name: engine,
    steady: engine === 'reference' || engine === 'interpreter',
    bits: [64, 32],
    start: (bits, cmdline) => ({ command: process.execPath, args: [LONGMODE, 'run', path(`../images/bench${bits}.elf`), '--engine', engine, '--memory', `${MEMORY}M`, '--cmdline', cmdline, '--quiet'] }),
    startLinux: ({ kernel, initrd, cmdline, memory }) => ({ command: process.execPath, args: [LONGMODE, 'run', kernel, ...(initrd ? ['--initrd', initrd] : []), '--engine', engine, '--memory', `${memory}M`, '--cmdline', cmdline, '--quiet'] }),
    missing() {
      if (!existsSync(path('../../dist/index.js'))) return 'longmode is not built: npm ci';
      const { status, stderr } = spawnSync(process.execPath, [LONGMODE, 'run', path('../images/bench64.elf'), '--engine', engine, '--cmdline', 'workload=none'], { encoding: 'utf8' });
      return status === 1 ? undefined : `engine ${engine}: ${stderr.trim().split('\n')[0]}`;
    },
    version: () => `longmode ${JSON.parse(readFileSync(path('../../package.json'), 'utf8')).version}, Node ${process.version}`,
  };
}

const QEMU = 'qemu-system-x86_64';
const QEMU_ARGS = ['-nodefaults', '-accel', 'tcg,thread=single', '-display', 'none', '-no-reboot', '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
export const qemu = {
  name: 'qemu',
  bits: [64, 32],
  start: (bits, cmdline) => ({ command: QEMU, args: [...QEMU_ARGS, '-m', `${MEMORY}M`, '-kernel', path(`../images/bench${bits}.elf`), '-append', cmdline] }),
  startLinux: ({ kernel, initrd, cmdline, memory }) => ({ command: QEMU, args: [...QEMU_ARGS, '-m', `${memory}M`, '-kernel', kernel, ...(initrd ? ['-initrd', initrd] : []), '-append', cmdline] }),
  missing: () => has(QEMU) ? undefined : 'qemu: not installed (Debian: apt-get install qemu-system-x86)',
  version: () => spawnSync(QEMU, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0],
};

export const bochs = {
  name: 'bochs',
  steady: true,
  bits: [64],
  start(bits, cmdline) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-bochs-'));
    const rom = join(folder, 'rom'), serial = join(folder, 'serial');
    writeFileSync(rom, romOf(`bench${bits}.elf`, cmdline));
    // Nobody calls the VGA BIOS, but Bochs insists on a file.
    writeFileSync(join(folder, 'vga'), Buffer.alloc(0x8000));
    spawnSync('mkfifo', [serial]);
    // The text display needs a terminal, which `script` provides; the debugger of Debian's build asks at the start.
    writeFileSync(join(folder, 'rc'), 'continue\n');
    writeFileSync(join(folder, 'bochsrc'), [
      `megs: ${MEMORY}`, `romimage: file=${rom}`, `vgaromimage: file=${join(folder, 'vga')}`, 'cpu: model=corei7_haswell_4770, ips=50000000', 'clock: sync=none',
      `com1: enabled=1, mode=file, dev=${serial}`, 'plugin_ctrl: es1370=0, sb16=0, speaker=0', 'display_library: term', 'panic: action=fatal', `log: ${join(folder, 'log')}`, ''].join('\n'));
    let pipe;
    return {
      command: 'script', args: ['-qec', `TERM=xterm exec bochs -q -f ${join(folder, 'bochsrc')} -rc ${join(folder, 'rc')}`, '/dev/null'], name: 'bochs-bin',
      console: () => (pipe = new Socket({ fd: openSync(serial, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false })),
      cleanUp: () => { pipe?.destroy(); rmSync(folder, { recursive: true, force: true }); },
    };
  },
  missing: () => has('bochs') && has('script') && hasTextDisplay() ? undefined : 'bochs: not installed (Debian: apt-get install bochs bochs-term)',
  version: () => `Bochs ${spawnSync('dpkg-query', ['-W', '-f', '${Version}', 'bochs'], { encoding: 'utf8' }).stdout || '(version unknown)'}, the distribution's build`,
};

export const v86 = {
  name: 'v86',
  bits: [32],
  start(bits, cmdline) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-v86-')), rom = join(folder, 'rom');
    writeFileSync(rom, romOf(`bench${bits}.elf`, cmdline));
    return { command: process.execPath, args: [V86_HOST, rom, `${MEMORY}`], cleanUp: () => rmSync(folder, { recursive: true, force: true }) };
  },
  missing: () => existsSync(V86_PACKAGE) ? undefined : 'v86: not installed (npm install --prefix bench)',
  version: () => `v86 ${JSON.parse(readFileSync(V86_PACKAGE, 'utf8')).version}`,
};

/** Bochs' displays are plugins, below a folder that is named after the architecture or not at all. */
function hasTextDisplay() {
  return ['', ...readdirSync('/usr/lib')].some((folder) => existsSync(join('/usr/lib', folder, 'bochs/plugins/libbx_term_gui.so')));
}

function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

