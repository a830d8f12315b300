/** Segment registers, descriptor tables and the checks of descriptors: the lines of the manual. */
import { system } from '../row.ts';
import { ARPL, LAR, LGDT, LIDT, LLDT, LSL, LTR, SGDT, SIDT, SLDT, STR, VERR, VERW } from '../system/descriptor-tables.ts';
import { LOAD_FAR_POINTER, MOV_FROM_SREG, MOV_TO_SREG, POP_SREG, PUSH_SREG } from '../system/segment-registers.ts';

export const systemSegments = [
  system(MOV_FROM_SREG, {}, [
    ['MOV r/m16, Sreg', '8C /r'],
    ['MOV r32/m16, Sreg', '8C /r'],
    ['MOV r64/m16, Sreg', 'REX.W 8C /r'],
  ]),
  system(MOV_TO_SREG, { size: 'any', width: 16 }, [['MOV Sreg, r/m16', '8E /r']]),
  system(PUSH_SREG, { size: 'any', width: 'effective' }, [
    ['PUSH ES', '06', { modes: 'legacy' }],
    ['PUSH CS', '0E', { modes: 'legacy' }],
    ['PUSH SS', '16', { modes: 'legacy' }],
    ['PUSH DS', '1E', { modes: 'legacy' }],
    ['PUSH FS', '0F A0', { size64: 'default' }],
    ['PUSH GS', '0F A8', { size64: 'default' }],
  ]),
  system(POP_SREG, { size: 'any', width: 'effective' }, [
    ['POP ES', '07', { modes: 'legacy' }],
    ['POP SS', '17', { modes: 'legacy' }],
    ['POP DS', '1F', { modes: 'legacy' }],
    ['POP FS', '0F A1', { size64: 'default' }],
    ['POP GS', '0F A9', { size64: 'default' }],
  ]),
  system(LOAD_FAR_POINTER, {}, [
    ['LDS r16, m16:16', 'C5 /r', { modes: 'legacy' }],
    ['LDS r32, m16:32', 'C5 /r', { modes: 'legacy' }],
    ['LES r16, m16:16', 'C4 /r', { modes: 'legacy' }],
    ['LES r32, m16:32', 'C4 /r', { modes: 'legacy' }],
    ['LFS r16, m16:16', '0F B4 /r'],
    ['LFS r32, m16:32', '0F B4 /r'],
    ['LFS r64, m16:64', 'REX.W 0F B4 /r'],
    ['LGS r16, m16:16', '0F B5 /r'],
    ['LGS r32, m16:32', '0F B5 /r'],
    ['LGS r64, m16:64', 'REX.W 0F B5 /r'],
    ['LSS r16, m16:16', '0F B2 /r'],
    ['LSS r32, m16:32', '0F B2 /r'],
    ['LSS r64, m16:64', 'REX.W 0F B2 /r'],
  ]),
  system(LGDT, { size: 'any' }, [
    ['LGDT m16&32', '0F 01 /2', { modes: 'legacy', width: 'effective' }],
    ['LGDT m16&64', '0F 01 /2', { modes: '64', width: 64 }],
  ]),
  system(LIDT, { size: 'any' }, [
    ['LIDT m16&32', '0F 01 /3', { modes: 'legacy', width: 'effective' }],
    ['LIDT m16&64', '0F 01 /3', { modes: '64', width: 64 }],
  ]),
  system(SGDT, { size: 'any' }, [
    ['SGDT m16&32', '0F 01 /0', { modes: 'legacy', width: 32 }],
    ['SGDT m16&64', '0F 01 /0', { modes: '64', width: 64 }],
  ]),
  system(SIDT, { size: 'any' }, [
    ['SIDT m16&32', '0F 01 /1', { modes: 'legacy', width: 32 }],
    ['SIDT m16&64', '0F 01 /1', { modes: '64', width: 64 }],
  ]),
  system(LLDT, { size: 'any' }, [['LLDT r/m16', '0F 00 /2']]),
  system(LTR, { size: 'any' }, [['LTR r/m16', '0F 00 /3']]),
  system(SLDT, {}, [
    ['SLDT r/m16', '0F 00 /0'],
    ['SLDT r32/m16', '0F 00 /0'],
    ['SLDT r64/m16', 'REX.W 0F 00 /0'],
  ]),
  system(STR, {}, [
    ['STR r/m16', '0F 00 /1'],
    ['STR r32/m16', '0F 00 /1'],
    ['STR r64/m16', 'REX.W 0F 00 /1'],
  ]),
  system(LAR, { writes: 'ZF' }, [
    ['LAR r16, r/m16', '0F 02 /r'],
    ['LAR r32, r32/m16', '0F 02 /r'],
    ['LAR r64, r64/m16', 'REX.W 0F 02 /r'],
  ]),
  system(LSL, { writes: 'ZF' }, [
    ['LSL r16, r/m16', '0F 03 /r'],
    ['LSL r32, r32/m16', '0F 03 /r'],
    ['LSL r64, r64/m16', 'REX.W 0F 03 /r'],
  ]),
  system(VERR, { size: 'any', writes: 'ZF' }, [['VERR r/m16', '0F 00 /4']]),
  system(VERW, { size: 'any', writes: 'ZF' }, [['VERW r/m16', '0F 00 /5']]),
  system(ARPL, { size: 'any', modes: 'legacy', writes: 'ZF' }, [['ARPL r/m16, r16', '63 /r']]),
] as const;
