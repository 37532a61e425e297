//go:build amd64

package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/cpu"
)

func TestProcessorIsKnownAsTheLibraryKnowsIt(t *testing.T) {
	require.Equal(t, cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ, hasBlocks())
}
