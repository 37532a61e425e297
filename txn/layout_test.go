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
