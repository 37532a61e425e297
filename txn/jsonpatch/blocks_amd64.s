#include "textflag.h"

// The method is the one of Langdale and Lemire, "Parsing Gigabytes of JSON per
// Second" (2019), section 3.1.
//
// Brackets are compared after setting the bit that "[" and "{", "]" and "}"
// differ in: no other byte becomes one of the latter.

// BROADCAST fills a register with one byte.
#define BROADCAST(byte, x, y) \
	MOVL         $byte, AX \
	VMOVD        AX, x     \
	VPBROADCASTB x, y

// MASK sets in mask which bytes of Y0 and Y1 are the one that y is full of.
#define MASK(y, mask) \
	VPCMPEQB  y, Y0, Y2 \
	VPCMPEQB  y, Y1, Y3 \
	VPMOVMSKB Y2, AX    \
	VPMOVMSKB Y3, mask  \
	SHLQ      $32, mask \
	ORQ       AX, mask

// func classifyBlocks(text *byte, n int, state *stringState, masks *bracketMasks)
TEXT ·classifyBlocks(SB), NOSPLIT, $0-32
	MOVQ text+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ state+16(FP), DX
	MOVQ masks+24(FP), DI
	MOVQ 0(DX), R12
	MOVQ 8(DX), R13
	BROADCAST(0x22, X10, Y10)
	BROADCAST(0x5c, X11, Y11)
	BROADCAST(0x20, X12, Y12)
	BROADCAST(0x7b, X13, Y13)
	BROADCAST(0x7d, X14, Y14)
	VPCMPEQB X9, X9, X9
	MOVQ $0xaaaaaaaaaaaaaaaa, BX

block:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	MASK(Y10, R8)
	MASK(Y11, R9)
	VPOR Y12, Y0, Y0
	VPOR Y12, Y1, Y1
	MASK(Y13, R10)
	MASK(Y14, R11)

	// A quote that a backslash escapes is none. Of the bytes that follow one,
	// those at even places are escaped in a run that starts at an odd place,
	// and those at odd places in another. To tell them apart, adding its first
	// bit clears a run that starts at an odd place. BX has the odd places.
	MOVQ R9, AX
	ORQ  R13, AX
	JZ   strings
	MOVQ R13, AX
	NOTQ AX
	ANDQ AX, R9           // an escaped backslash escapes nothing
	LEAQ (R13)(R9*2), DX  // what follows a backslash
	NOTQ DX
	MOVQ R9, AX
	ANDQ DX, AX
	ANDQ BX, AX           // where runs start at odd places
	XORL R13, R13
	ADDQ R9, AX           // the other runs
	ADCQ $0, R13
	ADDQ AX, AX
	XORQ BX, AX
	ORQ  DX, AX           // what isn't escaped
	ANDQ AX, R8

strings:
	// The product with all ones has, in each bit, the parity of the quotes up
	// to it.
	VMOVQ      R8, X2
	VPCLMULQDQ $0, X9, X2, X2
	VMOVQ      X2, AX
	XORQ       R12, AX
	MOVQ       AX, R12
	SARQ       $63, R12
	NOTQ       AX
	ANDQ       AX, R10
	ANDQ       AX, R11
	MOVQ       R10, 0(DI)
	MOVQ       R11, 8(DI)
	ADDQ       $64, SI
	ADDQ       $16, DI
	DECQ       CX
	JNZ        block

	MOVQ state+16(FP), DX
	MOVQ R12, 0(DX)
	MOVQ R13, 8(DX)
	VZEROUPPER
	RET

// func cpuid(leaf uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	XORL CX, CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET
