# From Multiboot 1 into 32-bit protected mode with paging: 4-MiB pages map the first 64 MiB one to one.
# LARGE_PAGES: how many.
#ifndef LARGE_PAGES
#define LARGE_PAGES 16
#endif
        .section .boot, "ax"
        .balign 4
        .long   0x1badb002, 3, -(0x1badb002 + 3)

        .globl  start
start:  cli
        cld
        mov     $stack_top, %esp
        mov     $page_directory, %edi
        mov     $0x83, %eax
        xor     %ecx, %ecx
1:      mov     %eax, (%edi,%ecx,4)
        add     $0x400000, %eax
        inc     %ecx
        cmp     $LARGE_PAGES, %ecx
        jne     1b
        mov     %cr4, %eax
        or      $0x10, %eax                     # PSE
        mov     %eax, %cr4
        mov     %edi, %cr3
        mov     %cr0, %eax
        or      $0x80010000, %eax               # PG, WP
        mov     %eax, %cr0
        xor     %ebp, %ebp
        call    main
        call    finish

        .globl  page_directory, stack_top
        .bss
        .balign 4096
page_directory:
        .skip   4096
        .skip   16384
stack_top:

        .section .note.GNU-stack, "", @progbits
