// int revenant_vm_copy_page(void* frame, const void* page)
//
// Copies 4096 bytes, both sides aligned to 16. An access that fails between the two labels goes on at
// the second. The copy uses no stack and changes no register that the caller keeps, so that nothing
// has to be put back.
//
// The stores bypass the cache: a frame was last read by another core, and fetching its lines only to
// overwrite them would double the time.
    .text
    .globl revenant_vm_copy_page
    .type revenant_vm_copy_page, @function
revenant_vm_copy_page:
    .cfi_startproc
    movl $64, %ecx
1:
    prefetcht0 2048(%rsi)
    movdqa (%rsi), %xmm0
    movdqa 16(%rsi), %xmm1
    movdqa 32(%rsi), %xmm2
    movdqa 48(%rsi), %xmm3
    movntdq %xmm0, (%rdi)
    movntdq %xmm1, 16(%rdi)
    movntdq %xmm2, 32(%rdi)
    movntdq %xmm3, 48(%rdi)
    addq $64, %rsi
    addq $64, %rdi
    decl %ecx
    jnz 1b
    movl $1, %eax
    ret
    .globl revenant_vm_copy_page_failed
revenant_vm_copy_page_failed:
    xorl %eax, %eax
    ret
    .cfi_endproc
    .size revenant_vm_copy_page, . - revenant_vm_copy_page
    .section .note.GNU-stack, "", @progbits
