/**
 * Mnemonics that have rows which were never run on silicon, and why: `['CRC32', 'written on a machine without gcc']`. A
 * row may land like this, openly; whoever has the processor records it (tools/silicon/record.ts) and takes the line out.
 */
export const NOT_RECORDED: ReadonlyMap<string, string> = new Map<string, string>([
]);
