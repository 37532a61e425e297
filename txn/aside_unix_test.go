//go:build unix

package txn_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

// What was set aside is for its owner alone, whatever the file's mode and the umask: the
// mode may be part of the damage.
func TestWhatIsSetAsideIsForItsOwner(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	name := filepath.Join(dir, "a.json")
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set := func() error {
		_, err := s.Do(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/v", 1) })
		return err
	}
	require.NoError(t, os.WriteFile(name, []byte("{}\n"), 0o666))
	require.NoError(t, set())
	require.NoError(t, os.WriteFile(name, []byte("{"), 0o666))
	require.ErrorIs(t, set(), txn.ErrDamaged)
	kept, err := filepath.Glob(filepath.Join(dir, ".jtx", "files", "a.json", "damaged", "*"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	info, err := os.Lstat(kept[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	info, err = os.Lstat(filepath.Dir(kept[0]))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}
