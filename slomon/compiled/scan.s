	.file	"<string>"
	.section	.ltext,"axl",@progbits
	.globl	_ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a
	.p2align	4
	.type	_ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a,@function
_ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a:
	pushq	%r14
	pushq	%rbx
	subq	$88, %rsp
	vmovups	112(%rsp), %ymm0
	vmovaps	144(%rsp), %xmm1
	movq	160(%rsp), %rax
	movq	%rsi, %r14
	movq	%rdi, %rbx
	leaq	64(%rsp), %rdi
	leaq	56(%rsp), %rsi
	vxorps	%xmm2, %xmm2, %xmm2
	movq	$0, 56(%rsp)
	vmovaps	%xmm2, 64(%rsp)
	movq	%rax, 48(%rsp)
	movabsq	$_ZN6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a, %rax
	vmovups	%xmm1, 32(%rsp)
	vmovups	%ymm0, (%rsp)
	vzeroupper
	callq	*%rax
	testl	%eax, %eax
	jne	.LBB0_2
	movq	168(%rsp), %rcx
	movq	64(%rsp), %rdx
	movq	72(%rsp), %rsi
	movq	%rsi, (%rcx)
	movq	%rdx, (%rbx)
	addq	$88, %rsp
	popq	%rbx
	popq	%r14
	retq
.LBB0_2:
	movq	56(%rsp), %rcx
	movq	%rcx, (%r14)
	addq	$88, %rsp
	popq	%rbx
	popq	%r14
	retq
.Lfunc_end0:
	.size	_ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a, .Lfunc_end0-_ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a

	.globl	cfunc._ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a
	.p2align	4
	.type	cfunc._ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a,@function
cfunc._ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	pushq	%r15
	.cfi_def_cfa_offset 24
	pushq	%r14
	.cfi_def_cfa_offset 32
	pushq	%rbx
	.cfi_def_cfa_offset 40
	subq	$88, %rsp
	.cfi_def_cfa_offset 128
	.cfi_offset %rbx, -40
	.cfi_offset %r14, -32
	.cfi_offset %r15, -24
	.cfi_offset %rbp, -16
	vmovups	128(%rsp), %ymm0
	vmovaps	160(%rsp), %xmm1
	movq	%rcx, %rax
	movq	%rdx, %r10
	movq	%rsi, %rcx
	movq	%rdi, %rdx
	movabsq	$_ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a, %r11
	leaq	80(%rsp), %rdi
	leaq	72(%rsp), %rsi
	movq	$0, 80(%rsp)
	movq	$0, 72(%rsp)
	vmovups	%xmm1, 48(%rsp)
	vmovups	%ymm0, 16(%rsp)
	movq	%r9, 8(%rsp)
	movq	%r8, (%rsp)
	movq	%r10, %r8
	movq	%rax, %r9
	vzeroupper
	callq	*%r11
	movl	%eax, %ecx
	movq	72(%rsp), %rbx
	movq	80(%rsp), %rax
	movl	$0, 68(%rsp)
	testl	%ecx, %ecx
	jne	.LBB1_1
.LBB1_8:
	addq	$88, %rsp
	.cfi_def_cfa_offset 40
	popq	%rbx
	.cfi_def_cfa_offset 32
	popq	%r14
	.cfi_def_cfa_offset 24
	popq	%r15
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_def_cfa_offset 8
	retq
.LBB1_1:
	.cfi_def_cfa_offset 128
	movabsq	$numba_gil_ensure, %r14
	leaq	68(%rsp), %rdi
	movq	%rax, %r15
	movl	%ecx, %ebp
	callq	*%r14
	testl	%ebp, %ebp
	jle	.LBB1_9
	movabsq	$PyErr_Clear, %rax
	callq	*%rax
	movl	8(%rbx), %esi
	movq	(%rbx), %rdi
	cmpl	$0, 32(%rbx)
	jle	.LBB1_12
	movslq	%esi, %rsi
	movabsq	$PyBytes_FromStringAndSize, %rax
	callq	*%rax
	movq	16(%rbx), %rdi
	movq	%rax, %r14
	callq	*24(%rbx)
	testq	%rax, %rax
	je	.LBB1_4
	movabsq	$numba_runtime_build_excinfo_struct, %rcx
	movq	%r14, %rdi
	movq	%rax, %rsi
	callq	*%rcx
	movabsq	$NRT_Free, %rbp
	movq	%rbx, %rdi
	movq	%rax, %r14
	callq	*%rbp
	jmp	.LBB1_13
.LBB1_9:
	movl	%ebp, %eax
	cmpl	$-3, %ebp
	je	.LBB1_5
	cmpl	$-1, %eax
	je	.LBB1_7
	movabsq	$PyExc_SystemError, %rdi
	movabsq	$".const.unknown error when calling native function", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	jmp	.LBB1_7
.LBB1_12:
	movq	16(%rbx), %rdx
	movabsq	$numba_unpickle, %rax
	callq	*%rax
	movq	%rax, %r14
.LBB1_13:
	testq	%r14, %r14
	je	.LBB1_7
	movabsq	$numba_do_raise, %rax
	movq	%r14, %rdi
.LBB1_6:
	callq	*%rax
.LBB1_7:
	movabsq	$".const.<numba.core.cpu.CPUContext>", %rdi
	movabsq	$PyUnicode_FromString, %rax
	callq	*%rax
	movabsq	$PyErr_WriteUnraisable, %r14
	movq	%rax, %rbx
	movq	%rbx, %rdi
	callq	*%r14
	movabsq	$Py_DecRef, %rax
	movq	%rbx, %rdi
	callq	*%rax
	movabsq	$numba_gil_release, %rax
	leaq	68(%rsp), %rdi
	callq	*%rax
	movq	%r15, %rax
	jmp	.LBB1_8
.LBB1_5:
	movabsq	$PyExc_StopIteration, %rdi
	movabsq	$PyErr_SetNone, %rax
	jmp	.LBB1_6
.LBB1_4:
	movabsq	$PyExc_RuntimeError, %rdi
	movabsq	$".const.Error creating Python tuple from runtime exception arguments", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	xorl	%eax, %eax
	jmp	.LBB1_8
.Lfunc_end1:
	.size	cfunc._ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a, .Lfunc_end1-cfunc._ZN6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a
	.cfi_endproc

	.weak	_ZN6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a
	.p2align	4
	.type	_ZN6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a,@function
_ZN6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	subq	$104, %rsp
	movq	%r9, 56(%rsp)
	movq	%rdi, 32(%rsp)
	movq	$0, 16(%rsp)
	movq	%rcx, 48(%rsp)
	testq	%rcx, %rcx
	jle	.LBB2_1
	movq	%r8, %r9
	movq	24(%r9), %rax
	movq	%rsi, 24(%rsp)
	movabsq	$-72340172838076673, %rsi
	movabsq	$-9187201950435737472, %rdi
	movabsq	$723401728380766730, %r8
	movq	%rdx, %r15
	xorl	%r13d, %r13d
	xorl	%ebx, %ebx
	movq	$0, 8(%rsp)
	movq	%rax, 40(%rsp)
	jmp	.LBB2_3
	.p2align	4
.LBB2_13:
	incq	%r14
	movabsq	$-72340172838076673, %rsi
	movabsq	$-9187201950435737472, %rdi
	movabsq	$723401728380766730, %r8
	incq	%r13
	movq	%rbp, %r9
	movq	%r14, %rbx
	cmpq	48(%rsp), %r14
	jge	.LBB2_14
.LBB2_3:
	movq	(%r15,%rbx), %rax
	andnq	%rdi, %rax, %rcx
	xorq	%r8, %rax
	addq	%rsi, %rax
	andq	%rax, %rcx
	movq	%rbx, %rax
	jne	.LBB2_6
	movq	%rbx, %rax
	.p2align	4
.LBB2_5:
	movq	8(%r15,%rax), %rcx
	addq	$8, %rax
	andnq	%rdi, %rcx, %rdx
	xorq	%r8, %rcx
	addq	%rsi, %rcx
	andq	%rdx, %rcx
	je	.LBB2_5
.LBB2_6:
	tzcntq	%rcx, %rcx
	shrl	$3, %ecx
	cmpq	$0, 40(%rsp)
	leaq	(%rcx,%rax), %r14
	movq	%r14, %r12
	je	.LBB2_9
	subq	%rbx, %rax
	movq	%r14, %r12
	addq	%rcx, %rax
	testq	%rax, %rax
	jle	.LBB2_9
	cmpb	$13, -1(%r15,%r14)
	leaq	-1(%r14), %r12
	cmovneq	%r14, %r12
