# Entry points of all 256 vectors, of SYSCALL, and the way into ring 3 and back.
        .text
        .altmacro
        .macro  stub vector
        .balign 16
        .if     (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21)
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
        .rept   256
        stub    %n
        .set    n, n + 1
        .endr

common: push    %rax
        push    %rbx
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %rbp
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        testb   $3, 18*8(%rsp)                  # CS of the interrupted program
        jz      1f
        swapgs
1:      mov     %rsp, %rdi
        mov     %rsp, %rbp
        and     $-16, %rsp
        cld
        call    dispatch
        mov     %rbp, %rsp
        testb   $3, 18*8(%rsp)
        jz      2f
        swapgs
2:      pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rbp
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rbx
        pop     %rax
        add     $16, %rsp
        iretq

# RAX: number, RDI RSI RDX: arguments. GS:0 is the kernel's stack, GS:8 keeps the user's.
        .globl  syscall_entry
syscall_entry:
        swapgs
        mov     %rsp, %gs:8
        mov     %gs:0, %rsp
        push    %gs:8
        push    %rcx
        push    %r11
        push    %rbp
        mov     %rdx, %rcx
        mov     %rsi, %rdx
        mov     %rdi, %rsi
        mov     %rax, %rdi
        sti
        call    system_call
        cli
        pop     %rbp
        pop     %r11
        pop     %rcx
        pop     %rsp
        swapgs
        sysretq

# uint64_t enter_user(entry RDI, stack RSI, argument RDX): comes back when the program is ended with leave_user.
        .globl  enter_user, leave_user
enter_user:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, kernel_rsp
        pushq   $0x1b
        push    %rsi
        pushq   $0x202
        pushq   $0x23
        push    %rdi
        mov     %rdx, %rdi
        cli
        swapgs
        iretq
# _Noreturn void leave_user(status RDI), in the kernel with its own GS base.
leave_user:
        mov     kernel_rsp, %rsp
        mov     %rdi, %rax
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .bss
        .balign 8
kernel_rsp:
        .skip   8
        .section .note.GNU-stack, "", @progbits
