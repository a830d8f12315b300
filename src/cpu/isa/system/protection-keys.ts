/** PKRU, the rights of protection keys. SDM Vol. 2B, "RDPKRU—Read Protection Key Rights for User Pages"; Vol. 2D, "WRPKRU—Write Data to User Page Key Register". */
import { CR4 } from '../../../mmu/control-bits.ts';
import type { Cpu } from '../../cpu.ts';
import { GP, UD } from '../../exceptions.ts';
import type { Instruction } from '../instruction.ts';
import { RAX, RCX, RDX } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { low32 } from './operands.ts';

function requireKeys(cpu: Cpu, i: Instruction): void {
  if ((cpu.state.cr4 & CR4.PKE) === 0) throw UD(`${i.mnemonic} with CR4.PKE = 0`);
  if (low32(cpu, RCX) !== 0) throw GP(0, `${i.mnemonic} with ECX other than 0`);
}

/** RDPKRU — Read Protection Key Rights for User Pages. */
export const RDPKRU: SystemSemantics = (cpu, i) => {
  requireKeys(cpu, i);
  const { gpr, pkru } = cpu.state;
  gpr[RAX] = BigInt(pkru);
  gpr[RDX] = 0n;
};

/** WRPKRU — Write Data to User Page Key Register. */
export const WRPKRU: SystemSemantics = (cpu, i) => {
  requireKeys(cpu, i);
  if (low32(cpu, RDX) !== 0) throw GP(0, 'WRPKRU with EDX other than 0');
  cpu.mmu.setPkru(low32(cpu, RAX));
};
