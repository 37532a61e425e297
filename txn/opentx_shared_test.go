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
)

// A transaction that somebody else put into the workspace names what it likes.
func TestAnOpenTransactionNamesNothingOutside(t *testing.T) {
	const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	for name, text := range map[string]string{
		"id":        `{"id":"../../precious","created":"2001-01-01T00:00:00Z"}`,
		"base":      `{"id":"` + id + `","created":"2001-01-01T00:00:00Z","files":[{"file":"/a.json","base":"../../../precious"}]}`,
		"now":       `{"id":"` + id + `","created":"2001-01-01T00:00:00Z","files":[{"file":"/a.json","now":".."}]}`,
		"file":      `{"id":"` + id + `","created":"2001-01-01T00:00:00Z","files":[{"file":"../a.json"}]}`,
		"null file": `{"id":"` + id + `","created":"2001-01-01T00:00:00Z","files":[null]}`,
	} {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			t.Setenv("XDG_STATE_HOME", state)
			require.NoError(t, os.MkdirAll(filepath.Join(state, "jtx", "tx"), 0o700))
			precious := filepath.Join(state, "precious")
			write(t, precious, `1`)
			s, dir := openStore(t)
			write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
			set(t, s, "a.json", "/n", 2)
			home := filepath.Join(dir, ".jtx", "tx", id)
			require.NoError(t, os.Mkdir(home, 0o700))
			write(t, filepath.Join(home, "tx.json"), text)
			_, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
			require.ErrorIs(t, err, txn.ErrDamaged)
			_, err = s.Resume(context.Background(), id)
			require.ErrorIs(t, err, txn.ErrDamaged)
			require.FileExists(t, precious)
		})
	}
}

func TestOpenTransactionKnowsAFileByEachOfItsNames(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	write(t, filepath.Join(dir, "b.json"), `{"n":1}`)
	require.NoError(t, os.Symlink("a.json", filepath.Join(dir, "link.json")))
	require.NoError(t, os.Symlink("b.json", filepath.Join(dir, "turns.json")))
	tx, err := s.Begin(ctx, []string{"a.json", "link.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.Len(t, tx.Info().Files, 1)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/x", 1) }))
	require.NoError(t, tx.Update(ctx, []string{"link.json"}, func(tx *txn.Tx) error { return tx.Set("link.json", "/y", 2) }))
	require.NoError(t, tx.View(ctx, []string{"link.json"}, func(*txn.Tx) error { return nil }))
	require.True(t, tx.Info().Files[0].Read)
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.Equal(t, `{"n":1,"x":1,"y":2}`, read(t, a))

	tx, err = s.Begin(ctx, []string{"a.json", "turns.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/x", 3) }))
	require.NoError(t, os.Remove(filepath.Join(dir, "turns.json")))
	require.NoError(t, os.Symlink("a.json", filepath.Join(dir, "turns.json")))
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.ErrorIs(t, err, txn.ErrConflict)
	require.NoError(t, tx.Abort(ctx))
	verify(t, s)
}

// Who is told that a transaction was aborted must be able to rely on it.
func TestAbortAndSweepWaitForACommit(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, h, dir := openHooked(t, txn.Options{})
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }))
	other, err := txn.Open(dir, txn.Options{LockTimeout: -1})
	require.NoError(t, err)
	met := false
	h.hook = func(op, _ string) error {
		if op != "exchange" {
			return nil
		}
		met = true
		again, err := other.Resume(ctx, tx.ID())
		require.NoError(t, err)
		require.ErrorIs(t, again.Abort(ctx), txn.ErrLockTimeout)
		r, err := admin.Recover(ctx, other, []string{filepath.Join(dir, "none.json")}, admin.RecoverOptions{TTL: time.Nanosecond})
		require.NoError(t, err)
		require.Len(t, r.Open, 1)
		require.Empty(t, r.Expired)
		return nil
	}
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.True(t, met)
	require.ErrorIs(t, tx.Abort(ctx), txn.ErrNotFound)
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(dir, "a.json")))
}
