/** Flags one by one, and instructions that do nothing, by example. */
import { example, instruction, MEMORY, PF, UD, UNMAPPED } from '../../support/example.ts';

instruction('CLC', () => { example('clears CF', 'clc', { CF: 1, OF: 1 }, { CF: 0 }); });
instruction('STC', () => { example('sets CF and leaves OF', 'stc', { OF: 1 }, { CF: 1 }); });
instruction('CMC', () => { example('complements CF', 'cmc', { ZF: 1 }, { CF: 1 }); });
instruction('CLD', () => { example('clears DF', 'cld', { DF: 1 }, { DF: 0 }); });
instruction('STD', () => { example('sets DF', 'std', {}, { DF: 1 }); });
instruction('LAHF', () => { example('puts SF ZF AF PF CF into AH, where bit 1 is set', 'lahf', { rax: 0n, SF: 1, ZF: 1, AF: 1, PF: 1, CF: 1, OF: 1 }, { rax: 0xd700n }); });
instruction('SAHF', () => { example('takes SF ZF AF PF CF from AH and leaves OF', 'sahf', { rax: 0x4100n, SF: 1, OF: 1 }, { SF: 0, ZF: 1, CF: 1 }); });
instruction('SALC', () => {
  example('fills AL with CF', 'salc', { rax: 0x1234n, CF: 1 }, { rax: 0x12ffn }, { bits: 32 });
  example('clears AL where CF is clear', 'salc', { rax: 0x1234n, SF: 1 }, { rax: 0x1200n }, { bits: 32 });
  example('does not exist in 64-bit mode', 'salc', {}, { fault: UD }, { bytes: [0xd6] });
});

instruction('NOP', () => {
  example('does nothing', 'nop', {}, {});
  example('has forms of many bytes that read no operand', 'nop dword ptr [rdi]', { rdi: UNMAPPED }, {});
});
instruction('PAUSE', () => {
  example('does nothing', 'pause', {}, {});
  example('is F3 90 with REX.B, too, which makes 90 alone an exchange with R8 (as silicon has it; QEMU 7.2 exchanges)', 'pause', { rax: 1n, r8: 2n }, { rax: 1n, r8: 2n }, { bytes: [0xf3, 0x41, 0x90] });
});
instruction('LFENCE', () => { example('does nothing', 'lfence', {}, {}); });
instruction('MFENCE', () => { example('does nothing', 'mfence', {}, {}); });
instruction('SFENCE', () => { example('does nothing', 'sfence', {}, {}); });
instruction('SERIALIZE', () => { example('has nothing to wait for', 'serialize', {}, {}); });
instruction('PREFETCHNTA', () => { example('never faults', 'prefetchnta byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('PREFETCHT0', () => { example('never faults', 'prefetcht0 byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('PREFETCHT1', () => { example('never faults', 'prefetcht1 byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('PREFETCHT2', () => { example('never faults', 'prefetcht2 byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('PREFETCH', () => { example('never faults', 'prefetch byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('PREFETCHW', () => { example('never faults', 'prefetchw byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('PREFETCHWT1', () => { example('never faults', 'prefetchwt1 byte ptr [rdi]', { rdi: UNMAPPED }, {}); });
instruction('ENDBR64', () => { example('does nothing without CET', 'endbr64', {}, {}); });
instruction('ENDBR32', () => { example('does nothing without CET', 'endbr32', {}, {}); });
instruction('RESERVEDNOP', () => { example('reads no operand', 'reservednop', { rdi: UNMAPPED }, {}, { bytes: [0x0f, 0x19, 0x07] }); });
instruction('CLFLUSH', () => {
  example('is checked as a read', 'clflush byte ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
  example('changes nothing that a program can see', 'clflush byte ptr [rdi]', { rdi: MEMORY }, {});
});
instruction('CLFLUSHOPT', () => {
  example('is checked as a read', 'clflushopt byte ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
  example('changes nothing that a program can see', 'clflushopt byte ptr [rdi]', { rdi: MEMORY }, {});
});
instruction('CLWB', () => {
  example('is checked as a read', 'clwb byte ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
  example('changes nothing that a program can see', 'clwb byte ptr [rdi]', { rdi: MEMORY }, {});
});