.LBB2_9:
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 64(%rsp)
	subq	$8, %rsp
	movq	%r9, %rbp
	leaq	72(%rsp), %rdi
	leaq	24(%rsp), %rsi
	movq	%r15, %rdx
	movq	%rbx, %rcx
	movq	%r12, %r8
	pushq	192(%rsp)
	pushq	192(%rsp)
	pushq	192(%rsp)
	pushq	192(%rsp)
	pushq	96(%rsp)
	movabsq	$_ZN6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a, %rax
	vzeroupper
	callq	*%rax
	addq	$48, %rsp
	testl	%eax, %eax
	jne	.LBB2_10
	movq	64(%rsp), %rdx
	movq	192(%rsp), %rdi
	movq	80(%rsp), %rax
	movq	88(%rsp), %rcx
	movq	72(%rsp), %rsi
	movq	%rdx, (%rdi,%r13,8)
	movq	200(%rsp), %rdi
	movq	%rsi, (%rdi,%r13,8)
	cmpq	$-1, %rsi
	jge	.LBB2_13
	movq	8(%rsp), %rdi
	movq	208(%rsp), %rsi
	leaq	(%rdi,%rdi,4), %rdx
	incq	%rdi
	movq	%rdi, 8(%rsp)
	movq	%r13, (%rsi,%rdx,8)
	movq	%rbx, 8(%rsi,%rdx,8)
	movq	%r12, 16(%rsi,%rdx,8)
	movq	%rax, 24(%rsi,%rdx,8)
	movq	%rcx, 32(%rsi,%rdx,8)
	jmp	.LBB2_13
.LBB2_1:
	xorl	%r13d, %r13d
	movq	$0, 8(%rsp)
.LBB2_14:
	movq	32(%rsp), %rax
	movq	8(%rsp), %rcx
	movq	%r13, (%rax)
	movq	%rcx, 8(%rax)
	xorl	%eax, %eax
	jmp	.LBB2_15
.LBB2_10:
	movq	16(%rsp), %rcx
	movq	24(%rsp), %rdx
	movq	%rcx, (%rdx)
.LBB2_15:
	addq	$104, %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	retq
.Lfunc_end2:
	.size	_ZN6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a, .Lfunc_end2-_ZN6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a

	.weak	_ZN6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a
	.p2align	4
	.type	_ZN6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a,@function
_ZN6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	subq	$120, %rsp
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 64(%rsp)
	movq	$0, 24(%rsp)
	movq	%r9, %r12
	movq	%rcx, %rax
	movq	%rdx, %r15
	movq	%rdi, %rbx
	movq	%rsi, 8(%rsp)
	movq	32(%r9), %rbp
	cmpq	$1, (%r9)
	jne	.LBB3_3
	movq	208(%rsp), %r9
	movq	%rsi, %r14
	movabsq	$_ZN6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a, %r10
	leaq	64(%rsp), %rdi
	leaq	24(%rsp), %rsi
	movq	%r15, %rdx
	movq	%rax, %rcx
	vzeroupper
	callq	*%r10
	testl	%eax, %eax
	jne	.LBB3_45
	movq	64(%rsp), %r14
	movq	72(%rsp), %r10
	movq	80(%rsp), %rax
	movq	88(%rsp), %rdx
	cmpq	$-1, %r14
	jne	.LBB3_12
.LBB3_28:
	movq	$-1, (%rbx)
	jmp	.LBB3_29
.LBB3_3:
	movq	8(%r12), %rdi
	movq	16(%r12), %r9
	movq	$-1, %r14
	subq	%r9, %r8
	leaq	(%rdi,%rax), %rcx
	movq	%r8, %rdx
	subq	%rcx, %rdx
	cmpq	$8, %rdx
	jge	.LBB3_5
.LBB3_4:
	xorl	%edx, %edx
	jmp	.LBB3_11
.LBB3_5:
	movq	176(%rsp), %rsi
	movq	%rdi, %rdx
	sarq	$63, %rdx
	addq	%r15, %rax
	xorl	%r11d, %r11d
	andnq	%rdi, %rdx, %r10
	xorl	%edx, %edx
	.p2align	4
.LBB3_6:
	cmpq	%r11, %r10
	je	.LBB3_8
	movzbl	(%rax,%r11), %r13d
	cmpb	(%rsi,%r11), %r13b
	leaq	1(%r11), %r11
	je	.LBB3_6
	jmp	.LBB3_11
.LBB3_8:
	movq	%r9, %rax
	sarq	$63, %rax
	addq	%rdi, %rsi
	xorl	%edx, %edx
	xorl	%edi, %edi
	andnq	%r9, %rax, %rax
	leaq	(%r15,%r8), %r9
	.p2align	4
.LBB3_9:
	cmpq	%rdi, %rax
	je	.LBB3_22
	movzbl	(%r9,%rdi), %r10d
	cmpb	(%rsi,%rdi), %r10b
	leaq	1(%rdi), %rdi
	je	.LBB3_9
.LBB3_11:
	xorl	%eax, %eax
	xorl	%r10d, %r10d
	cmpq	$-1, %r14
	je	.LBB3_28
.LBB3_12:
	movq	(%r15,%rdx), %rdi
	movabsq	$3472328296227680304, %rdx
	movabsq	$9187201950435737470, %r8
	movabsq	$8536140394893047414, %rsi
	movabsq	$-9187201950435737472, %rcx
	xorq	%rdi, %rdx
	andq	%rdx, %r8
	addq	%r8, %rsi
	orq	%rdi, %rsi
	andq	%rcx, %rsi
	je	.LBB3_15
	tzcntq	%rsi, %rsi
	andl	$56, %esi
	cmpl	$24, %esi
	jne	.LBB3_15
	movabsq	$10999411245056, %rdi
	movq	184(%rsp), %rsi
	imulq	%rdi, %rdx
	movabsq	$71777214277877760, %rdi
	andq	%rdx, %rdi
	imulq	$100, %rdi, %rdx
	shrq	$16, %rdi
	addq	%rdx, %rdi
	shrq	$32, %rdi
	movzwl	%di, %edx
	movq	(%rsi,%rdx,8), %rdx
	cmpq	$2, %rdx
	jne	.LBB3_16
.LBB3_15:
	movq	%r14, (%rbx)
.LBB3_29:
	movq	$-4, 8(%rbx)
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%xmm0, 16(%rbx)
.LBB3_30:
	xorl	%eax, %eax
.LBB3_31:
	addq	$120, %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	vzeroupper
	retq
.LBB3_16:
	movq	%r10, 56(%rsp)
	movq	%rdx, (%rsp)
	cmpq	%rax, %r10
	jge	.LBB3_21
	movabsq	$-7046029254386353131, %rdx
	xorl	%r9d, %r9d
	testq	%rbp, %rbp
	je	.LBB3_32
	movq	$-1, %rdi
	movabsq	$4557430888798830399, %r8
	movq	%r10, %rbp
	.p2align	4
.LBB3_19:
	movq	%rax, %r10
	subq	%rbp, %r10
	movl	$8, %r11d
	cmpq	$8, %r10
	cmovlq	%r10, %r11
	cmpq	$8, %r10
	leal	(,%r11,8), %r13d
	shlxq	%r13, %rdi, %r10
	movabsq	$-72340172838076673, %r13
	notq	%r10
	cmovgeq	%rdi, %r10
	andq	(%r15,%rbp), %r10
	movq	%r10, %rsi
	xorq	%r8, %rsi
	addq	%r13, %rsi
	andnq	%rcx, %r10, %r13
	andq	%rsi, %r13
	jne	.LBB3_39
	xorq	%r9, %r10
	addq	%r11, %rbp
	imulq	%rdx, %r10
	movq	%r10, %r9
	shrq	$32, %r9
	xorq	%r10, %r9
	cmpq	%rax, %rbp
	jl	.LBB3_19
	jmp	.LBB3_34
.LBB3_21:
	xorl	%r9d, %r9d
	movq	%r10, %rbp
	movq	56(%rsp), %r13
	subq	%rbp, %rax
	jg	.LBB3_35
	jmp	.LBB3_40
.LBB3_22:
	movabsq	$_ZN6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax, %rax
	leaq	32(%rsp), %rdi
	leaq	112(%rsp), %rsi
	vxorps	%xmm0, %xmm0, %xmm0
	movq	%r15, %rdx
	movq	%r8, %r13
	vmovaps	%xmm0, 32(%rsp)
	vzeroupper
	callq	*%rax
	testl	%eax, %eax
	jne	.LBB3_46
	movq	32(%rsp), %rcx
	cmpq	$-1, %rcx
	je	.LBB3_4
	movq	40(%rsp), %r10
	movq	%r13, %rdx
	cmpb	$32, -1(%r15,%r10)
	jne	.LBB3_4
	leaq	-4(%rdx), %rax
	cmpq	%rax, %r10
	jg	.LBB3_4
	cmpb	$32, (%r15,%rax)
	jne	.LBB3_4
	addq	$-3, %rdx
	movq	%rcx, %r14
	cmpq	$-1, %r14
	jne	.LBB3_12
	jmp	.LBB3_28
.LBB3_32:
	movq	$-1, %rsi
	movq	%r10, %rbp
	.p2align	4
.LBB3_33:
	movq	%rax, %r8
	subq	%rbp, %r8
	movq	%rbp, %rdi
	movl	$8, %ebp
	cmpq	$8, %r8
	cmovlq	%r8, %rbp
	cmpq	$8, %r8
	leal	(,%rbp,8), %r10d
	shlxq	%r10, %rsi, %r8
	notq	%r8
	cmovgeq	%rsi, %r8
	andq	(%r15,%rdi), %r8
	addq	%rdi, %rbp
	xorq	%r9, %r8
	imulq	%rdx, %r8
	movq	%r8, %r9
	shrq	$32, %r9
	xorq	%r8, %r9
	cmpq	%rax, %rbp
	jl	.LBB3_33
