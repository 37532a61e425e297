package history_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// A history that is forgotten while it is told ends there: what its versions were is not
// known any more.
func TestAHistoryIsForgottenWhileItIsTold(t *testing.T) {
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1) // makes the file
	set(t, s, "a.json", "/n", 2)
	require.NoError(t, s.Close())
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	told := 0
	for _, err := range history.Log(context.Background(), s, []string{"a.json"}, history.LogOptions{Patches: true}) {
		if err != nil {
			require.ErrorIs(t, err, txn.ErrNotFound)
			break
		}
		if told++; told == 1 {
			entry := filepath.Join(dir, ".jtx/files/a.json")
			require.NoError(t, os.RemoveAll(entry))
			require.NoError(t, os.Mkdir(entry, 0o755))
		}
	}
	require.NotZero(t, told)
}

// Patches are to be had of all changes, of none, or of those that say nothing else.
func TestPatchesOfWhatSaysNothing(t *testing.T) {
	s, _ := openStore(t)
	set(t, s, "a.json", "/n", 1)
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }, txn.WithMessage("two"))
	require.NoError(t, err)
	for o, want := range map[history.LogOptions][]int{{}: {0, 0}, {Untold: true}: {0, 1}, {Patches: true}: {1, 1}} {
		var patches []int
		for e, err := range history.Log(context.Background(), s, []string{"a.json"}, o) {
			require.NoError(t, err)
			patches = append(patches, len(e.Files[0].Patch))
		}
		require.Equal(t, want, patches)
	}
}
