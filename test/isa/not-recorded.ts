/**
 * Mnemonics that have rows which were never run on silicon, and why: `['CRC32', 'written on a machine without gcc']`. A
 * row may land like this, openly; whoever has the processor records it (tools/silicon/record.ts) and takes the line out.
 */
export const NOT_RECORDED: ReadonlyMap<string, string> = new Map<string, string>([
  ['VMASKMOVDQU', 'the manual leaves open which bytes a fault is for: ours is for all sixteen, as that of MASKMOVDQU on AMD; Intel has it for the first that is stored'],
]);
