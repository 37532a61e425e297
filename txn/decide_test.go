package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
)

// halfGone is a store in another boot, after a unit of p/a.json and q/b.json that was
// acknowledged at level journal, and whose second file has gone with its history.
func halfGone(t *testing.T) (s *txn.Store, dir string, unit wal.ID) {
	dir = t.TempDir()
	open := func(boot byte) *txn.Store {
		s, err := txn.Open(dir, txntest.With(txn.Options{Actor: "ann", Durability: txn.Journal}, txntest.Hooks{Boot: [16]byte{boot}}))
		require.NoError(t, err)
		return s
	}
	s = open(1)
	for _, f := range []string{"p/a.json", "q/b.json"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755))
		write(t, filepath.Join(dir, f), `{"n":1}`)
		set(t, s, f, "/n", 2)
	}
	res, err := s.Do(context.Background(), []string{"p/a.json", "q/b.json"}, func(tx *txn.Tx) error {
		if err := tx.Set("p/a.json", "/n", 3); err != nil {
			return err
		}
		return tx.Set("q/b.json", "/n", 3)
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "q")))
	return open(2), dir, res.ID
}

// TestWhatWasStagedProvesTheCommit: a unit one file of which has gone is no riddle
// while what it staged stands under the name of another.
func TestWhatWasStagedProvesTheCommit(t *testing.T) {
	s, _, unit := halfGone(t)
	require.Equal(t, "3", get(t, s, "p/a.json", "/n"))
	set(t, s, "p/a.json", "/n", 4)
	_, err := admin.Decide(context.Background(), s, unit, false)
	require.ErrorIs(t, err, txn.ErrNotFound, "it is not in doubt")
	verify(t, s)
}

// TestDecide: where nothing proves it, reading works, changing does not, and a person
// decides.
func TestDecide(t *testing.T) {
	ctx := context.Background()
	for _, committed := range []bool{true, false} {
		s, dir, unit := halfGone(t)
		a := filepath.Join(dir, "p/a.json")
		write(t, a+"2", read(t, a))
		require.NoError(t, os.Rename(a+"2", a)) // the same bytes in another file
		require.Equal(t, "3", get(t, s, "p/a.json", "/n"))
		_, err := s.Do(ctx, []string{"p/a.json"}, func(tx *txn.Tx) error { return tx.Set("p/a.json", "/n", 4) })
		require.ErrorIs(t, err, txn.ErrInDoubt)
		var doubt *recovery.InDoubtError
		require.ErrorAs(t, err, &doubt)
		require.Equal(t, filepath.Join(dir, "q/b.json"), doubt.Path)

		_, err = admin.Decide(ctx, s, wal.NewID(), committed)
		require.ErrorIs(t, err, txn.ErrNotFound)
		report, err := admin.Decide(ctx, s, unit, committed)
		require.NoError(t, err)
		require.Len(t, report, 1)
		require.NoError(t, report[0].Err)
		verify(t, s)
		_, err = history.ReadVersion(ctx, s, "p/a.json", history.AtTx(unit))
		require.Equal(t, committed, err == nil, err)
		set(t, s, "p/a.json", "/n", 5)
		verify(t, s)
	}
}
