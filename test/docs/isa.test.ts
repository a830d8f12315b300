/** docs/isa.md is the table, printed: `npx vitest run test/docs -u` writes it anew, a stale one fails here. */
import { describe, expect, it } from 'vitest';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';

const MODES = { all: 'all', 64: '64-bit', legacy: 'not in 64-bit' } as const;

/** LOCK needs a memory destination. */
const lockable = (row: Row): boolean => row.lock && (row.operands[0]?.kind === 'memory' || row.operands[0]?.kind === 'register-or-memory');

function line(row: Row): string {
  const flags = [
    row.reads.length > 0 ? `reads ${row.reads.join(' ')}` : '', row.writes.length > 0 ? `writes ${row.writes.join(' ')}` : '',
    row.undefinedFlags.length > 0 ? `undefined ${row.undefinedFlags.join(' ')}` : '',
  ].filter((x) => x !== '').join('; ');
  const notes = [lockable(row) ? 'LOCK' : '', row.repeat === 'rep' ? 'REP' : row.repeat === 'repe' ? 'REPE/REPNE' : '', row.feature ?? ''].filter((x) => x !== '').join(', ');
  return `| ${row.text} | \`${row.encodingText}\` | ${MODES[row.modes]} | ${row.meaning.kind === 'translated' ? '' : row.meaning.kind} | ${flags} | ${notes} |`;
}

function markdown(): string {
  const sorted = [...ROWS].sort((a, b) => (a.mnemonic === b.mnemonic ? 0 : a.mnemonic < b.mnemonic ? -1 : 1));
  const mnemonics = new Set(ROWS.map((row) => row.mnemonic));
  return [
    '# The instruction set', '',
    'Generated from the table (`src/cpu/isa/table/`) by `npx vitest run test/docs -u`; do not edit.', '',
    `${ROWS.length} rows, ${mnemonics.size} mnemonics; \`cc\` stands for the sixteen conditions. *system*: changes the machine's mode or leaves it, and ends a block.`,
    'A row whose feature the processor (`--cpu`) does not have is #UD there. Of what the manual defines and this page does not have, extensions that CPUID never',
    'announces are #UD too; the rest stops the machine as `unimplemented`.', '',
    '| instruction | encoding | modes | kind | flags | prefixes, feature |', '|---|---|---|---|---|---|',
    ...sorted.map(line), '',
  ].join('\n');
}

describe('docs/isa.md', () => {
  it('is the table as it is now', async () => {
    await expect(markdown()).toMatchFileSnapshot('../../docs/isa.md');
  });
});
