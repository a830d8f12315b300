/** A ring-3 task: system calls, a demand-paged heap of its own, and a clean end for each thing that it may not do. */
import { qword, r12, r13, rax, rbx } from '../../assembler/index.ts';
import { VECTOR } from '../idt.ts';
import { FAULT, PMM } from '../layout.ts';
import { CAUSE } from '../page-fault.ts';
import { EXIT_STATUS, HEAP_PAGES_TOUCHED, PROGRAM, TASK_STOPPED } from '../ring3.ts';
import { address, type KernelWriter } from '../writer.ts';

/** What each forbidden thing leads to: the vector, and for #PF its error code and cause. */
const FORBIDDEN = [
  [PROGRAM.readKernel, 'a read of a supervisor page', VECTOR.PF, FAULT.P | FAULT.USER, CAUSE.supervisor],
  [PROGRAM.writeCode, 'a write to its own code', VECTOR.PF, FAULT.P | FAULT.WRITE | FAULT.USER, CAUSE.notAllowed],
  [PROGRAM.runHeap, 'an instruction fetch from its heap', VECTOR.PF, FAULT.USER | FAULT.FETCH, CAUSE.notAllowed],
  [PROGRAM.overflowStack, 'a stack that grows into its guard page', VECTOR.PF, FAULT.WRITE | FAULT.USER, CAUSE.guard],
  [PROGRAM.disableInterrupts, 'a privileged instruction', VECTOR.GP, 0, undefined],
] as const;

export function ring3Scenario(k: KernelWriter): void {
  const { a } = k;
  k.func('scenario_ring3', [rbx, r12, r13], () => {
    k.headline('ring 3: a task with an address space of its own');
    k.say(`The lower half is the task's: code, stack, heap. The upper half is the kernel's, shared by every
address space and closed to ring 3: in its paging-structure entries U/S is 0.`);
    a.mov(r12, qword('system_pmm', PMM.free));
    a.mov(r13, qword('system_pmm', PMM.tables));
    a.mov(qword('faults_shown'), 1);
    k.call('task_run', PROGRAM.exit);
    a.mov(qword('faults_shown'), 0);
    k.expectEqual(rax, EXIT_STATUS, `the task ran to its end and gave ${EXIT_STATUS} to exit`);
    k.expectEqual(qword('task_faults'), HEAP_PAGES_TOUCHED, 'one fault for each page of the heap that it touched, none for the others');

    const takenBack = (): void => {
      a.mov(rax, qword('system_pmm', PMM.free));
      k.expectEqual(rax, r12, 'every frame came back');
    };
    takenBack();
    k.expectEqual(r13, qword('system_pmm', PMM.tables), 'and so did every page table');

    for (const [program, what, vector, error, cause] of FORBIDDEN) {
      k.call('task_run', program);
      k.expectEqual(rax, TASK_STOPPED, `${what} ends the task`);
      k.expectEqual(qword('task_vector'), vector, `its vector was ${vector}`);
      if (cause !== undefined) {
        k.expectEqual(qword('fault_error'), error, `its error code was ${error}`);
        k.load(rax, address(k.text(cause)));
        k.expectEqual(rax, qword('task_cause'), `reported as: ${cause}`);
      }
      takenBack();
    }
    k.call('task_run', PROGRAM.printKernel);
    k.expectEqual(rax, -1, 'the system call print refuses an address that is the kernel\'s');
    takenBack();
  });
}
