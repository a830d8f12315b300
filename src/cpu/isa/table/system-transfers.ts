/** Far transfers of control, software interrupts, system calls and returns: the lines of the manual. */
import { system } from '../row.ts';
import { IRET, RET_FAR } from '../system/far-returns.ts';
import { CALL_FAR, JMP_FAR } from '../system/far-transfers.ts';
import { INT, INT1, INT3, INTO } from '../system/software-interrupts.ts';
import { SWAPGS, SYSCALL, SYSENTER, SYSEXIT, SYSRET } from '../system/system-calls.ts';

export const systemTransfers = [
  system(JMP_FAR, {}, [
    ['JMP ptr16:16', 'EA cd', { size: 16, width: 16, modes: 'legacy' }],
    ['JMP ptr16:32', 'EA cp', { size: 32, width: 32, modes: 'legacy' }],
    ['JMP m16:16', 'FF /5', { size: 16, width: 16 }],
    ['JMP m16:32', 'FF /5', { size: 32, width: 32 }],
    ['JMP m16:64', 'REX.W FF /5', { width: 64 }],
  ]),
  system(CALL_FAR, {}, [
    ['CALL ptr16:16', '9A cd', { size: 16, width: 16, modes: 'legacy' }],
    ['CALL ptr16:32', '9A cp', { size: 32, width: 32, modes: 'legacy' }],
    ['CALL m16:16', 'FF /3', { size: 16, width: 16 }],
    ['CALL m16:32', 'FF /3', { size: 32, width: 32 }],
    ['CALL m16:64', 'REX.W FF /3', { width: 64 }],
  ]),
  // The manual calls all of these RET; the names tell the operand sizes apart, as assemblers do.
  system(RET_FAR, {}, [
    ['RETFW', 'CB', { size: 16, width: 16 }],
    ['RETF', 'CB', { size: 32, width: 32 }],
    ['RETFQ', 'REX.W CB', { width: 64 }],
    ['RETFW imm16', 'CA iw', { size: 16, width: 16 }],
    ['RETF imm16', 'CA iw', { size: 32, width: 32 }],
    ['RETFQ imm16', 'REX.W CA iw', { width: 64 }],
  ]),
  system(IRET, { writes: 'OF SF ZF AF PF CF DF' }, [
    ['IRET', 'CF', { size: 16, width: 16 }],
    ['IRETD', 'CF', { size: 32, width: 32 }],
    ['IRETQ', 'REX.W CF', { width: 64 }],
  ]),
  system(INT, {}, [['INT imm8', 'CD ib']]),
  system(INT3, {}, [['INT3', 'CC']]),
  system(INTO, { reads: 'OF' }, [['INTO', 'CE', { modes: 'legacy' }]]),
  system(INT1, {}, [['INT1', 'F1']]),
  system(SYSCALL, { modes: '64', feature: 'syscall' }, [['SYSCALL', '0F 05']]),
  system(SYSRET, { modes: '64', feature: 'syscall', writes: 'OF SF ZF AF PF CF DF' }, [
    ['SYSRET', '0F 07', { width: 32 }],
    ['SYSRETQ', 'REX.W 0F 07', { width: 64 }],
  ]),
  system(SYSENTER, { feature: 'sep' }, [['SYSENTER', '0F 34']]),
  system(SYSEXIT, { feature: 'sep' }, [
    ['SYSEXIT', '0F 35', { width: 32 }],
    ['SYSEXITQ', 'REX.W 0F 35', { width: 64 }],
  ]),
  system(SWAPGS, { modes: '64' }, [['SWAPGS', '0F 01 F8']]),
] as const;
