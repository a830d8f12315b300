/** Progress of anything that takes longer than a second: on stderr, and only where that is a terminal. */

/** Shows on a terminal's stderr how far a run has come; returns what ends it. */
export function showProgress(count: () => number): () => void {
  if (!process.stderr.isTTY) return () => undefined;
  const started = Date.now();
  const timer = setInterval(() => {
    const seconds = (Date.now() - started) / 1000;
    process.stderr.write(`\r${count()} instructions, ${Math.round(count() / seconds / 1000)} thousand per second\x1b[K`);
  }, 500);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}
