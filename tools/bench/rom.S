# The last 4 KiB of a 128-KiB ROM that starts the benchmark guest where there is no boot loader (bench/lib/rom.mjs puts it
# together): into 32-bit protected mode, copy the image, enter it as a Multiboot loader does.
# At 0xE0000: entry, pieces, boot information (offset from 0xE0000), then for each piece source, destination, bytes, zeros.
        .code16
        .globl  start
start:  cli
        cld
        mov     $0x92, %dx                      # A20 on, where it is a matter of this port
        in      %dx, %al
        or      $2, %al
        and     $0xfe, %al
        out     %al, %dx
        lgdtl   %cs:pointer
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $8, $(protected + 0xf0000)
        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
pointer:
        .word   . - gdt - 1
        .long   gdt + 0xf0000

        .code32
protected:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $0xe0000, %ebx
        mov     4(%ebx), %edx
        lea     12(%ebx), %ebp
1:      test    %edx, %edx
        jz      2f
        mov     (%ebp), %esi
        mov     4(%ebp), %edi
        mov     8(%ebp), %ecx
        rep movsb
        mov     12(%ebp), %ecx
        xor     %eax, %eax
        rep stosb
        add     $16, %ebp
        dec     %edx
        jmp     1b
2:      mov     (%ebx), %edx
        add     8(%ebx), %ebx
        mov     $0x2badb002, %eax
        jmp     *%edx

        .org    0xff0
        .code16
        jmp     start
        .org    0x1000