.LBB3_34:
	movq	56(%rsp), %r13
	subq	%rbp, %rax
	jle	.LBB3_40
.LBB3_35:
	movq	(%r15,%rbp), %rdi
	movabsq	$2314885530818453536, %rsi
	movabsq	$-72340172838076673, %rdx
	andnq	%rcx, %rdi, %r8
	xorq	%rsi, %rdi
	addq	%rdx, %rdi
	andq	%rdi, %r8
	movq	%rbp, %rdi
	jne	.LBB3_38
	movq	%rbp, %rdi
	.p2align	4
.LBB3_37:
	movq	8(%r15,%rdi), %r8
	addq	$8, %rdi
	andnq	%rcx, %r8, %r10
	xorq	%rsi, %r8
	addq	%rdx, %r8
	andq	%r10, %r8
	je	.LBB3_37
.LBB3_38:
	tzcntq	%r8, %rcx
	subq	%rbp, %rdi
	shrl	$3, %ecx
	addq	%rcx, %rdi
	cmpq	%rax, %rdi
	jl	.LBB3_15
	jmp	.LBB3_40
.LBB3_39:
	tzcntq	%r13, %rsi
	movl	%esi, %edi
	andb	$56, %sil
	shrl	$3, %edi
	bzhiq	%rsi, %r10, %rsi
	addq	%rdi, %rbp
	xorq	%r9, %rsi
	imulq	%rdx, %rsi
	movq	%rsi, %r9
	shrq	$32, %r9
	xorq	%rsi, %r9
	movq	56(%rsp), %r13
	subq	%rbp, %rax
	jg	.LBB3_35
.LBB3_40:
	movq	200(%rsp), %rax
	movq	40(%r12), %r11
	movq	192(%rsp), %r10
	movq	$0, 16(%rsp)
	subq	$8, %rsp
	movabsq	$_ZN6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a, %r12
	leaq	24(%rsp), %rdi
	leaq	112(%rsp), %rsi
	movq	%r15, %rdx
	movq	%r13, %rcx
	movq	%rbp, %r8
	pushq	%rax
	pushq	%r11
	pushq	%r10
	vzeroupper
	callq	*%r12
	addq	$32, %rsp
	testl	%eax, %eax
	jne	.LBB3_46
	movq	16(%rsp), %rax
	testq	%rax, %rax
	js	.LBB3_43
	addq	%rax, %rax
	orq	(%rsp), %rax
	jmp	.LBB3_44
.LBB3_43:
	movq	$-2, %rcx
	subq	(%rsp), %rcx
	cmpq	$-2, %rax
	cmoveq	%rcx, %rax
.LBB3_44:
	movq	%r14, (%rbx)
	movq	%rax, 8(%rbx)
	movq	%r13, 16(%rbx)
	movq	%rbp, 24(%rbx)
	jmp	.LBB3_30
.LBB3_45:
	movq	24(%rsp), %rcx
	movq	%rcx, (%r14)
	jmp	.LBB3_31
.LBB3_46:
	movq	8(%rsp), %rcx
	movq	$0, (%rcx)
	jmp	.LBB3_31
.Lfunc_end3:
	.size	_ZN6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a, .Lfunc_end3-_ZN6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a

	.section	.rodata.cst16,"aM",@progbits,16
	.p2align	4, 0x0
.LCPI4_0:
	.byte	32
	.byte	32
	.byte	32
	.byte	32
	.byte	32
	.byte	32
	.byte	32
	.byte	32
	.zero	1
	.zero	1
	.zero	1
	.zero	1
	.zero	1
	.zero	1
	.zero	1
	.zero	1
	.section	.ltext,"axl",@progbits
	.weak	_ZN6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a
	.p2align	4
	.type	_ZN6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a,@function
_ZN6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	subq	$104, %rsp
	movq	$0, 32(%rsp)
	movq	%r8, %r15
	cmpq	%r8, %rcx
	jge	.LBB4_5
	movabsq	$-72340172838076673, %r10
	movabsq	$-9187201950435737472, %r11
	movabsq	$6582955728264977243, %rbx
	movq	%rcx, %rax
	.p2align	4
.LBB4_2:
	movq	(%rdx,%rax), %r15
	andnq	%r11, %r15, %r14
	xorq	%rbx, %r15
	addq	%r10, %r15
	andq	%r15, %r14
	jne	.LBB4_6
	addq	$8, %rax
	cmpq	%r8, %rax
	jl	.LBB4_2
	movq	%r8, %r15
.LBB4_5:
	leaq	30(%r15), %r14
	cmpq	%r8, %r14
	jl	.LBB4_7
	jmp	.LBB4_32
.LBB4_6:
	tzcntq	%r14, %r15
	shrl	$3, %r15d
	addq	%rax, %r15
	cmpq	%r15, %r8
	cmovlq	%r8, %r15
	leaq	30(%r15), %r14
	cmpq	%r8, %r14
	jge	.LBB4_32
.LBB4_7:
	movq	%r15, %rax
	subq	%rcx, %rax
	testq	%rax, %rax
	jle	.LBB4_32
	cmpq	$8, %rax
	jae	.LBB4_10
	xorl	%ebx, %ebx
	jmp	.LBB4_20
.LBB4_10:
	movabsq	$9223372036854775776, %r10
	movabsq	$.LCPI4_0, %r12
	cmpq	$32, %rax
	jae	.LBB4_12
	xorl	%r11d, %r11d
	xorl	%ebx, %ebx
	jmp	.LBB4_16
.LBB4_12:
	vmovdqa	(%r12), %xmm1
	leaq	24(%rdx,%rcx), %rbx
	movq	%rax, %r11
	andq	%r10, %r11
	vpxor	%xmm0, %xmm0, %xmm0
	xorl	%r13d, %r13d
	vpxor	%xmm2, %xmm2, %xmm2
	vpxor	%xmm3, %xmm3, %xmm3
	vpxor	%xmm4, %xmm4, %xmm4
	.p2align	4
.LBB4_13:
	vmovq	-24(%rbx,%r13), %xmm5
	vmovq	-16(%rbx,%r13), %xmm6
	vmovq	-8(%rbx,%r13), %xmm7
	vmovq	(%rbx,%r13), %xmm8
	addq	$32, %r13
	vpcmpeqb	%xmm1, %xmm5, %k0
	vpcmpeqb	%xmm1, %xmm6, %k1
	vpcmpeqb	%xmm1, %xmm7, %k2
	vpcmpeqb	%xmm1, %xmm8, %k3
	vpmovm2q	%k0, %zmm5
	vpsubq	%zmm5, %zmm0, %zmm0
	vpmovm2q	%k1, %zmm5
	vpsubq	%zmm5, %zmm2, %zmm2
	vpmovm2q	%k2, %zmm5
	vpsubq	%zmm5, %zmm3, %zmm3
	vpmovm2q	%k3, %zmm5
	vpsubq	%zmm5, %zmm4, %zmm4
	cmpq	%r13, %r11
	jne	.LBB4_13
	vpaddq	%zmm0, %zmm2, %zmm0
	vpaddq	%zmm4, %zmm3, %zmm1
	vpaddq	%zmm1, %zmm0, %zmm0
	vextracti64x4	$1, %zmm0, %ymm1
	vpaddq	%zmm0, %zmm1, %zmm0
	vextracti128	$1, %ymm0, %xmm1
	vpaddq	%xmm0, %xmm1, %xmm0
	vpshufd	$238, %xmm0, %xmm1
	vpaddq	%xmm0, %xmm1, %xmm0
	vmovq	%xmm0, %rbx
	cmpq	%r11, %rax
	je	.LBB4_22
	testb	$24, %al
	je	.LBB4_35
.LBB4_16:
	vmovdqa	(%r12), %xmm1
	addq	$24, %r10
	vmovq	%rbx, %xmm0
	leaq	(%rdx,%rcx), %rbx
	andq	%rax, %r10
	.p2align	4
.LBB4_17:
	vmovq	(%rbx,%r11), %xmm2
	addq	$8, %r11
	vpcmpeqb	%xmm1, %xmm2, %k0
	vpmovm2q	%k0, %zmm2
	vpsubq	%zmm2, %zmm0, %zmm0
	cmpq	%r11, %r10
	jne	.LBB4_17
	vextracti64x4	$1, %zmm0, %ymm1
	vpaddq	%zmm0, %zmm1, %zmm0
	vextracti128	$1, %ymm0, %xmm1
	vpaddq	%xmm0, %xmm1, %xmm0
	vpshufd	$238, %xmm0, %xmm1
	vpaddq	%xmm0, %xmm1, %xmm0
	vmovq	%xmm0, %rbx
	cmpq	%r10, %rax
	je	.LBB4_22
	andl	$7, %eax
	addq	%r10, %rcx
.LBB4_20:
	addq	%rdx, %rcx
	addq	$5, %rax
	.p2align	4
.LBB4_21:
	xorl	%r10d, %r10d
	cmpb	$32, (%rcx)
	sete	%r10b
	incq	%rcx
	decq	%rax
	addq	%r10, %rbx
	cmpq	$5, %rax
	ja	.LBB4_21
