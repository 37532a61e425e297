package jsonpatch

import "golang.org/x/sys/cpu"

var hasBlocks = cpu.X86.HasAVX2

// classifyBlocks fills n masks for the n blocks that start at text. It needs
// AVX2.
//
//go:noescape
func classifyBlocks(text *byte, n int, masks *blockMasks)
