package admin_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// What another file of a transaction would have asked the journal is settled before
// that is removed.
func TestForgetSettlesTheOthersFirst(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	_, err := s.Do(ctx, []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
		if err := tx.Set("a.json", "/n", 1); err != nil {
			return err
		}
		return tx.Set("b.json", "/n", 1)
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())

	// b.json as a crash between the two renames leaves it: its record is there, and
	// neither `state` nor the file.
	b := filepath.Join(dir, "b.json")
	require.NoError(t, os.Remove(b))
	require.NoError(t, os.Remove(filepath.Join(dir, ".jtx", "files", "b.json", "lock")))

	s, err = txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	require.NoError(t, admin.Forget(ctx, s, "a.json"))
	report, err := admin.Recover(ctx, s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Empty(t, report.Files)
	require.FileExists(t, b)
	require.FileExists(t, filepath.Join(dir, "a.json"))
	require.NoError(t, s.Close())
}