.LBB4_22:
	cmpq	$3, %rbx
	jl	.LBB4_32
	cmpb	$32, -1(%rdx,%r15)
	jne	.LBB4_32
	cmpb	$93, 27(%rdx,%r15)
	jne	.LBB4_32
	cmpb	$32, 28(%rdx,%r15)
	jne	.LBB4_32
	cmpb	$34, 29(%rdx,%r15)
	jne	.LBB4_32
	movq	%rsi, 16(%rsp)
	movq	%rdi, (%rsp)
	leaq	1(%r15), %rcx
	movabsq	$_ZN6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a, %rax
	leaq	40(%rsp), %rdi
	leaq	32(%rsp), %rsi
	movq	%r8, 24(%rsp)
	movq	%r9, %r8
	movq	$0, 40(%rsp)
	movq	%rdx, 8(%rsp)
	vzeroupper
	callq	*%rax
	testl	%eax, %eax
	jne	.LBB4_63
	movq	40(%rsp), %rax
	movq	(%rsp), %r13
	movq	8(%rsp), %rdx
	movq	24(%rsp), %rdi
	movabsq	$-72340172838076673, %rcx
	movabsq	$-9187201950435737472, %rsi
	movabsq	$2314885530818453536, %r8
	movq	%r14, %r10
.LBB4_29:
	movq	(%rdx,%r10), %r11
	andnq	%rsi, %r11, %r9
	xorq	%r8, %r11
	addq	%rcx, %r11
	andq	%r11, %r9
	jne	.LBB4_36
	addq	$8, %r10
	cmpq	%rdi, %r10
	jl	.LBB4_29
	movq	%rdi, %r9
	jmp	.LBB4_37
.LBB4_32:
	movq	$-1, (%rdi)
	vpxor	%xmm0, %xmm0, %xmm0
	vmovdqu	%xmm0, 8(%rdi)
	movq	$0, 24(%rdi)
.LBB4_33:
	xorl	%eax, %eax
.LBB4_34:
	addq	$104, %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	vzeroupper
	retq
.LBB4_35:
	andl	$31, %eax
	addq	%r11, %rcx
	jmp	.LBB4_20
.LBB4_36:
	tzcntq	%r9, %r9
	shrl	$3, %r9d
	addq	%r10, %r9
	cmpq	%r9, %rdi
	cmovlq	%rdi, %r9
.LBB4_37:
	leaq	1(%r9), %r10
	movq	%rdi, %rbp
	cmpq	%rdi, %r10
	jge	.LBB4_43
	movq	%r10, %r11
.LBB4_39:
	movq	(%rdx,%r11), %r12
	andnq	%rsi, %r12, %rbx
	xorq	%r8, %r12
	addq	%rcx, %r12
	andq	%r12, %rbx
	jne	.LBB4_42
	addq	$8, %r11
	cmpq	%rdi, %r11
	jl	.LBB4_39
	movq	%rdi, %rbp
	jmp	.LBB4_43
.LBB4_42:
	tzcntq	%rbx, %rbp
	shrl	$3, %ebp
	addq	%r11, %rbp
	cmpq	%rbp, %rdi
	cmovlq	%rdi, %rbp
.LBB4_43:
	addq	$31, %r15
	cmpq	%r15, %r9
	jl	.LBB4_50
	cmpq	%r10, %rbp
	jle	.LBB4_50
	leaq	1(%rbp), %r8
	subq	%r8, %rdi
	cmpq	$11, %rdi
	jl	.LBB4_50
	movq	%rbp, %rdi
	subq	%r14, %rdi
	xorl	%r11d, %r11d
	leaq	(%rdx,%r14), %r9
	movq	$-1, %r15
	movabsq	$2459565876494606882, %r13
	movabsq	$6655295901103053916, %r12
	movq	%rax, 48(%rsp)
	leaq	7(%rdi), %r8
	leaq	(,%rdi,8), %r10
	shrq	$3, %r8
	testq	%rdi, %rdi
	cmovgq	%r8, %r11
.LBB4_47:
	testq	%r11, %r11
	jle	.LBB4_51
	shlxq	%r10, %r15, %rbx
	cmpq	$8, %rdi
	notq	%rbx
	cmovgeq	%r15, %rbx
	andq	(%r9), %rbx
	movq	%rbx, %rax
	xorq	%r13, %rax
	andnq	%rsi, %rbx, %r8
	addq	%rcx, %rax
	testq	%rax, %r8
	jne	.LBB4_67
	xorq	%r12, %rbx
	decq	%r11
	addq	$8, %r9
	addq	$-64, %r10
	addq	$-8, %rdi
	addq	%rcx, %rbx
	testq	%rbx, %r8
	je	.LBB4_47
	jmp	.LBB4_67
.LBB4_50:
	movq	$-1, (%r13)
	vpxor	%xmm0, %xmm0, %xmm0
	vmovdqu	%xmm0, 8(%r13)
	movq	$0, 24(%r13)
	jmp	.LBB4_33
.LBB4_51:
	leaq	1(%rbp), %rax
	movabsq	$203211166792, %rcx
	movq	(%rdx,%rax), %r13
	movb	$40, %al
	bzhiq	%rax, %r13, %rax
	cmpq	%rcx, %rax
	jne	.LBB4_67
	leaq	6(%rbp), %rcx
	movabsq	$_ZN6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax, %r12
	leaq	88(%rsp), %rdi
	leaq	80(%rsp), %rsi
	callq	*%r12
	testl	%eax, %eax
	jne	.LBB4_68
	movq	96(%rsp), %r15
	movabsq	$71776119061217280, %rax
	andq	%rax, %r13
	movabsq	$12947848928690176, %rax
	cmpq	%rax, %r13
	jne	.LBB4_56
	movq	8(%rsp), %rdx
	leaq	8(%rbp), %rcx
	leaq	64(%rsp), %rdi
	leaq	56(%rsp), %rsi
	callq	*%r12
	testl	%eax, %eax
	jne	.LBB4_68
	imulq	72(%rsp), %r15
	leaq	9(%rbp), %rax
	jmp	.LBB4_57
.LBB4_56:
	leaq	7(%rbp), %rax
.LBB4_57:
	movq	(%rsp), %rcx
	movq	8(%rsp), %rdx
	cmpq	$1, %r15
	jne	.LBB4_62
	cmpb	$34, (%rdx,%rax)
	jne	.LBB4_62
	cmpb	$32, 1(%rdx,%rax)
	jne	.LBB4_62
	leaq	2(%rax), %rdx
	addq	$5, %rax
	cmpq	24(%rsp), %rax
	jle	.LBB4_64
.LBB4_62:
	movq	$-1, (%rcx)
	vpxor	%xmm0, %xmm0, %xmm0
	vmovdqu	%xmm0, 8(%rcx)
	movq	$0, 24(%rcx)
	jmp	.LBB4_33
.LBB4_63:
	movq	32(%rsp), %rdx
	movq	16(%rsp), %rcx
	movq	%rdx, (%rcx)
	jmp	.LBB4_34
.LBB4_64:
	jge	.LBB4_66
	movq	8(%rsp), %rcx
	cmpb	$32, (%rcx,%rax)
	jne	.LBB4_67
.LBB4_66:
	movq	(%rsp), %rax
	movq	48(%rsp), %rcx
	movq	%rcx, (%rax)
	movq	%r14, 8(%rax)
	movq	%rbp, 16(%rax)
	movq	%rdx, 24(%rax)
	jmp	.LBB4_33
.LBB4_67:
	movq	(%rsp), %rax
	vpxor	%xmm0, %xmm0, %xmm0
	movq	$-1, (%rax)
	vmovdqu	%xmm0, 8(%rax)
	movq	$0, 24(%rax)
	jmp	.LBB4_33
.LBB4_68:
	movq	16(%rsp), %rcx
	movq	$0, (%rcx)
	jmp	.LBB4_34
.Lfunc_end4:
	.size	_ZN6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a, .Lfunc_end4-_ZN6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a

	.section	.rodata,"a",@progbits
	.p2align	6, 0x0
.LCPI5_0:
	.zero	8
	.quad	1
	.quad	1
	.quad	1
	.quad	1
	.quad	1
	.quad	1
	.quad	1
.LCPI5_1:
	.quad	0
	.quad	1
	.quad	2
	.quad	3
	.quad	4
	.quad	5
	.quad	6
	.quad	7
.LCPI5_2:
	.zero	8
	.quad	10
	.quad	10
	.quad	10
	.quad	10
	.quad	10
	.quad	10
	.quad	10
	.section	.ltext,"axl",@progbits
	.weak	_ZN6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax
	.p2align	4
	.type	_ZN6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@function
