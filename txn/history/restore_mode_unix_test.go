//go:build unix

package history_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// A file comes back with the permissions it had, whoever removed it and whatever brings
// it back; also with those that its journal's directory can't have.
func TestFileComesBackWithItsMode(t *testing.T) {
	for _, mode := range []fs.FileMode{0o664, 0o660, 0o666, 0o600, 0o640, 0o755, 0o444} {
		t.Run(fmt.Sprintf("%o", mode), func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "a.json")
			s, err := txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			defer s.Close()
			require.NoError(t, os.WriteFile(file, []byte("{}\n"), 0o600))
			require.NoError(t, os.Chmod(file, mode))
			set := func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 1) }
			_, err = s.Do(t.Context(), []string{"a.json"}, set)
			require.NoError(t, err)
			hasMode := func() {
				t.Helper()
				info, err := os.Stat(file)
				require.NoError(t, err)
				require.Equal(t, mode, info.Mode())
			}

			require.NoError(t, os.Remove(file))
			_, err = history.Restore(t.Context(), s, []string{"a.json"}, history.Point{})
			require.NoError(t, err)
			hasMode()

			res, err := s.Do(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
			require.NoError(t, err)
			_, err = history.Undo(t.Context(), s, res.ID)
			require.NoError(t, err)
			hasMode()

			// What kept others out since keeps them out.
			require.NoError(t, os.Chmod(file, mode&0o700))
			_, err = admin.Recover(t.Context(), s, []string{"a.json"}, admin.RecoverOptions{})
			require.NoError(t, err)
			require.NoError(t, os.Remove(file))
			_, err = history.Restore(t.Context(), s, []string{"a.json"}, history.Point{})
			require.NoError(t, err)
			mode &= 0o700
			hasMode()
		})
	}
}
