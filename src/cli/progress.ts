/** Progress of anything that takes longer than a second: on stderr, and only where that is a terminal. */

/** Shows on a terminal's stderr how far a run has come, but not while someone else has it; returns what ends it. */
export function showProgress(count: () => number, isLent = (): boolean => false): () => void {
  if (!process.stderr.isTTY) return () => undefined;
  const started = Date.now();
  const timer = setInterval(() => {
    if (isLent()) return;
    const seconds = (Date.now() - started) / 1000;
    process.stderr.write(`\r${count()} instructions, ${Math.round(count() / seconds / 1000)} thousand per second\x1b[K`);
  }, 500);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}
