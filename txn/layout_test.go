package txn_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// A small tracked file has three inodes: its directory, one file for lock and state, one
// segment. A workspace has a fixed number beside them.
func TestThreeInodesForASmallFile(t *testing.T) {
	const files = 1000
	s, dir := openStore(t)
	_, _, err := s.Init(context.Background(), dir)
	require.NoError(t, err)
	set(t, s, "first.json", "/n", 1)
	fixed, _ := countBelow(t, filepath.Join(dir, ".jtx"))
	var names []string
	for i := range files {
		names = append(names, fmt.Sprintf("f%04d.json", i))
	}
	for i := 0; i < files; i += 100 {
		_, err := s.Do(context.Background(), names[i:i+100], func(tx *txn.Tx) error {
			for _, name := range names[i : i+100] {
				if err := tx.Set(name, "/n", i); err != nil {
					return err
				}
			}
			return nil
		}, txn.WithDurability(txn.Journal))
		require.NoError(t, err)
	}
	now, bytes := countBelow(t, filepath.Join(dir, ".jtx", "files"))
	require.Equal(t, 3*(files+1)+1, now, "and the directory of all")
	all, _ := countBelow(t, filepath.Join(dir, ".jtx"))
	require.Equal(t, fixed+3*files, all)
	t.Logf("%d inodes below .jtx for %d files, %d bytes of content each", all, files+1, bytes/(files+1))
}

// countBelow is how many inodes there are below a directory, itself counted, and the
// sizes of the files.
func countBelow(t *testing.T, dir string) (inodes int, bytes int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inodes++
		if e.Type().IsRegular() {
			info, err := os.Lstat(path)
			if err != nil {
				return err
			}
			bytes += info.Size()
		}
		return nil
	}))
	return inodes, bytes
}

// At level journal the directory is synced now and then, so that the version to which the
// name durably leads is never far behind.
func TestNamesBecomeDurableAtLevelJournal(t *testing.T) {
	s, dir := openStore(t)
	state := func() wal.State {
		st, ok, err := wal.ReadState(fsys.OS, filepath.Join(dir, ".jtx", "files", "a.json"))
		require.NoError(t, err)
		require.True(t, ok)
		return st
	}
	set(t, s, "a.json", "/n", 0)
	require.Equal(t, state().Last, state().Named, "at level full with each commit")
	var most wal.LSN
	for n := range 200 {
		set(t, s, "a.json", "/n", n+1, txn.WithDurability(txn.Journal))
		most = max(most, state().Last-state().Named)
	}
	require.Greater(t, most, wal.LSN(1))
	require.Less(t, most, wal.LSN(64))
}
