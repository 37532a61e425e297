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
