// int revenant_vm_copy_page(void* frame, const void* page)
//
// Copies 4096 bytes. An access that fails between the two labels goes on at the second. The copy uses
// no stack and changes no register that the caller keeps, so that nothing has to be put back.
    .text
    .globl revenant_vm_copy_page
    .type revenant_vm_copy_page, @function
revenant_vm_copy_page:
    .cfi_startproc
    movl $512, %ecx
    rep movsq
    movl $1, %eax
    ret
    .globl revenant_vm_copy_page_failed
revenant_vm_copy_page_failed:
    xorl %eax, %eax
    ret
    .cfi_endproc
    .size revenant_vm_copy_page, . - revenant_vm_copy_page
    .section .note.GNU-stack, "", @progbits
