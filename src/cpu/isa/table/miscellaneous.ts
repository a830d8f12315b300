/** NOP, hints, fences and cache control: the lines of the manual. */
import { instruction } from '../row.ts';
import { CLFLUSH, NOP } from '../semantics/miscellaneous.ts';

export const miscellaneous = [
  instruction(NOP, {}, [
    ['NOP', '90'],
    ['PAUSE', 'F3 90'],
    ['NOP r/m16', '0F 1F /0', { feature: 'family6' }],
    ['NOP r/m32', '0F 1F /0', { feature: 'family6' }],
    ['NOP r/m64', 'REX.W 0F 1F /0', { feature: 'family6' }],
  ]),
  // Memory is strongly ordered here: the fences wait for nothing.
  instruction(NOP, {}, [
    ['LFENCE', 'NP 0F AE E8', { feature: 'sse2' }],
    ['MFENCE', 'NP 0F AE F0', { feature: 'sse2' }],
    ['SFENCE', 'NP 0F AE F8', { feature: 'sse' }],
  ]),
  // Every instruction here has taken effect, also on fetching, before the next one begins.
  instruction(NOP, { feature: 'serialize' }, [['SERIALIZE', 'NP 0F 01 E8']]),
  // Hints: they never fault and never touch memory.
  instruction(NOP, { size: 'any', feature: 'family6' }, [
    ['PREFETCHNTA m8', '0F 18 /0'],
    ['PREFETCHT0 m8', '0F 18 /1'],
    ['PREFETCHT1 m8', '0F 18 /2'],
    ['PREFETCHT2 m8', '0F 18 /3'],
    ['PREFETCH m8', '0F 0D /0', { feature: '3dnowprefetch' }],
    ['PREFETCHW m8', '0F 0D /1', { feature: '3dnowprefetch' }],
    ['PREFETCHWT1 m8', '0F 0D /2', { feature: '3dnowprefetch' }],
  ]),
  // Without CET these are NOPs.
  instruction(NOP, { size: 'any', feature: 'family6' }, [
    ['ENDBR64', 'F3 0F 1E FA'],
    ['ENDBR32', 'F3 0F 1E FB'],
  ]),
  // Reserved for hints; operands are not accessed. SDM Vol. 2D, "Two-byte Opcode Map"; APM Vol. 3, "NOP".
  instruction(NOP, { size: 'any', feature: 'family6' }, [
    ['RESERVEDNOP r32', '0F 18 /0'],
    ['RESERVEDNOP r32', '0F 18 /1'],
    ['RESERVEDNOP r32', '0F 18 /2'],
    ['RESERVEDNOP r32', '0F 18 /3'],
    ['RESERVEDNOP r/m32', '0F 18 /4'],
    ['RESERVEDNOP r/m32', '0F 18 /5'],
    ['RESERVEDNOP r/m32', '0F 18 /6'],
    ['RESERVEDNOP r/m32', '0F 18 /7'],
    ['RESERVEDNOP r/m32, r32', '0F 19 /r'],
    ['RESERVEDNOP r/m32, r32', '0F 1A /r'],
    ['RESERVEDNOP r/m32, r32', '0F 1B /r'],
    ['RESERVEDNOP r/m32, r32', '0F 1C /r'],
    ['RESERVEDNOP r/m32, r32', '0F 1D /r'],
    ['RESERVEDNOP r/m32, r32', '0F 1E /r'],
    ['RESERVEDNOP r/m32', '0F 1F /1'],
    ['RESERVEDNOP r/m32', '0F 1F /2'],
    ['RESERVEDNOP r/m32', '0F 1F /3'],
    ['RESERVEDNOP r/m32', '0F 1F /4'],
    ['RESERVEDNOP r/m32', '0F 1F /5'],
    ['RESERVEDNOP r/m32', '0F 1F /6'],
    ['RESERVEDNOP r/m32', '0F 1F /7'],
    ['RESERVEDNOP r32', '0F 0D /0'],
    ['RESERVEDNOP r32', '0F 0D /1'],
    ['RESERVEDNOP r32', '0F 0D /2'],
    ['RESERVEDNOP r/m32', '0F 0D /3'],
    ['RESERVEDNOP r/m32', '0F 0D /4'],
    ['RESERVEDNOP r/m32', '0F 0D /5'],
    ['RESERVEDNOP r/m32', '0F 0D /6'],
    ['RESERVEDNOP r/m32', '0F 0D /7'],
  ]),
  instruction(CLFLUSH, { feature: 'clflush', size: 'any' }, [
    ['CLFLUSH m8', 'NP 0F AE /7'],
    ['CLFLUSHOPT m8', '66 0F AE /7', { feature: 'clflushopt' }],
    ['CLWB m8', '66 0F AE /6', { feature: 'clwb' }],
  ]),
] as const;
