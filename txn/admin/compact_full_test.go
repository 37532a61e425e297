package admin_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// TestCompactOnAFullDisk: wherever there is no room any more, the journal stays as it is,
// nothing is left of the new one, and it is said how much room that takes; also where
// values are to be taken out of it.
func TestCompactOnAFullDisk(t *testing.T) {
	ctx := context.Background()
	for name, shrink := range map[string]func(*txn.Store) error{
		"compact": func(s *txn.Store) error { _, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 3}); return err },
		"redact":  func(s *txn.Store) error { _, err := admin.Redact(ctx, s, "a.json", "/n"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			said := 0
			for at := 0; ; at++ {
				dir := t.TempDir()
				full := fsys.NewFailing(fsys.OS, fsys.Fault{Call: at, Ops: []string{"open", "mkdir", "link", "write"}, Err: syscall.ENOSPC, Forever: true})
				if shrinkOn(t, dir, full, shrink) {
					said++
				}
				if full.Failed() == 0 {
					require.Greater(t, said, 2)
					return
				}
			}
		})
	}
}

// shrinkOn tells whether a journal could not be made anew, and it was said what that takes.
func shrinkOn(t *testing.T, dir string, full *fsys.Failing, shrink func(*txn.Store) error) bool {
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	for i := range 20 {
		set(t, s, "a.json", "/n", i)
	}
	on, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: full}))
	require.NoError(t, err)
	err = shrink(on)
	said := false
	if full.Failed() == 0 {
		require.NoError(t, err)
	}
	if err != nil {
		require.ErrorIs(t, err, syscall.ENOSPC)
		if _, done := os.Stat(filepath.Join(dir, ".jtx/files/a.json/wal.1")); done != nil {
			require.ErrorContains(t, err, " bytes are needed until the old journal is removed")
			said = true
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".jtx/files/a.json/wal.*.tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, "19", get(t, s, "a.json", "/n"))
	verify(t, s)
	return said
}