_ZN6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	movq	(%rdx,%rcx), %rsi
	movabsq	$3472328296227680304, %rax
	movabsq	$9187201950435737470, %r8
	movabsq	$8536140394893047414, %r10
	movabsq	$-9187201950435737472, %r9
	movl	$8, %r15d
	movq	%rsi, %r14
	xorq	%rax, %r14
	movq	%r14, %r11
	andq	%r8, %r11
	addq	%r10, %r11
	orq	%rsi, %r11
	andq	%r9, %r11
	tzcntq	%r11, %rsi
	shrl	$3, %esi
	testq	%r11, %r11
	cmovneq	%rsi, %r15
	cmpq	$7, %r15
	ja	.LBB5_3
	testq	%r15, %r15
	je	.LBB5_10
	leal	(,%r15,8), %esi
	negb	%sil
	shlxq	%rsi, %r14, %r14
.LBB5_3:
	movq	$-1, %rsi
	testq	%r15, %r15
	je	.LBB5_32
.LBB5_4:
	leaq	(%r14,%r14,4), %r12
	shrq	$8, %r14
	movabsq	$71777214294589695, %rbx
	movabsq	$281470681808895, %r11
	addq	%r15, %rcx
	leaq	(%r14,%r12,2), %r14
	andq	%rbx, %r14
	imulq	$100, %r14, %r12
	shrq	$16, %r14
	addq	%r12, %r14
	andq	%r11, %r14
	imull	$10000, %r14d, %ebp
	shrq	$32, %r14
	addl	%ebp, %r14d
	cmpl	$8, %r15d
	jne	.LBB5_17
	movq	(%rdx,%rcx), %r15
	movq	%r15, %r13
	xorq	%rax, %r13
	movq	%r13, %rbp
	andq	%r8, %rbp
	addq	%r10, %rbp
	orq	%r15, %rbp
	movl	$8, %r15d
	andq	%r9, %rbp
	tzcntq	%rbp, %r12
	shrl	$3, %r12d
	testq	%rbp, %rbp
	cmovneq	%r12, %r15
	cmpq	$7, %r15
	ja	.LBB5_8
	testq	%r15, %r15
	je	.LBB5_11
	leal	(,%r15,8), %ebp
	negb	%bpl
	shlxq	%rbp, %r13, %r13
.LBB5_8:
	cmpl	$2, %r15d
	ja	.LBB5_28
.LBB5_12:
	leaq	(%r13,%r13,4), %rbp
	shrq	$8, %r13
	leaq	(%r13,%rbp,2), %r13
	andq	%rbx, %r13
	imulq	$100, %r13, %rbp
	shrq	$16, %r13
	addq	%rbp, %r13
	andq	%r11, %r13
	imull	$10000, %r13d, %ebp
	shrq	$32, %r13
	addl	%ebp, %r13d
	testq	%r15, %r15
	je	.LBB5_14
	movabsq	$.LCPI5_0, %rbp
	cmpq	$1, %r12
	vmovdqa64	(%rbp), %zmm0
	adcq	$-1, %r12
	movabsq	$.LCPI5_2, %rbp
	vpbroadcastq	%r12, %zmm2
	movabsq	$.LCPI5_1, %r12
	vpcmpltq	(%r12), %zmm2, %k1
	vmovdqa64	(%rbp), %zmm2
	vpinsrq	$0, %r14, %xmm0, %xmm1
	addl	%r14d, %r14d
	leaq	(%r14,%r14,4), %r14
	vpinsrq	$0, %r14, %xmm2, %xmm3
	vinserti32x4	$0, %xmm3, %zmm2, %zmm2
	vinserti64x2	$0, %xmm1, %zmm0, %zmm2 {%k1}
	vextracti64x4	$1, %zmm2, %ymm0
	vpmullq	%zmm0, %zmm2, %zmm0
	vextracti128	$1, %ymm0, %xmm1
	vpmullq	%xmm1, %xmm0, %xmm0
	vpshufd	$238, %xmm0, %xmm1
	vpmullq	%xmm1, %xmm0, %xmm0
	vmovq	%xmm0, %r14
.LBB5_14:
	addq	%r13, %r14
	movabsq	$9223372035, %r12
	cmpq	%r12, %r14
	ja	.LBB5_28
	addq	%r15, %rcx
.LBB5_17:
	imulq	$1000000000, %r14, %r14
	cmpb	$46, (%rdx,%rcx)
	jne	.LBB5_31
	movq	1(%rdx,%rcx), %r13
	movq	%r13, %r12
	xorq	%rax, %r12
	movq	%r12, %r15
	andq	%r8, %r15
	addq	%r10, %r15
	orq	%r13, %r15
	andq	%r9, %r15
	je	.LBB5_21
	tzcntq	%r15, %r13
	movl	%r13d, %r15d
	shrl	$3, %r15d
	je	.LBB5_28
	andb	$56, %r13b
	bzhiq	%r13, %r12, %r12
	jmp	.LBB5_22
.LBB5_10:
	xorl	%r14d, %r14d
	movq	$-1, %rsi
	testq	%r15, %r15
	jne	.LBB5_4
	jmp	.LBB5_32
.LBB5_21:
	movl	$8, %r15d
.LBB5_22:
	leaq	(%r12,%r12,4), %r13
	shrq	$8, %r12
	incq	%rcx
	addq	%r15, %rcx
	leaq	(%r12,%r13,2), %r12
	andq	%rbx, %r12
	imulq	$100, %r12, %r13
	shrq	$16, %r12
	addq	%r13, %r12
	andq	%r11, %r12
	imull	$10000, %r12d, %ebp
	shrq	$32, %r12
	addl	%ebp, %r12d
	leaq	(%r12,%r12,4), %r12
	leaq	(%r14,%r12,2), %r14
	cmpq	$8, %r15
	jne	.LBB5_31
	movq	(%rdx,%rcx), %rdx
	xorq	%rdx, %rax
	andq	%rax, %r8
	addq	%r10, %r8
	orq	%rdx, %r8
	movl	$8, %edx
	andq	%r9, %r8
	tzcntq	%r8, %r9
	shrl	$3, %r9d
	testq	%r8, %r8
	cmovneq	%r9, %rdx
	cmpq	$7, %rdx
	ja	.LBB5_28
	testq	%rdx, %rdx
	je	.LBB5_29
	cmpq	$1, %rdx
	jne	.LBB5_28
	leal	(,%rdx,8), %esi
	negb	%sil
	shlxq	%rsi, %rax, %rax
	jmp	.LBB5_30
.LBB5_11:
	xorl	%r13d, %r13d
	cmpl	$2, %r15d
	jbe	.LBB5_12
.LBB5_28:
	xorl	%r15d, %r15d
	jmp	.LBB5_32
.LBB5_29:
	xorl	%eax, %eax
.LBB5_30:
	leaq	(%rax,%rax,4), %rsi
	shrq	$8, %rax
	addq	%rdx, %rcx
	leaq	(%rax,%rsi,2), %rax
	andq	%rbx, %rax
	imulq	$100, %rax, %rsi
	shrq	$16, %rax
	addq	%rsi, %rax
	andq	%r11, %rax
	imull	$10000, %eax, %esi
	shrq	$32, %rax
	addl	%esi, %eax
	addq	%rax, %r14
.LBB5_31:
	incq	%rcx
	movq	%r14, %rsi
	movq	%rcx, %r15
.LBB5_32:
	movq	%rsi, (%rdi)
	movq	%r15, 8(%rdi)
	xorl	%eax, %eax
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	vzeroupper
	retq
.Lfunc_end5:
	.size	_ZN6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax, .Lfunc_end5-_ZN6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax

	.weak	_ZN6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a
	.p2align	4
	.type	_ZN6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a,@function
_ZN6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	movq	64(%rsp), %r10
	movq	56(%rsp), %rax
	movq	%r10, %r11
	andq	%r9, %r11
	leaq	(,%r11,4), %rsi
	shlq	$5, %r11
	movq	16(%rax,%r11), %r15
	testq	%r15, %r15
	je	.LBB6_15
	movq	72(%rsp), %r11
	subq	%rcx, %r8
	shlq	$2, %r10
	cmpq	$8, %r8
	jl	.LBB6_10
	leaq	(,%r8,8), %r14
	leaq	8(%r8), %rbx
	addq	%rcx, %rdx
	jmp	.LBB6_3
	.p2align	4
.LBB6_9:
	addq	$4, %rsi
	andq	%r10, %rsi
	movq	16(%rax,%rsi,8), %r15
	testq	%r15, %r15
	je	.LBB6_15
.LBB6_3:
	cmpq	%r8, %r15
	jne	.LBB6_9
	cmpq	%r9, (%rax,%rsi,8)
	jne	.LBB6_9
	movq	8(%rax,%rsi,8), %rcx
	xorl	%r12d, %r12d
	movq	%r14, %r15
	movq	%rbx, %r13
	addq	%r11, %rcx
	.p2align	4
.LBB6_6:
	movq	(%rdx,%r12,8), %rbp
	cmpq	(%rcx,%r12,8), %rbp
	jne	.LBB6_9
	addq	$-8, %r13
	addq	$-64, %r15
	incq	%r12
	cmpq	$15, %r13
	jg	.LBB6_6
	movq	(%rcx,%r12,8), %rcx
	xorq	(%rdx,%r12,8), %rcx
	bzhiq	%r15, %rcx, %rcx
	jne	.LBB6_9
	jmp	.LBB6_15
.LBB6_10:
	leal	(,%r8,8), %ebx
	movq	$-1, %r14
	shlxq	%rbx, %r14, %rbx
	notq	%rbx
	jmp	.LBB6_11
	.p2align	4
