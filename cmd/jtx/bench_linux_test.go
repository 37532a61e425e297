package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBenchLeavesNothingBehindWhenInterrupted interrupts it in a store that is kept
// open, and while processes take turns.
func TestBenchLeavesNothingBehindWhenInterrupted(t *testing.T) {
	for _, c := range []struct{ each, made string }{
		{"5s", "*/doc0.json"},
		{"1ms", "*/*/doc.json"},
	} {
		dir := t.TempDir()
		cmd := jtx(t, dir, "bench", "--time", c.each)
		code, stderr := signalled(t, syscall.SIGINT, cmd, func(int) bool {
			found, err := filepath.Glob(filepath.Join(dir, ".jtx-bench-*", c.made))
			return err == nil && len(found) > 0
		})
		require.Equal(t, 130, code, stderr)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, stderr)
	}
}
