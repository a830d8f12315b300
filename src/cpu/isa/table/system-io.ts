/** RFLAGS as a whole, the interrupt flag, HLT and MWAIT, and the I/O address space: the lines of the manual. */
import { deviceInstruction, system } from '../row.ts';
import { IN, OUT } from '../semantics/ports.ts';
import { CLAC, CLI, HLT, POPF, PUSHF, STAC, STI } from '../system/flags.ts';
import { MONITOR, MWAIT } from '../system/monitor.ts';
import { INS, OUTS } from '../system/ports.ts';

const STATUS = 'OF SF ZF AF PF CF';

export const systemIo = [
  system(PUSHF, { reads: `${STATUS} DF` }, [
    ['PUSHF', '9C', { size: 16, width: 16 }],
    ['PUSHFD', '9C', { size: 32, width: 32, modes: 'legacy' }],
    ['PUSHFQ', '9C', { size: 64, width: 64, size64: 'default' }],
  ]),
  system(POPF, { writes: `${STATUS} DF` }, [
    ['POPF', '9D', { size: 16, width: 16 }],
    ['POPFD', '9D', { size: 32, width: 32, modes: 'legacy' }],
    ['POPFQ', '9D', { size: 64, width: 64, size64: 'default' }],
  ]),
  system(CLI, {}, [['CLI', 'FA']]),
  system(STI, {}, [['STI', 'FB']]),
  system(CLAC, { feature: 'smap' }, [['CLAC', 'NP 0F 01 CA']]),
  system(STAC, { feature: 'smap' }, [['STAC', 'NP 0F 01 CB']]),
  system(HLT, {}, [['HLT', 'F4']]),
  system(MONITOR, { feature: 'monitor' }, [['MONITOR', 'NP 0F 01 C8']]),
  system(MWAIT, { feature: 'monitor' }, [['MWAIT', 'NP 0F 01 C9']]),
  deviceInstruction(IN, {}, [
    ['IN AL, imm8', 'E4 ib'],
    ['IN AX, imm8', 'E5 ib'],
    ['IN EAX, imm8', 'E5 ib'],
    ['IN AL, DX', 'EC'],
    ['IN AX, DX', 'ED'],
    ['IN EAX, DX', 'ED'],
  ]),
  deviceInstruction(OUT, {}, [
    ['OUT imm8, AL', 'E6 ib'],
    ['OUT imm8, AX', 'E7 ib'],
    ['OUT imm8, EAX', 'E7 ib'],
    ['OUT DX, AL', 'EE'],
    ['OUT DX, AX', 'EF'],
    ['OUT DX, EAX', 'EF'],
  ]),
  system(INS, { repeat: 'rep', reads: 'DF' }, [
    ['INSB', '6C', { width: 8 }],
    ['INSW', '6D', { size: 16, width: 16 }],
    ['INSD', '6D', { size: 32, width: 32 }],
  ]),
  system(OUTS, { repeat: 'rep', reads: 'DF' }, [
    ['OUTSB', '6E', { width: 8 }],
    ['OUTSW', '6F', { size: 16, width: 16 }],
    ['OUTSD', '6F', { size: 32, width: 32 }],
  ]),
] as const;