.LBB6_14:
	addq	$4, %rsi
	andq	%r10, %rsi
	movq	16(%rax,%rsi,8), %r15
	testq	%r15, %r15
	je	.LBB6_15
.LBB6_11:
	cmpq	%r8, %r15
	jne	.LBB6_14
	cmpq	%r9, (%rax,%rsi,8)
	jne	.LBB6_14
	movq	8(%rax,%rsi,8), %r14
	movq	(%r11,%r14), %r14
	xorq	(%rdx,%rcx), %r14
	testq	%rbx, %r14
	jne	.LBB6_14
.LBB6_15:
	cmpq	$0, 16(%rax,%rsi,8)
	je	.LBB6_18
	movq	24(%rax,%rsi,8), %rax
	jmp	.LBB6_17
.LBB6_18:
	movq	$-2, %rax
.LBB6_17:
	movq	%rax, (%rdi)
	xorl	%eax, %eax
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	retq
.Lfunc_end6:
	.size	_ZN6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a, .Lfunc_end6-_ZN6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a

	.weak	_ZN6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a
	.p2align	4
	.type	_ZN6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a,@function
_ZN6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	subq	$24, %rsp
	movq	$0, (%rsp)
	movq	%r8, %rbx
	movq	%rdi, %r14
	movq	(%rdx,%rcx), %r12
	movq	8(%rdx,%rcx), %r13
	movq	16(%rdx,%rcx), %rbp
	movq	18(%rdx,%rcx), %r15
	cmpq	(%r8), %r12
	jne	.LBB7_6
	cmpq	8(%rbx), %r13
	jne	.LBB7_6
	cmpq	16(%rbx), %rbp
	jne	.LBB7_6
	cmpq	24(%rbx), %r15
	jne	.LBB7_6
	movq	32(%rbx), %rax
	jmp	.LBB7_5
.LBB7_6:
	movabsq	$_ZN6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax, %rax
	leaq	8(%rsp), %rdi
	movq	%rsi, 16(%rsp)
	movq	%rsp, %rsi
	movq	$0, 8(%rsp)
	callq	*%rax
	testl	%eax, %eax
	jne	.LBB7_8
	movq	8(%rsp), %rax
	movq	%r12, (%rbx)
	movq	%r13, 8(%rbx)
	movq	%rbp, 16(%rbx)
	movq	%r15, 24(%rbx)
	movq	%rax, 32(%rbx)
.LBB7_5:
	movq	%rax, (%r14)
	xorl	%eax, %eax
.LBB7_9:
	addq	$24, %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	retq
.LBB7_8:
	movq	(%rsp), %rcx
	movq	16(%rsp), %rdx
	movq	%rcx, (%rdx)
	jmp	.LBB7_9
.Lfunc_end7:
	.size	_ZN6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a, .Lfunc_end7-_ZN6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a

	.weak	_ZN6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax
	.p2align	4
	.type	_ZN6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@function
_ZN6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax:
	movq	(%rdx,%rcx), %rax
	movabsq	$3472328296227680304, %rcx
	movabsq	$9187201950435737470, %rdx
	movabsq	$8536140394893047414, %rsi
	xorq	%rax, %rcx
	andq	%rcx, %rdx
	addq	%rdx, %rsi
	orq	%rax, %rsi
	movabsq	$-9187201950435737472, %rax
	andq	%rsi, %rax
	tzcntq	%rax, %rdx
	shrl	$3, %edx
	testq	%rax, %rax
	movl	$8, %eax
	cmovneq	%rdx, %rax
	cmpq	$7, %rax
	ja	.LBB8_3
	testq	%rax, %rax
	je	.LBB8_2
	leal	(,%rax,8), %edx
	negb	%dl
	shlxq	%rdx, %rcx, %rcx
	jmp	.LBB8_3
.LBB8_2:
	xorl	%ecx, %ecx
.LBB8_3:
	leaq	(%rcx,%rcx,4), %rdx
	shrq	$8, %rcx
	leaq	(%rcx,%rdx,2), %rcx
	movabsq	$71777214294589695, %rdx
	andq	%rcx, %rdx
	imulq	$100, %rdx, %rcx
	shrq	$16, %rdx
	addq	%rcx, %rdx
	movabsq	$281470681808895, %rcx
	andq	%rdx, %rcx
	imull	$10000, %ecx, %edx
	shrq	$32, %rcx
	addl	%edx, %ecx
	movq	%rcx, (%rdi)
	movq	%rax, 8(%rdi)
	xorl	%eax, %eax
	retq
.Lfunc_end8:
	.size	_ZN6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax, .Lfunc_end8-_ZN6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax

	.weak	_ZN6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax
	.p2align	4
	.type	_ZN6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@function
_ZN6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	subq	$104, %rsp
	movq	(%rdx,%rcx), %r11
	movabsq	$3472328296227680304, %r8
	movabsq	$9187201950435737470, %rax
	movq	%rsi, 40(%rsp)
	movabsq	$8536140394893047414, %r9
	movabsq	$-9187201950435737472, %r12
	movq	%rdi, 8(%rsp)
	movq	%r11, %r10
	xorq	%r8, %r10
	movq	%r11, 80(%rsp)
	movq	%r10, %rsi
	andq	%rax, %rsi
	addq	%r9, %rsi
	orq	%r11, %rsi
	andq	%r12, %rsi
	tzcntq	%rsi, %r13
	shrl	$3, %r13d
	testq	%rsi, %rsi
	movl	$8, %esi
	cmoveq	%rsi, %r13
	cmpq	$7, %r13
	ja	.LBB9_26
	testq	%r13, %r13
	je	.LBB9_2
	leal	(,%r13,8), %edi
	negb	%dil
	shlxq	%rdi, %r10, %r10
	jmp	.LBB9_26
.LBB9_2:
	xorl	%r10d, %r10d
.LBB9_26:
	movq	7(%rdx,%rcx), %rbx
	movq	%rbx, %r11
	xorq	%r8, %r11
	movq	%rbx, 72(%rsp)
	movq	%r11, %rdi
	andq	%rax, %rdi
	addq	%r9, %rdi
	orq	%rbx, %rdi
	andq	%r12, %rdi
	tzcntq	%rdi, %rbx
	shrl	$3, %ebx
	testq	%rdi, %rdi
	cmoveq	%rsi, %rbx
	cmpq	$7, %rbx
	ja	.LBB9_30
	testq	%rbx, %rbx
	je	.LBB9_28
	leal	(,%rbx,8), %esi
	negb	%sil
	shlxq	%rsi, %r11, %r11
.LBB9_30:
	movq	%r11, 24(%rsp)
.LBB9_31:
	movq	12(%rdx,%rcx), %rsi
	movl	$8, %r14d
	movq	%r10, 48(%rsp)
	movq	%rsi, %r11
	xorq	%r8, %r11
	movq	%rsi, 64(%rsp)
	movq	%r11, %rdi
	andq	%rax, %rdi
	addq	%r9, %rdi
	orq	%rsi, %rdi
	andq	%r12, %rdi
	tzcntq	%rdi, %rsi
	shrl	$3, %esi
	testq	%rdi, %rdi
	cmoveq	%r14, %rsi
	cmpq	$7, %rsi
	ja	.LBB9_35
	testq	%rsi, %rsi
	je	.LBB9_33
	leal	(,%rsi,8), %edi
	negb	%dil
	shlxq	%rdi, %r11, %r11
.LBB9_35:
	movq	%r11, 16(%rsp)
.LBB9_36:
	movq	15(%rdx,%rcx), %rdi
	movq	%rdi, %r15
	xorq	%r8, %r15
	movq	%rdi, 56(%rsp)
	movq	%r15, %r10
	andq	%rax, %r10
	addq	%r9, %r10
	orq	%rdi, %r10
	andq	%r12, %r10
	tzcntq	%r10, %rdi
	shrl	$3, %edi
	testq	%r10, %r10
	cmoveq	%r14, %rdi
	cmpq	$7, %rdi
	ja	.LBB9_40
	testq	%rdi, %rdi
	je	.LBB9_38
	leal	(,%rdi,8), %r10d
	negb	%r10b
	shlxq	%r10, %r15, %r15
	jmp	.LBB9_40
.LBB9_28:
	movq	$0, 24(%rsp)
	jmp	.LBB9_31
.LBB9_33:
	movq	$0, 16(%rsp)
	jmp	.LBB9_36
.LBB9_38:
	xorl	%r15d, %r15d
.LBB9_40:
	movq	18(%rdx,%rcx), %r11
	movq	%r11, %rbp
	xorq	%r8, %rbp
	movq	%r11, 32(%rsp)
	movq	%rbp, %r10
	andq	%rax, %r10
	addq	%r9, %r10
	orq	%r11, %r10
	andq	%r12, %r10
	tzcntq	%r10, %r14
	shrl	$3, %r14d
	testq	%r10, %r10
	movl	$8, %r10d
	cmoveq	%r10, %r14
	cmpq	$7, %r14
	ja	.LBB9_44
	testq	%r14, %r14
	je	.LBB9_42
	leal	(,%r14,8), %r11d
	negb	%r11b
	shlxq	%r11, %rbp, %rbp
	jmp	.LBB9_44
