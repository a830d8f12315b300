/** Moves and conversions: the lines of the manual. */
import { instruction } from '../row.ts';
import { BSWAP, CBW, CWD, LEA, MOV, MOVBE, MOVSX, MOVZX, XLATB } from '../semantics/data-transfer.ts';
import { CMOVcc } from '../semantics/conditional.ts';

export const dataTransfer = [
  instruction(MOV, {}, [
    ['MOV r/m8, r8', '88 /r'],
    ['MOV r/m16, r16', '89 /r'],
    ['MOV r/m32, r32', '89 /r'],
    ['MOV r/m64, r64', 'REX.W 89 /r'],
    ['MOV r8, r/m8', '8A /r'],
    ['MOV r16, r/m16', '8B /r'],
    ['MOV r32, r/m32', '8B /r'],
    ['MOV r64, r/m64', 'REX.W 8B /r'],
    ['MOV AL, moffs8', 'A0 moffs'],
    ['MOV AX, moffs16', 'A1 moffs'],
    ['MOV EAX, moffs32', 'A1 moffs'],
    ['MOV RAX, moffs64', 'REX.W A1 moffs'],
    ['MOV moffs8, AL', 'A2 moffs'],
    ['MOV moffs16, AX', 'A3 moffs'],
    ['MOV moffs32, EAX', 'A3 moffs'],
    ['MOV moffs64, RAX', 'REX.W A3 moffs'],
    ['MOV r8, imm8', 'B0+rb ib'],
    ['MOV r16, imm16', 'B8+rw iw'],
    ['MOV r32, imm32', 'B8+rd id'],
    ['MOV r64, imm64', 'REX.W B8+ro io'],
    ['MOV r/m8, imm8', 'C6 /0 ib'],
    ['MOV r/m16, imm16', 'C7 /0 iw'],
    ['MOV r/m32, imm32', 'C7 /0 id'],
    ['MOV r/m64, imm32', 'REX.W C7 /0 id'],
  ]),
  instruction(MOVZX, {}, [
    ['MOVZX r16, r/m8', '0F B6 /r'],
    ['MOVZX r32, r/m8', '0F B6 /r'],
    ['MOVZX r64, r/m8', 'REX.W 0F B6 /r'],
    ['MOVZX r16, r/m16', '0F B7 /r'],
    ['MOVZX r32, r/m16', '0F B7 /r'],
    ['MOVZX r64, r/m16', 'REX.W 0F B7 /r'],
  ]),
  instruction(MOVSX, {}, [
    ['MOVSX r16, r/m8', '0F BE /r'],
    ['MOVSX r32, r/m8', '0F BE /r'],
    ['MOVSX r64, r/m8', 'REX.W 0F BE /r'],
    ['MOVSX r16, r/m16', '0F BF /r'],
    ['MOVSX r32, r/m16', '0F BF /r'],
    ['MOVSX r64, r/m16', 'REX.W 0F BF /r'],
  ]),
  instruction(MOVSX, { modes: '64' }, [
    ['MOVSXD r16, r/m16', '63 /r'],
    ['MOVSXD r32, r/m32', '63 /r'],
    ['MOVSXD r64, r/m32', 'REX.W 63 /r'],
  ]),
  instruction(MOVBE, { feature: 'movbe' }, [
    ['MOVBE r16, m16', '0F 38 F0 /r'],
    ['MOVBE r32, m32', '0F 38 F0 /r'],
    ['MOVBE r64, m64', 'REX.W 0F 38 F0 /r'],
    ['MOVBE m16, r16', '0F 38 F1 /r'],
    ['MOVBE m32, r32', '0F 38 F1 /r'],
    ['MOVBE m64, r64', 'REX.W 0F 38 F1 /r'],
  ]),
  instruction(LEA, {}, [
    ['LEA r16, m', '8D /r'],
    ['LEA r32, m', '8D /r'],
    ['LEA r64, m', 'REX.W 8D /r'],
  ]),
  instruction(CMOVcc, { reads: 'OF SF ZF PF CF', feature: 'cmov' }, [
    ['CMOVcc r16, r/m16', '0F 40+tttn /r'],
    ['CMOVcc r32, r/m32', '0F 40+tttn /r'],
    ['CMOVcc r64, r/m64', 'REX.W 0F 40+tttn /r'],
  ]),
  instruction(BSWAP, {}, [
    ['BSWAP r32', '0F C8+rd'],
    ['BSWAP r64', 'REX.W 0F C8+rd'],
  ]),
  instruction(CBW, {}, [
    ['CBW', '98', { size: 16 }],
    ['CWDE', '98', { size: 32 }],
    ['CDQE', 'REX.W 98'],
  ]),
  instruction(CWD, {}, [
    ['CWD', '99', { size: 16 }],
    ['CDQ', '99', { size: 32 }],
    ['CQO', 'REX.W 99'],
  ]),
  instruction(XLATB, {}, [
    ['XLATB', 'D7', { width: 8 }],
  ]),
] as const;
