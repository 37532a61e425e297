//go:build !amd64

package jsonpatch

const hasBlocks = false

func classifyBlocks(*byte, int, *stringState, *bracketMasks) {
	panic("there are no blocks on this processor")
}
