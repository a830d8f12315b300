# From entry32.S or entry64.S, which leave EBX alone: the boot information, by Multiboot or by PVH.
        .text
        .globl  main
main:
#ifdef __x86_64__
        mov     %ebx, %edi
        jmp     bench
#else
        push    %ebx
        call    bench
#endif
        .section .note.GNU-stack, "", @progbits
