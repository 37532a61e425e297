package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// TestProtectedFilesAreSoonFound: of changes that follow each other not each looks for
// protected files that have appeared, but none is missed.
func TestProtectedFilesAreSoonFound(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s, err := txn.Open(dir, txn.Options{TrackProtected: true})
	require.NoError(t, err)
	set := func(n int) {
		t.Helper()
		_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", n) })
		require.NoError(t, err)
	}
	set(1)
	_, err = admin.Protect(ctx, s, []string{"p*.json"})
	require.NoError(t, err)
	for n, name := range []string{"p1.json", "p2.json", "p3.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(`{}`), 0o644))
		set(2 + n)
	}
	require.NoError(t, s.Close())
	s, err = txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	defer s.Close()
	for _, name := range []string{"p1.json", "p2.json", "p3.json"} {
		for _, err := range history.Log(ctx, s, []string{name}, history.LogOptions{}) {
			require.NoError(t, err)
		}
	}
}

// TestAVerbIsOnlyAName: what a store does doesn't depend on how the log of operations
// calls it.
func TestAVerbIsOnlyAName(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s, err := txn.Open(dir, txn.Options{Verb: "test"})
	require.NoError(t, err)
	defer s.Close()
	set(t, s, "a.json", "/n", 1)
	_, err = admin.Protect(ctx, s, []string{"p.json"})
	require.NoError(t, err)
	write(t, filepath.Join(dir, "p.json"), "{}")
	set(t, s, "a.json", "/n", 2)
	require.NoDirExists(t, filepath.Join(dir, ".jtx", "files", "p.json"))
}
