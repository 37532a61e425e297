package admin_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	recovery "github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

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
