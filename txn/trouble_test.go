package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// rot flips a bit in the first record of a file's journal.
func rot(t *testing.T, dir, file string) {
	t.Helper()
	at := filepath.Join(dir, ".jtx", "files", file)
	path := ""
	require.NoError(t, filepath.WalkDir(at, func(name string, _ os.DirEntry, err error) error {
		if filepath.Base(name) == "00000000000000000001" {
			path = name
		}
		return err
	}))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[60] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
	r, err := wal.Inspect(fsys.OS, at)
	require.NoError(t, err)
	require.NotEmpty(t, r.Damage)
}

// TestOneFilesTroubleIsNotTheOthers: whatever works on all files names the one that it
// can't work on, and does the others.
func TestOneFilesTroubleIsNotTheOthers(t *testing.T) {
	ctx := context.Background()
	all := map[string]func(t *testing.T, s *txn.Store, dir string) error{
		"backup": func(t *testing.T, s *txn.Store, dir string) error {
			m, err := admin.Backup(ctx, s, filepath.Join(dir, "..", "backup"), admin.BackupOptions{})
			require.NotNil(t, m)
			require.Len(t, m.Files, 2)
			return err
		},
		"compact": func(t *testing.T, s *txn.Store, _ string) error {
			done, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 1})
			require.Len(t, done, 2)
			return err
		},
		"history": func(t *testing.T, s *txn.Store, _ string) (last error) {
			n := 0
			for _, err := range history.Log(ctx, s, nil, history.LogOptions{}) {
				if last = err; err == nil {
					n++
				}
			}
			require.Equal(t, 4, n)
			return last
		},
		"verify": func(t *testing.T, s *txn.Store, _ string) error {
			list, err := admin.Verify(ctx, s, nil, admin.VerifyOptions{})
			require.NoError(t, err)
			require.Len(t, list, 3)
			require.NoError(t, list[0].Err)
			require.NoError(t, list[2].Err)
			return list[1].Err
		},
		"status": func(t *testing.T, s *txn.Store, _ string) error {
			st, err := admin.Status(ctx, s, nil)
			require.NoError(t, err)
			require.Len(t, st.Files, 3)
			require.Equal(t, "clean", st.Files[0].Condition)
			return st.Files[1].Err
		},
		"restore all": func(t *testing.T, s *txn.Store, dir string) error {
			at := time.Now()
			for _, name := range []string{"a.json", "c.json"} {
				set(t, s, name, "/n", 3)
			}
			_, err := history.RestoreAll(ctx, s, history.AtTime(at))
			require.Contains(t, read(t, filepath.Join(dir, "a.json")), `"n": 2`)
			require.Contains(t, read(t, filepath.Join(dir, "c.json")), `"n": 2`)
			return err
		},
	}
	for name, do := range all {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ws")
			require.NoError(t, os.Mkdir(dir, 0o755))
			s, err := txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			for _, file := range []string{"a.json", "b.json", "c.json"} {
				set(t, s, file, "/n", 1)
				set(t, s, file, "/n", 2)
			}
			require.NoError(t, s.Close())
			rot(t, dir, "b.json")
			s, err = txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			defer s.Close()
			err = do(t, s, dir)
			require.ErrorIs(t, err, txn.ErrDamaged)
			require.ErrorContains(t, err, "b.json")
		})
	}
}
