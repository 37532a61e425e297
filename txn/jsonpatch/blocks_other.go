//go:build !amd64

package jsonpatch

const hasBlocks = false

func classifyBlocks(*byte, int, *blockMasks) { panic("there are no blocks on this processor") }
