//go:build !amd64

package jsonpatch

func hasBlocks() bool { return false }

func classifyBlocks(*byte, int, *stringState, *bracketMasks) {
	panic("there are no blocks on this processor")
}
