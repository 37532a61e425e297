package jsonpatch

import "sync"

// hasBlocks tells whether there is AVX2 and PCLMULQDQ, and the system keeps those
// registers. To ask is a trap in a virtual machine, some µs each, so nobody does who
// reads a short text; golang.org/x/sys/cpu asks much more, at each start.
var hasBlocks = sync.OnceValue(func() bool {
	const (
		pclmul, osxsave, avx = 1 << 1, 1 << 27, 1 << 28 // leaf 1, ECX
		avx2                 = 1 << 5                   // leaf 7, EBX
		sseAndAVX            = 3 << 1                   // XCR0
	)
	highest, _, _ := cpuid(0)
	if highest < 7 {
		return false
	}
	_, _, features := cpuid(1)
	if features&(pclmul|osxsave|avx) != pclmul|osxsave|avx || xgetbv()&sseAndAVX != sseAndAVX {
		return false
	}
	_, more, _ := cpuid(7)
	return more&avx2 != 0
})

// cpuid asks the processor about one leaf, of subleaf 0.
//
//go:noescape
func cpuid(leaf uint32) (eax, ebx, ecx uint32)

// xgetbv is the lower half of XCR0. It needs OSXSAVE.
//
//go:noescape
func xgetbv() uint32

// classifyBlocks fills n masks for the n blocks that start at text, and brings
// state from the start of the first to the end of the last. It needs AVX2 and
// PCLMULQDQ.
//
//go:noescape
func classifyBlocks(text *byte, n int, state *stringState, masks *bracketMasks)
