package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// A first change that came to nothing, and a reboot: nothing is there to settle,
// and `state` is of another boot for good. A view over such a file and one that
// no workspace covers must not wait for it.
func TestViewAfterARebootBesideAnUncoveredFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
	files := []string{"a.json", "b.json", "d/c.json"}
	for _, name := range files {
		write(t, filepath.Join(dir, name), `{"n":1}`)
	}
	seen := 0
	for call := 1; call < 80; call++ {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, ".jtx")))
		failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: call, Forever: true})
		boot := func(n byte, fsy fsys.FS) *txn.Store {
			s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{n}, FS: fsy}))
			require.NoError(t, err)
			return s
		}
		_, err := boot(1, failing).Do(context.Background(), files[:2], func(tx *txn.Tx) error {
			return tx.Set("a.json", "/n", 2)
		})
		if err == nil {
			break
		}
		seen++
		_, err = admin.Recover(context.Background(), boot(1, fsys.OS), nil, admin.RecoverOptions{})
		require.NoError(t, err)
		require.NoError(t, boot(2, fsys.OS).View(context.Background(), files, func(tx *txn.Tx) error {
			for _, name := range files {
				v, err := tx.Get(name, "/n")
				require.NoError(t, err)
				require.Contains(t, []string{"1", "2"}, string(v))
			}
			return nil
		}), "call %d", call)
		write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	}
	require.Greater(t, seen, 10)
}
