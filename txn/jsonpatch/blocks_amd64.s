#include "textflag.h"

// Brackets are compared after setting the bit that "[" and "{", "]" and "}"
// differ in: no other byte becomes one of the latter.

// BROADCAST fills a register with one byte.
#define BROADCAST(byte, x, y) \
	MOVL         $byte, AX \
	VMOVD        AX, x     \
	VPBROADCASTB x, y

// MASK stores at off which bytes of Y0 and Y1 are the one that y is full of.
#define MASK(y, off) \
	VPCMPEQB  y, Y0, Y2    \
	VPCMPEQB  y, Y1, Y3    \
	VPMOVMSKB Y2, AX       \
	VPMOVMSKB Y3, BX       \
	SHLQ      $32, BX      \
	ORQ       BX, AX       \
	MOVQ      AX, off(DI)

// func classifyBlocks(text *byte, n int, masks *blockMasks)
TEXT ·classifyBlocks(SB), NOSPLIT, $0-24
	MOVQ text+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ masks+16(FP), DI
	BROADCAST(0x22, X10, Y10)
	BROADCAST(0x5c, X11, Y11)
	BROADCAST(0x20, X12, Y12)
	BROADCAST(0x7b, X13, Y13)
	BROADCAST(0x7d, X14, Y14)

block:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	MASK(Y10, 0)
	MASK(Y11, 8)
	VPOR Y12, Y0, Y0
	VPOR Y12, Y1, Y1
	MASK(Y13, 16)
	MASK(Y14, 24)
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  block
	VZEROUPPER
	RET
