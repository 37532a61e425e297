package txn_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/history"
)

// makeMany makes files that are more than are locked one by one.
func makeMany(t *testing.T, n int) (*txn.Store, []string) {
	t.Helper()
	s, dir := openStore(t)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("f%03d.json", i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, names[i]), []byte("{\"n\":0}\n"), 0o644))
	}
	_, err := s.Do(context.Background(), names, func(tx *txn.Tx) error {
		for _, name := range names {
			if err := tx.Set(name, "/n", 1); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	return s, names
}

// TestManyFilesBesideAWriter: histories of very many files show each unit in all of its
// files or in none, while they are written, and no file is locked for that.
func TestManyFilesBesideAWriter(t *testing.T) {
	s, names := makeMany(t, 80)
	pair := []string{names[3], names[70]}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 2; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, err := s.Do(context.Background(), pair, func(tx *txn.Tx) error {
				for _, name := range pair {
					if err := tx.Set(name, "/n", i); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("write %d: %v", i, err)
				return
			}
		}
	})
	for range 6 {
		seen := map[string]uint64{}
		for e, err := range history.Log(context.Background(), s, nil, history.LogOptions{}) {
			require.NoError(t, err)
			require.Empty(t, e.Others, "%s shows a part of its unit", e.ID)
			for _, f := range e.Files {
				if below, ok := seen[f.File]; ok {
					require.Equal(t, below-1, f.Rev, "%s", f.File)
				}
				seen[f.File] = f.Rev
			}
		}
		require.Len(t, seen, len(names))
	}
	dest := filepath.Join(t.TempDir(), "b")
	m, err := admin.Backup(context.Background(), s, dest, admin.BackupOptions{})
	close(stop)
	writer.Wait()
	require.NoError(t, err)
	revs := map[backup.Path]backup.File{}
	for _, f := range m.Files {
		revs[f.Path] = f
	}
	require.Len(t, revs, len(names))
	a, b := revs[backup.Path(pair[0])], revs[backup.Path(pair[1])]
	require.Equal(t, a.Tx, b.Tx)
	require.Equal(t, a.SHA256, b.SHA256)
}
