/** A guest on a machine that is a process: started, watched on its console, its clocks read when the guest says so, ended. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** CPU seconds of every thread of a process. `schedstat` counts nanoseconds; without it, ticks of `stat`. */
function threadClocks(pid) {
  const clocks = new Map();
  let threads;
  try { threads = readdirSync(`/proc/${pid}/task`); } catch { return clocks; }
  for (const thread of threads) {
    try {
      const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
      clocks.set(thread, Number(onCpu) / 1e9);
    } catch {
      try {
        const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
        clocks.set(thread, (Number(fields[11]) + Number(fields[12])) / 100);
      } catch { /* the thread has ended in between */ }
    }
  }
  return clocks;
}

function peakRssKib(pid) {
  try { return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0); } catch { return 0; }
}

/** The process itself, or the first one below it with that name. */
function findProcess(pid, name) {
  if (name === undefined) return pid;
  const waiting = [pid];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    try {
      if (readFileSync(`/proc/${next}/comm`, 'latin1').trim() === name) return next;
      for (const thread of readdirSync(`/proc/${next}/task`)) waiting.push(...readFileSync(`/proc/${next}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number));
    } catch { /* ended in between */ }
  }
  return undefined;
}

/** Ends what is running; set while something is. */
let abandon = () => {};
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.once(signal, () => {
    abandon();
    process.exit(status);
  });
}

/**
 * Runs a command until its console has said `until`, or it ends, or `limit` seconds have passed. Returns
 *   seconds   CPU time of the busiest thread between `from` (or the start) and `until`
 *   total     CPU time of all threads between them
 *   wall      seconds between them, and firstOutput: seconds from the start to the first byte
 *   peakKib   the most memory that was resident
 *   match     what `until` found; undefined when the process ended or was ended without it, then status and text say how
 *   together  both came in one piece, so that there is no time between them
 * `console`: a stream other than stdout; `name`: the process below the one started that is the machine.
 */
export async function watch({ command, args, name, console: openConsole, cleanUp }, { from, until, limit }) {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', openConsole ? 'ignore' : 'pipe', 'pipe'] });
  const result = { seconds: NaN, total: NaN, wall: NaN, firstOutput: NaN, peakKib: 0, match: undefined, together: false, status: undefined, text: '', errors: '', timedOut: false };
  let begin = from === undefined ? { clocks: new Map(), at: started } : undefined, pid;
  let endRequested = false;
  const end = () => {
    if (endRequested) return;
    endRequested = true;
    for (const one of new Set([pid, child.pid])) if (one !== undefined) kill(one);
  };
  const timer = setTimeout(() => { result.timedOut = true; pid ??= findProcess(child.pid, name); end(); }, limit * 1000);
  abandon = () => { pid ??= findProcess(child.pid, name); end(); cleanUp?.(); };
  const onData = (data) => {
    const now = performance.now();
    if (Number.isNaN(result.firstOutput)) result.firstOutput = (now - started) / 1000;
    if (result.match) return;
    result.text = (result.text + data.toString('latin1')).slice(-20_000);
    const begins = !begin && from.test(result.text), match = until.exec(result.text);
    if (!begins && !match) return;
    pid ??= findProcess(child.pid, name);
    const clocks = threadClocks(pid);
    if (begins) begin = { clocks, at: now };
    if (!match) return;
    result.together = begins;
    const used = [...clocks].map(([thread, seconds]) => seconds - (begin.clocks.get(thread) ?? 0));
    Object.assign(result, { match, seconds: Math.max(...used), total: used.reduce((a, b) => a + b, 0), wall: (now - begin.at) / 1000, peakKib: peakRssKib(pid) });
    end();
  };
  const source = openConsole ? openConsole() : child.stdout;
  source.on('data', onData);
  child.stderr.on('data', (data) => { result.errors = (result.errors + data.toString('latin1')).slice(-4000); });
  result.status = await new Promise((resolve) => {
    child.on('error', (error) => { result.errors = error.message; resolve(undefined); });
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  abandon = () => {};
  cleanUp?.();
  return result;
}

function kill(pid) {
  try { process.kill(pid, 'SIGKILL'); } catch { /* it has ended already */ }
}