.LBB9_42:
	xorl	%ebp, %ebp
.LBB9_44:
	movq	22(%rdx,%rcx), %r11
	xorq	%r11, %r8
	andq	%r8, %rax
	addq	%r9, %rax
	orq	%r11, %rax
	andq	%r12, %rax
	tzcntq	%rax, %r12
	shrl	$3, %r12d
	testq	%rax, %rax
	cmoveq	%r10, %r12
	cmpq	$7, %r12
	ja	.LBB9_48
	testq	%r12, %r12
	je	.LBB9_46
	leal	(,%r12,8), %eax
	negb	%al
	shlxq	%rax, %r8, %r8
	jmp	.LBB9_48
.LBB9_46:
	xorl	%r8d, %r8d
.LBB9_48:
	movq	3(%rdx,%rcx), %rdx
	movl	%edx, %eax
	andl	$16777215, %eax
	cmpq	$7365970, %rax
	jg	.LBB9_58
	cmpl	$7107913, %eax
	jg	.LBB9_54
	cmpl	$6448454, %eax
	je	.LBB9_67
	cmpl	$6513988, %eax
	je	.LBB9_74
	cmpl	$6780225, %eax
	jne	.LBB9_76
	movl	$8, %r9d
	jmp	.LBB9_57
.LBB9_58:
	cmpl	$7627598, %eax
	jg	.LBB9_63
	cmpl	$7365971, %eax
	je	.LBB9_71
	cmpl	$7496013, %eax
	je	.LBB9_68
	cmpl	$7499841, %eax
	jne	.LBB9_76
	movl	$4, %r9d
	jmp	.LBB9_57
.LBB9_54:
	cmpl	$7107914, %eax
	je	.LBB9_70
	cmpl	$7233866, %eax
	je	.LBB9_56
	cmpl	$7238986, %eax
	jne	.LBB9_76
	movl	$6, %r9d
	jmp	.LBB9_57
.LBB9_63:
	cmpl	$7627599, %eax
	je	.LBB9_72
	cmpl	$7761742, %eax
	je	.LBB9_73
	cmpl	$7954765, %eax
	jne	.LBB9_76
	movl	$5, %r9d
	jmp	.LBB9_57
.LBB9_67:
	movl	$2, %r9d
	movb	$1, %cl
	xorl	%eax, %eax
	jmp	.LBB9_77
.LBB9_71:
	movl	$9, %r9d
	jmp	.LBB9_57
.LBB9_70:
	movl	$7, %r9d
	jmp	.LBB9_57
.LBB9_72:
	movl	$10, %r9d
	jmp	.LBB9_57
.LBB9_74:
	movl	$12, %r9d
	jmp	.LBB9_57
.LBB9_68:
	movl	$3, %r9d
	jmp	.LBB9_57
.LBB9_56:
	movl	$1, %r9d
	jmp	.LBB9_57
.LBB9_73:
	movl	$11, %r9d
.LBB9_57:
	xorl	%eax, %eax
	xorl	%ecx, %ecx
.LBB9_77:
	imull	%r13d, %esi
	imull	%edi, %r14d
	imull	%esi, %r14d
	cmpl	$16, %r14d
	jne	.LBB9_4
	xorq	$4, %rbx
	xorq	$4, %r12
	orq	%rbx, %r12
	setne	%sil
	orb	%al, %sil
	cmpb	$1, %sil
	je	.LBB9_4
	movq	32(%rsp), %rax
	shrq	$24, %rax
	cmpb	$43, %al
	je	.LBB9_9
	movzbl	%al, %eax
	cmpl	$45, %eax
	jne	.LBB9_4
.LBB9_9:
	movq	32(%rsp), %rax
	andl	$16711680, %eax
	cmpl	$2097152, %eax
	jne	.LBB9_4
	movq	80(%rsp), %rax
	andl	$16711680, %eax
	cmpl	$3080192, %eax
	jne	.LBB9_4
	andl	$-16777216, %edx
	cmpl	$788529152, %edx
	jne	.LBB9_4
	movq	72(%rsp), %rdx
	movabsq	$1095216660480, %rax
	andq	%rax, %rdx
	movabsq	$249108103168, %rax
	xorq	%rdx, %rax
	movq	64(%rsp), %rdx
	andl	$16711680, %edx
	xorq	$3801088, %rdx
	orq	%rax, %rdx
	movq	56(%rsp), %rax
	andl	$16711680, %eax
	xorq	$3801088, %rax
	orq	%rdx, %rax
	jne	.LBB9_4
	movq	24(%rsp), %rdx
	movabsq	$71777214294589695, %rsi
	movabsq	$281470681808895, %rdi
	movq	%r9, %r13
	leaq	(%rdx,%rdx,4), %rax
	shrq	$8, %rdx
	leaq	(%rdx,%rax,2), %rdx
	andq	%rsi, %rdx
	imulq	$100, %rdx, %rax
	shrq	$16, %rdx
	addq	%rax, %rdx
	movq	%rdx, %rax
	andq	%rdi, %rax
	imulq	$10000, %rax, %r9
	shrq	$32, %rax
	addq	%r9, %rax
	movl	%eax, %r9d
	leaq	-2262(%r9), %r10
	cmpq	$-291, %r10
	jb	.LBB9_4
	movq	16(%rsp), %r11
	leaq	(%r11,%r11,4), %r10
	shrq	$8, %r11
	leaq	(%r11,%r10,2), %rbx
	andq	%rsi, %rbx
	imulq	$100, %rbx, %r10
	shrq	$16, %rbx
	addq	%r10, %rbx
	andq	%rdi, %rbx
	movl	%ebx, %r10d
	imull	$10000, %r10d, %r10d
	shrq	$32, %rbx
	addl	%r10d, %ebx
	cmpl	$23, %ebx
	ja	.LBB9_4
	leaq	(%r15,%r15,4), %r10
	shrq	$8, %r15
	leaq	(%r15,%r10,2), %r14
	andq	%rsi, %r14
	imulq	$100, %r14, %r10
	shrq	$16, %r14
	addq	%r10, %r14
	andq	%rdi, %r14
	movl	%r14d, %r10d
	imull	$10000, %r10d, %r10d
	shrq	$32, %r14
	addl	%r10d, %r14d
	cmpl	$59, %r14d
	ja	.LBB9_4
	leaq	(%rbp,%rbp,4), %r10
	shrq	$8, %rbp
	leaq	(%rbp,%r10,2), %r15
	andq	%rsi, %r15
	imulq	$100, %r15, %r10
	shrq	$16, %r15
	addq	%r10, %r15
	andq	%rdi, %r15
	movl	%r15d, %r10d
	imull	$10000, %r10d, %r10d
	shrq	$32, %r15
	addl	%r10d, %r15d
	cmpl	$60, %r15d
	jae	.LBB9_4
	leaq	(%r8,%r8,4), %r10
	shrq	$8, %r8
	leaq	(%r8,%r10,2), %r8
	andq	%rsi, %r8
	imulq	$100, %r8, %r10
	shrq	$16, %r8
	addq	%r10, %r8
	andq	%rdi, %r8
	imulq	$10000, %r8, %r10
	shrq	$32, %r8
	addq	%r10, %r8
	movl	%r8d, %r10d
	imulq	$1374389535, %r10, %r12
	movl	%r8d, %ebp
	shrq	$37, %r12
	imull	$100, %r12d, %r10d
	subl	%r10d, %ebp
	cmpl	$59, %ebp
	jbe	.LBB9_18
.LBB9_4:
	movq	8(%rsp), %rax
	movq	$-1, (%rax)
.LBB9_5:
	xorl	%eax, %eax
.LBB9_6:
	addq	$104, %rsp
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	retq
.LBB9_76:
	movb	$1, %al
	xorl	%ecx, %ecx
	xorl	%r9d, %r9d
	jmp	.LBB9_77
.LBB9_18:
	cmpl	$2399, %r8d
	ja	.LBB9_4
	movq	48(%rsp), %r10
	leaq	(%r10,%r10,4), %r8
	shrq	$8, %r10
	leaq	(%r10,%r8,2), %r8
	andq	%rsi, %r8
	imulq	$100, %r8, %rsi
	shrq	$16, %r8
	addq	%rsi, %r8
	andq	%rdi, %r8
	movl	%r8d, %esi
	imull	$10000, %esi, %esi
	shrq	$32, %r8
	addl	%esi, %r8d
	testq	%r8, %r8
	je	.LBB9_4
	testb	%cl, %cl
	je	.LBB9_78
	movabsq	$12884901888, %rcx
	testq	%rcx, %rdx
	jne	.LBB9_24
	imull	$23593, %eax, %edx
	movl	$29, %ecx
	rorw	$2, %dx
	cmpw	$655, %dx
	ja	.LBB9_79
	movzwl	%ax, %edx
	shrl	$4, %edx
	imull	$2622, %edx, %edx
	shrl	$16, %edx
	imull	$400, %edx, %edx
	subl	%edx, %eax
	testw	%ax, %ax
	je	.LBB9_79
