# From the PVH entry (32-bit protected mode, paging off) into long mode and to main. BASE: where the program is linked,
# minus where it is loaded (0, or the highest 2 GiB for -mcmodel=kernel).
# LARGE_PAGES: how many 2-MiB pages from 0 are mapped.
#ifndef LARGE_PAGES
#define LARGE_PAGES 16
#endif
        .section .note.pvh, "a", @note
        .long   4, 4, 18                        # XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   start

        .section .boot, "ax"
        .code32
        .globl  start
start:  cli
        cld
        mov     $(stack_top - BASE), %esp
        mov     $(pml4 - BASE), %edi
        lea     0x1003(%edi), %eax              # the low PDPT, present and writable
        mov     %eax, (%edi)
        add     $0x1000, %eax                   # the high PDPT
        mov     %eax, 511*8(%edi)
        add     $0x1000, %eax                   # the one page directory
        mov     %eax, 0x1000(%edi)
        mov     %eax, 0x2000+510*8(%edi)
        mov     $0x83, %eax                     # 2-MiB pages from 0
        xor     %ecx, %ecx
1:      mov     %eax, 0x3000(%edi,%ecx,8)
        add     $0x200000, %eax
        inc     %ecx
        cmp     $LARGE_PAGES, %ecx
        jne     1b

        mov     %cr4, %eax
        or      $0x20, %eax                     # PAE
        mov     %eax, %cr4
        mov     %edi, %cr3
        mov     $0xc0000080, %ecx               # IA32_EFER
        rdmsr
        or      $0x901, %eax                    # NXE, LME, SCE
        wrmsr
        mov     %cr0, %eax
        or      $0x80010001, %eax               # PG, WP, PE
        mov     %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $long_mode

        .code64
long_mode:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $stack_top, %rsp
        mov     $high, %rax
        jmp     *%rax

        .balign 8
gdt:    .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .text
high:   xor     %ebp, %ebp
        call    main
        call    finish

        .globl  pml4
        .bss
        .balign 4096
pml4:   .skip   4 * 4096
        .skip   16384
stack_top:

        .section .note.GNU-stack, "", @progbits
