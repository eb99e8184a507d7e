// void revenant_vm_call_on_stack(void* top, void (*function)(void*), void* argument)
//
// The caller's frame pointer chain goes on, so that a walk over the stack finds its way back.
    .text
    .globl revenant_vm_call_on_stack
    .type revenant_vm_call_on_stack, @function
revenant_vm_call_on_stack:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rdi, %rsp
    movq %rdx, %rdi
    call *%rsi
    movq %rbp, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size revenant_vm_call_on_stack, . - revenant_vm_call_on_stack
    .section .note.GNU-stack, "", @progbits
