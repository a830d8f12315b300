# SYSCALL and SYSRET without a stack: ring 3 counts EBX down, the kernel counts R12 up.
        .text
        .globl  call_from_ring3
# uint32_t call_from_ring3(entry RDI, times ESI)
call_from_ring3:
        push    %rbx
        push    %rbp
        push    %r12
        mov     %rsp, kernel_rsp
        mov     %esi, %ebx
        xor     %r12d, %r12d
        mov     %rdi, %rcx
        mov     $2, %r11d
        sysretq

        .globl  syscall_entry
        .balign 64
syscall_entry:
        test    %eax, %eax
        jnz     1f
        inc     %r12d
        sysretq
1:      mov     kernel_rsp, %rsp
        mov     %r12d, %eax
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .globl  caller_start, caller_end
        .balign 64
caller_start:
        xor     %eax, %eax
1:      syscall
        dec     %ebx
        jnz     1b
        inc     %eax
        syscall
caller_end:

        .bss
        .balign 8
kernel_rsp:
        .skip   8
        .section .note.GNU-stack, "", @progbits
