# Entry points of the 32-bit guest: 49 vectors, and the way into ring 3 and back.
        .text
        .altmacro
        .macro  stub vector
        .balign 16
        .if     (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17)
        .else
        push    $0                              # no error code: one of our own
        .endif
        push    $\vector
        jmp     common
        .endm

        .globl  stubs
        .balign 16
stubs:
        .set    n, 0
        .rept   49
        stub    %n
        .set    n, n + 1
        .endr

common: push    %ds
        push    %es
        pusha
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        cld
        push    %esp
        call    dispatch
        add     $4, %esp
        popa
        pop     %es
        pop     %ds
        add     $8, %esp
        iret

# unsigned enter_user(entry, stack): comes back when the program is ended with leave_user.
        .globl  enter_user, leave_user
enter_user:
        push    %ebx
        push    %ebp
        push    %esi
        push    %edi
        mov     20(%esp), %ecx
        mov     24(%esp), %edx
        mov     %esp, kernel_esp
        mov     $0x23, %eax
        mov     %eax, %ds
        mov     %eax, %es
        push    $0x23
        push    %edx
        push    $0x202
        push    $0x1b
        push    %ecx
        iret
# _Noreturn void leave_user(status)
leave_user:
        mov     4(%esp), %eax
        mov     kernel_esp, %esp
        pop     %edi
        pop     %esi
        pop     %ebp
        pop     %ebx
        ret

        .bss
        .balign 4
kernel_esp:
        .skip   4
        .section .note.GNU-stack, "", @progbits
