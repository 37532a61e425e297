package txn_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

const (
	memoryEnv   = "JTX_TEST_MEMORY" // the directory, in the process that is measured
	memoryFiles = 1000
)

// BenchmarkMemory reports rss-MB, the most memory that a process ever had resident
// which keeps a store open over a thousand files of 10 KB, reads and writes each.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestManyFilesInAProcess$", "-test.v")
		cmd.Env = append(os.Environ(), memoryEnv+"="+b.TempDir())
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		_, rest, found := strings.Cut(string(out), "VmHWM:")
		require.True(b, found, "%s", out)
		var kb float64
		_, err = fmt.Sscan(rest, &kb)
		require.NoError(b, err)
		b.ReportMetric(kb/1024, "rss-MB")
	}
}

// TestManyFilesInAProcess is that process.
func TestManyFilesInAProcess(t *testing.T) {
	dir := os.Getenv(memoryEnv)
	if dir == "" {
		t.Skip("is run by BenchmarkMemory")
	}
	s, err := txn.Open(dir, txn.Options{WriteBehind: txn.WriteBehind{Delay: time.Second}})
	require.NoError(t, err)
	doc := measure.Document(10<<10, 0)
	name := func(i int64) string { return fmt.Sprintf("doc%d.json", i%memoryFiles) }
	for i := range memoryFiles {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name(int64(i))), doc, 0o600))
	}
	var turn atomic.Int64
	left := 3 * memoryFiles
	_, err = measure.Work(64, func() bool { left--; return left >= 0 }, func(int) error {
		file, n := name(turn.Add(1)), 0
		if _, err := s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/n", 1) }); err != nil {
			return err
		}
		return s.View(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Decode(file, "/n", &n) })
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	fmt.Println("VmHWM:", strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]))
}