.LBB9_24:
	movl	$28, %ecx
	jmp	.LBB9_79
.LBB9_78:
	movq	%r13, %rax
	movl	%eax, %ecx
	shrl	$3, %ecx
	addq	%r13, %rcx
	orq	$30, %rcx
.LBB9_79:
	cmpl	%ecx, %r8d
	ja	.LBB9_4
	movabsq	$_ZN6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx, %rax
	leaq	88(%rsp), %rdi
	leaq	96(%rsp), %rsi
	movq	%r9, %rdx
	movq	%r13, %rcx
	callq	*%rax
	testl	%eax, %eax
	je	.LBB9_82
	cmpl	$-2, %eax
	jne	.LBB9_83
.LBB9_82:
	movq	88(%rsp), %rax
	imull	$60, %r12d, %ecx
	movq	32(%rsp), %rsi
	addl	%ebp, %ecx
	imull	$60, %ecx, %ecx
	leaq	(%rax,%rax,2), %rax
	andl	$-16777216, %esi
	leaq	(%rbx,%rax,8), %rax
	movq	%rcx, %rdx
	negq	%rdx
	cmpl	$754974720, %esi
	cmoveq	%rcx, %rdx
	movq	8(%rsp), %rcx
	imulq	$60, %rax, %rax
	addq	%r14, %rax
	imulq	$60, %rax, %rax
	addq	%rax, %r15
	addq	%rdx, %r15
	imulq	$1000000000, %r15, %rax
	movq	%rax, (%rcx)
	jmp	.LBB9_5
.LBB9_83:
	movq	40(%rsp), %rcx
	movq	$0, (%rcx)
	jmp	.LBB9_6
.Lfunc_end9:
	.size	_ZN6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax, .Lfunc_end9-_ZN6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax

	.weak	_ZN6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx
	.p2align	4
	.type	_ZN6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx,@function
_ZN6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx:
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%rbx
	movq	%rdx, %r9
	leaq	9(%rcx), %rax
	movabsq	$3074457345618258603, %rdx
	imulq	%rdx
	movq	%rdx, %rax
	shrq	$63, %rax
	shrq	%rdx
	addq	%rax, %rdx
	shlq	$2, %rdx
	leaq	(%rdx,%rdx,2), %rax
	movabsq	$6640827866535438581, %rdx
	negq	%rax
	leaq	9(%rcx,%rax), %r11
	xorl	%eax, %eax
	cmpq	$3, %rcx
	setl	%al
	subq	%rax, %r9
	leal	12(%r11), %ebx
	movq	%r9, %rax
	imulq	%rdx
	movq	%r9, %rcx
	imulq	$365, %r9, %r10
	sarq	$2, %rcx
	movq	%rdx, %rsi
	subq	%r9, %rsi
	movabsq	$-6640827866535438581, %rdx
	movq	%rsi, %rax
	shrq	$63, %rax
	sarq	$6, %rsi
	addq	%rax, %rsi
	movq	%r9, %rax
	imulq	%rdx
	addq	%r9, %rdx
	movq	%rdx, %rax
	movq	%rdx, %r14
	sarq	$6, %rax
	shrq	$63, %r14
	sarq	$8, %rdx
	addq	%r14, %rax
	addq	%r14, %rdx
	imulq	$100, %rax, %r15
	imulq	$400, %rdx, %r14
	movq	%r9, %rax
	subq	%r15, %rax
	subq	%r14, %r9
	shrq	$63, %rax
	sarq	$63, %r9
	testq	%r11, %r11
	cmovnsl	%r11d, %ebx
	addq	%r8, %rcx
	imull	$153, %ebx, %r11d
	addq	%r10, %rcx
	addq	%rdx, %rcx
	addq	%rsi, %rcx
	addl	$2, %r11d
	addq	%r9, %rcx
	movswl	%r11w, %ebx
	addq	%rax, %rcx
	imull	$26215, %ebx, %ebx
	movl	%ebx, %ebp
	shrl	$31, %ebp
	sarl	$17, %ebx
	addl	%ebp, %ebx
	leal	(%rbx,%rbx,4), %ebp
	subl	%ebp, %r11d
	movswl	%r11w, %r11d
	sarl	$15, %r11d
	addl	%ebx, %r11d
	movswq	%r11w, %r11
	leaq	-719469(%r11,%rcx), %rax
	movq	%rax, (%rdi)
	xorl	%eax, %eax
	popq	%rbx
	popq	%r14
	popq	%r15
	popq	%rbp
	retq
.Lfunc_end10:
	.size	_ZN6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx, .Lfunc_end10-_ZN6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx

	.type	_ZN08NumbaEnv6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled7kernels10scan_entryB2v1B56c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAg6cJqBrMeIZJFEGM0QQAE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a8int64_2a,8,8
	.type	".const.Error creating Python tuple from runtime exception arguments",@object
	.section	.lrodata,"al",@progbits
	.p2align	4, 0x0
".const.Error creating Python tuple from runtime exception arguments":
	.asciz	"Error creating Python tuple from runtime exception arguments"
	.size	".const.Error creating Python tuple from runtime exception arguments", 61

	.type	".const.unknown error when calling native function",@object
	.p2align	4, 0x0
".const.unknown error when calling native function":
	.asciz	"unknown error when calling native function"
	.size	".const.unknown error when calling native function", 43

	.type	".const.<numba.core.cpu.CPUContext>",@object
	.p2align	4, 0x0
".const.<numba.core.cpu.CPUContext>":
	.asciz	"<numba.core.cpu.CPUContext>"
	.size	".const.<numba.core.cpu.CPUContext>", 28

	.type	_ZN08NumbaEnv6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4scan4scanB2v2B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a8int64_2a8int64_2a8int64_2a,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4scan5_readB2v8B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a8uint8_2a8int64_2a8int64_2a8uint8_2a8int64_2a,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line3clfB2v9B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8int64_2a,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line5_findB3v10B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line5_findB3v10B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line7_spacesB3v12B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line7_spacesB3v12B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line5_dateB3v13B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax8int64_2a,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line10_read_dateB3v14B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line6_monthB3v20B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line6_monthB3v20B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,8,8
	.type	_ZN08NumbaEnv5numba7cpython7listobj6in_seq12_3clocals_3e17seq_contains_implB3v23B42c8tJTC_2fWQA93W1AaAIYBPIqRBFCjDSZRVAJmaQIAE8UniTupleIxLi2EEh,@object
	.comm	_ZN08NumbaEnv5numba7cpython7listobj6in_seq12_3clocals_3e17seq_contains_implB3v23B42c8tJTC_2fWQA93W1AaAIYBPIqRBFCjDSZRVAJmaQIAE8UniTupleIxLi2EEh,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line13_month_lengthB3v21B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line13_month_lengthB3v21B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line5_daysB3v22B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExxx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line5plainB3v24B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8uint8_2axx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line5plainB3v24B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8uint8_2axx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line6_stampB3v25B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line9_fractionB3v26B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line9_fractionB3v26B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line6numberB3v15B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line7_digitsB3v16B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line7_digitsB3v16B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5words7shiftedB3v18B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5words7shiftedB3v18B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4line6_valueB3v19B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4line6_valueB3v19B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4scan12hash_requestB3v27B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4scan12hash_requestB3v27B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx,8,8
	.type	_ZN08NumbaEnv5numba7cpython8builtins6ol_min12_3clocals_3e4implB3v11B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE15StarArgUniTupleIxLi2EE,@object
	.comm	_ZN08NumbaEnv5numba7cpython8builtins6ol_min12_3clocals_3e4implB3v11B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE15StarArgUniTupleIxLi2EE,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5table9hash_stepB3v28B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5table9hash_stepB3v28B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4scan10_has_spaceB3v29B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4scan10_has_spaceB3v29B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled4scan6_untilB2v3B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled4scan6_untilB2v3B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5words4findB2v5B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5words4findB2v5B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled7kernels8_ov_wrap12_3clocals_3e12_3clambda_3eB2v6B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled7kernels8_ov_wrap12_3clocals_3e12_3clambda_3eB2v6B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled7kernels6_ov_fb12_3clocals_3e12_3clambda_3eB2v7B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled7kernels6_ov_fb12_3clocals_3e12_3clambda_3eB2v7B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dEx,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5table6lookupB3v30B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5table7_bucketB3v31B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5table7_bucketB3v31B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axxx8int64_2ax8uint8_2a,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5table5_sameB3v32B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8uint8_2ax,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5table5_sameB3v32B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2axx8uint8_2ax,8,8
	.type	_ZN08NumbaEnv6slomon8compiled7kernels8_ov_load12_3clocals_3e12_3clambda_3eB2v4B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,@object
	.comm	_ZN08NumbaEnv6slomon8compiled7kernels8_ov_load12_3clocals_3e12_3clambda_3eB2v4B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dE8uint8_2ax,8,8
	.type	_ZN08NumbaEnv6slomon8compiled5words7leadingB3v17B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,@object
	.comm	_ZN08NumbaEnv6slomon8compiled5words7leadingB3v17B54c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsBAw4hWqFpgsIBZmgA_3dExx,8,8
	.section	".note.GNU-stack","",@progbits
