package admin_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	recovery "github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
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

// TestOnlyChangeInDoubt: a file whose only record is of a unit that can't be decided is
// told so, by status and by whoever looks, and not that nobody has changed it; also where
// no sync has covered the record yet.
func TestOnlyChangeInDoubt(t *testing.T) {
	ctx, doubts := context.Background(), 0
	for at := 0; ; at++ {
		dir := t.TempDir()
		for _, sub := range []string{"p", "q"} {
			require.NoError(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
			s, err := txn.Open(filepath.Join(dir, sub), txn.Options{})
			require.NoError(t, err)
			_, _, err = s.Init(ctx, filepath.Join(dir, sub))
			require.NoError(t, err)
		}
		dead := fsys.NewFailing(fsys.OS, fsys.Fault{Call: at, Forever: true})
		s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: dead}))
		require.NoError(t, err)
		_, _ = s.Do(ctx, []string{"p/a.json", "q/b.json"}, func(tx *txn.Tx) error {
			return errors.Join(tx.Set("p/a.json", "/n", 1), tx.Set("q/b.json", "/n", 1))
		})
		if dead.Failed() == 0 {
			require.Greater(t, doubts, 1)
			return
		}
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "q")))
		var marks []txn.Mark
		s, err = txn.Open(dir, txn.Options{OnMark: func(m txn.Mark) { marks = append(marks, m) }})
		require.NoError(t, err)
		st, err := admin.Status(ctx, s, []string{"p"})
		require.NoError(t, err)
		if _, err := s.Do(ctx, []string{"p/a.json"}, func(*txn.Tx) error { return nil }); !errors.Is(err, txn.ErrInDoubt) {
			continue
		}
		doubts++
		require.Len(t, st.Files, 1)
		require.Equal(t, "in-doubt", st.Files[0].Condition)
		for _, err := range history.Log(ctx, s, []string{"p/a.json"}, history.LogOptions{}) {
			require.ErrorIs(t, err, txn.ErrNotFound)
			require.ErrorContains(t, err, "its only change is in doubt")
		}
		require.Len(t, marks, 1)
		require.Equal(t, txn.MarkInDoubt, marks[0].Kind)
	}
}
