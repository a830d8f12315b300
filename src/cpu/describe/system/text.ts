/**
 * A system instruction in words: what it does, what it reads, what it may write. `{0}` and `{1}` stand for its operands. What it reads and writes are registers
 * by their names in machine/registers.ts (`cs` is the whole segment register, `gdtr` base and limit), flags, and: `x87`, `xmm` (YMM as well), `msrs`, `memory`, `port`,
 * `TLB`, `all`. With `?` behind it: on some paths only.
 */
export type SystemText = readonly [says: string, reads: string, writes: string];
