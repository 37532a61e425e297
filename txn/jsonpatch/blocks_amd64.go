package jsonpatch

import "golang.org/x/sys/cpu"

var hasBlocks = cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ

// classifyBlocks fills n masks for the n blocks that start at text, and brings
// state from the start of the first to the end of the last. It needs AVX2 and
// PCLMULQDQ.
//
//go:noescape
func classifyBlocks(text *byte, n int, state *stringState, masks *bracketMasks)
