package txn_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// The forms with a context end with it, as those of database/sql do.
func TestContextEndsTheForms(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, txn.DoContext(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error {
		return tx.Set("a.json", "/n", 1)
	}))
	require.NoError(t, txn.ViewContext(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error {
		_, err := tx.Get("a.json", "/n")
		return err
	}))
	require.NoError(t, txn.UpdateContext(t.Context(), "a.json", func(v *map[string]int) error {
		(*v)["n"]++
		return nil
	}))

	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	require.ErrorIs(t, txn.DoContext(ctx, []string{"a.json"}, func(tx *txn.Tx) error {
		return tx.Set("a.json", "/n", 3)
	}), reason)
	require.ErrorIs(t, txn.UpdateContext(ctx, "a.json", func(v *map[string]int) error {
		(*v)["n"] = 3
		return nil
	}), reason)
	text, err := os.ReadFile("a.json")
	require.NoError(t, err)
	require.JSONEq(t, `{"n": 2}`, string(text))
}

// A result names the files as the caller did.
func TestResultNamesFilesAsGiven(t *testing.T) {
	dir := t.TempDir()
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	given := []string{"./a.json", filepath.Join(dir, "b.json")}
	set := func(tx *txn.Tx) error {
		return errors.Join(tx.Set(given[0], "/n", 1), tx.Set(given[1], "/n", 1))
	}
	for _, opts := range [][]txn.Option{{txn.DryRun()}, nil} {
		res, err := s.Do(t.Context(), given, set, opts...)
		require.NoError(t, err)
		require.Len(t, res.Files, 2)
		for i, f := range res.Files {
			require.Equal(t, given[i], f.File)
		}
	}
}

func TestOpenWithoutDirectory(t *testing.T) {
	dir := t.TempDir()
	_, err := txn.Open(filepath.Join(dir, "sub"), txn.Options{})
	require.ErrorIs(t, err, txn.ErrNotFound)
	require.ErrorContains(t, err, "no such directory")
	file := filepath.Join(dir, "a.json")
	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
	_, err = txn.Open(file, txn.Options{})
	require.ErrorIs(t, err, txn.ErrInvalid)
}

func TestUpdateOfNothingMakesNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, txn.Update("a.json", func(*struct{ N int }) error { return nil }))
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, left)

	require.NoError(t, txn.Update("a.json", func(v *struct{ N int }) error { v.N = 1; return nil }))
	require.FileExists(t, "a.json")
}

// A transaction that changes nothing leaves nothing behind, and nothing that the next
// one, which may follow at once, could miss.
func TestUnchangedThenChanged(t *testing.T) {
	t.Run("no file", func(t *testing.T) { unchangedThenChanged(t, t.TempDir()) })
	t.Run("a file", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte("{}\n"), 0o600))
		unchangedThenChanged(t, dir)
	})
}

func unchangedThenChanged(t *testing.T, dir string) {
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	for i := range 3 {
		res, err := s.Do(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error { return nil })
		require.NoError(t, err)
		require.True(t, res.ID.IsZero())
		if i == 0 {
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			for _, entry := range left {
				require.Equal(t, "a.json", entry.Name())
			}
		}
		_, err = s.Do(t.Context(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", i+1) })
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	entries := 0
	for _, err := range history.Log(t.Context(), s, []string{"a.json"}, history.LogOptions{}) {
		require.NoError(t, err)
		entries++
	}
	require.GreaterOrEqual(t, entries, 3)
}
