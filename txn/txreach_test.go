package txn_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	recovery "github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// commitCutOff commits a transaction as a process does that dies before it can end it.
func commitCutOff(t *testing.T, tx *txn.OpenTx) {
	t.Helper()
	kept := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.CopyFS(kept, os.DirFS(tx.Info().Dir)))
	_, err := tx.Commit(context.Background(), txn.CommitOptions{})
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(tx.Info().Dir, os.DirFS(kept)))
}

// documents are the files of a directory, as texts.
func documents(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	all := map[string]string{}
	for _, name := range names {
		all[name] = read(t, name)
	}
	return all
}

func TestCommitAgainChangesNothing(t *testing.T) {
	ctx := context.Background()
	for name, between := range map[string]func(*txn.Store){
		"another commit": func(s *txn.Store) { set(t, s, "a.json", "/m", 1) },
		"many": func(s *txn.Store) {
			set(t, s, "b.json", "/n", 7)
			set(t, s, "a.json", "/n", 5)
			set(t, s, "a.json", "/m", 1)
		},
		"the content it began with": func(s *txn.Store) { set(t, s, "a.json", "/n", 1); set(t, s, "b.json", "/n", 1) },
		"one removed": func(s *txn.Store) {
			_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
			require.NoError(t, err)
		},
		"one moved": func(s *txn.Store) { _, err := s.Move(ctx, "a.json", "c.json"); require.NoError(t, err) },
	} {
		for _, rebase := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Setenv("XDG_STATE_HOME", t.TempDir())
				s, dir := openStore(t)
				write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
				set(t, s, "b.json", "/n", 1)
				tx := stage(t, s, 2, "a.json", "b.json")
				commitCutOff(t, tx)
				between(s)
				before := documents(t, dir)
				again, err := s.Resume(ctx, tx.ID())
				require.NoError(t, err)
				res, err := again.Commit(ctx, txn.CommitOptions{Rebase: rebase})
				require.NoError(t, err)
				require.Equal(t, tx.ID(), res.ID.String())
				require.Len(t, res.Files, 2, "both are named")
				require.Equal(t, uint64(2), res.Files[1].Rev)
				require.Equal(t, before, documents(t, dir))
				_, err = s.Resume(ctx, tx.ID())
				require.ErrorIs(t, err, txn.ErrNotFound)
			})
		}
	}
}

// Whether a transaction was committed can't be told from a history that is not kept.
func TestCommitWhereTheHistoryIsNotKept(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	s, _ := openStore(t)
	set(t, s, "a.json", "/n", 1)
	tx := stage(t, s, 2, "a.json")
	commitCutOff(t, tx)
	for n := range 5 {
		set(t, s, "a.json", "/m", strings.Repeat(strconv.Itoa(n), 40<<10)) // images come between
	}
	done, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 1})
	require.NoError(t, err)
	require.Greater(t, done[0].Oldest, uint64(2))
	_, err = tx.Commit(ctx, txn.CommitOptions{Rebase: true})
	require.ErrorIs(t, err, txn.ErrConflict)
	require.Equal(t, "2", get(t, s, "a.json", "/n"))
}

func TestAbortOfWhatWasCommitted(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, _ := openStore(t)
	set(t, s, "a.json", "/n", 1)
	tx := stage(t, s, 2, "a.json")
	commitCutOff(t, tx)
	require.ErrorContains(t, tx.Abort(context.Background()), "was committed already")
	require.NoDirExists(t, tx.Info().Dir)
	require.Equal(t, "2", get(t, s, "a.json", "/n"))
}

func TestRecoverEndsWhatWasCommitted(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	s, _ := openStore(t)
	set(t, s, "a.json", "/n", 1)
	open := stage(t, s, 3, "a.json")
	tx := stage(t, s, 2, "a.json")
	commitCutOff(t, tx)
	r, err := admin.Recover(ctx, s, nil, admin.RecoverOptions{DryRun: true})
	require.NoError(t, err)
	require.DirExists(t, tx.Info().Dir)
	require.Equal(t, []string{tx.Info().Dir}, r.Removed)
	r, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{tx.Info().Dir}, r.Removed)
	require.NoDirExists(t, tx.Info().Dir)
	require.Len(t, r.Open, 1)
	require.Equal(t, open.ID(), r.Open[0].ID)
}

// What is left of a transaction that was cut off while it was made or ended.
func TestPiecesOfTransactionsAreRemoved(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	ctx := context.Background()
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	tx := stage(t, s, 2, "a.json")
	require.NoError(t, os.Remove(filepath.Join(tx.Info().Dir, "tx.json")))
	const made = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".jtx", "tx", made), 0o700))
	other := filepath.Join(dir, "other")
	require.NoError(t, os.Mkdir(other, 0o755))
	gone := stage(t, s, 1, "other/x.json")
	require.NoError(t, os.RemoveAll(other))
	open := stage(t, s, 3, "a.json")
	r, err := admin.Recover(ctx, s, nil, admin.RecoverOptions{DryRun: true})
	require.NoError(t, err)
	require.DirExists(t, tx.Info().Dir)
	dry := r.Removed
	r, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Subset(t, r.Removed, dry)
	left, err := os.ReadDir(filepath.Join(dir, ".jtx", "tx"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, open.ID(), left[0].Name())
	links, err := os.ReadDir(filepath.Join(state, "jtx", "tx"))
	require.NoError(t, err)
	require.Len(t, links, 1, "%s leads nowhere", gone.ID())
	require.Equal(t, open.ID(), links[0].Name())
}

func TestACopyOfAnOpenTransactionWorksOnTheCopy(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	base := t.TempDir()
	orig, copied := filepath.Join(base, "t"), filepath.Join(base, "t2")
	require.NoError(t, os.Mkdir(orig, 0o755))
	s, err := txn.Open(orig, txn.Options{})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 1)
	tx := stage(t, s, 2, "a.json", "b.json")
	require.NoError(t, s.Close())
	require.NoError(t, os.CopyFS(copied, os.DirFS(orig)))
	in, err := txn.Open(copied, txn.Options{})
	require.NoError(t, err)
	again, err := in.Resume(ctx, tx.ID())
	require.NoError(t, err)
	require.Equal(t, filepath.Join(copied, "a.json"), again.Info().Files[0].File)
	_, err = again.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"n":1}`, read(t, filepath.Join(orig, "a.json")))
	require.JSONEq(t, `{"n":2}`, read(t, filepath.Join(copied, "a.json")))
	require.NoFileExists(t, filepath.Join(orig, "b.json"))
	s, err = txn.Open(orig, txn.Options{})
	require.NoError(t, err)
	tx, err = s.Resume(ctx, tx.ID())
	require.NoError(t, err)
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err, "and the original still has its own")
	require.JSONEq(t, `{"n":2}`, read(t, filepath.Join(orig, "b.json")))
}

func TestAMovedWorkspaceKeepsItsOpenTransactions(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	base := t.TempDir()
	from, to := filepath.Join(base, "t"), filepath.Join(base, "t3")
	require.NoError(t, os.MkdirAll(filepath.Join(from, "sub"), 0o755))
	s, err := txn.Open(from, txn.Options{})
	require.NoError(t, err)
	_, _, err = s.Init(ctx, from)
	require.NoError(t, err)
	set(t, s, "sub/a.json", "/n", 1)
	tx := stage(t, s, 2, "sub/a.json")
	require.NoError(t, s.Close())
	require.NoError(t, os.Rename(from, to))
	moved, err := txn.Open(to, txn.Options{})
	require.NoError(t, err)
	again, err := moved.Resume(ctx, tx.ID())
	require.NoError(t, err)
	require.NoError(t, again.Update(ctx, nil, func(tx *txn.Tx) error { return tx.Set("sub/a.json", "/m", 3) }))
	_, err = again.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"n":2,"m":3}`, read(t, filepath.Join(to, "sub", "a.json")))
	require.NoDirExists(t, from)
}

// A transaction over two workspaces, whose first one is copied, or moved.
func TestWhatReachesOutOfACopyIsRefused(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	base := t.TempDir()
	orig, copied, other := filepath.Join(base, "t"), filepath.Join(base, "t2"), filepath.Join(base, "other")
	for _, dir := range []string{orig, other} {
		require.NoError(t, os.Mkdir(dir, 0o755))
	}
	s, err := txn.Open(orig, txn.Options{})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 1)
	set(t, s, filepath.Join(other, "b.json"), "/n", 1)
	tx := stage(t, s, 2, "a.json", filepath.Join(other, "b.json"))
	require.NoError(t, s.Close())
	require.NoError(t, os.CopyFS(copied, os.DirFS(orig)))
	in, err := txn.Open(copied, txn.Options{})
	require.NoError(t, err)
	again, err := in.Resume(ctx, tx.ID())
	require.NoError(t, err)
	_, err = again.Commit(ctx, txn.CommitOptions{})
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.ErrorContains(t, err, filepath.Join(other, "b.json"))
	require.ErrorIs(t, again.Update(ctx, nil, func(*txn.Tx) error { return nil }), txn.ErrInvalid)
	require.JSONEq(t, `{"n":1}`, read(t, filepath.Join(copied, "a.json")))
	require.NoError(t, again.Abort(ctx))
	s, err = txn.Open(orig, txn.Options{})
	require.NoError(t, err)
	tx, err = s.Resume(ctx, tx.ID())
	require.NoError(t, err, "the copy took nothing from the original")
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"n":2}`, read(t, filepath.Join(other, "b.json")))
}

// Somebody else's transaction, in a directory that was fetched say, names a file outside.
func TestAForeignTransactionReachesNothingOutside(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	base := t.TempDir()
	dir, outside := filepath.Join(base, "w"), filepath.Join(base, "outside")
	for _, d := range []string{dir, outside} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 1)
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	for _, file := range []string{filepath.Join(outside, "x.json"), "link/x.json"} {
		home := filepath.Join(dir, ".jtx", "tx", id)
		require.NoError(t, os.Mkdir(home, 0o700))
		write(t, filepath.Join(home, "0.now"), `{"evil":1}`)
		write(t, filepath.Join(home, "tx.json"), `{"id":"`+id+`","created":"`+time.Now().UTC().Format(time.RFC3339)+`","files":[{"file":"`+file+
			`","pinned":"absent","now":"0.now","ops":[{"op":"add","path":"","value":{"evil":1}}],"changed":true,"token":7}]}`)
		tx, err := s.Resume(ctx, id)
		require.NoError(t, err)
		_, err = tx.Commit(ctx, txn.CommitOptions{})
		require.ErrorIs(t, err, txn.ErrInvalid)
		_, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{TTL: time.Nanosecond})
		require.NoError(t, err)
		made, err := os.ReadDir(outside)
		require.NoError(t, err)
		require.Empty(t, made, file)
		require.NoDirExists(t, home)
	}
}

// What was staged for a file that then was not made holds what nobody committed.
func TestStagedContentOfAFileThatWasNotMade(t *testing.T) {
	s, dir := openStore(t)
	_, err := s.Do(context.Background(), []string{"b.json"}, func(tx *txn.Tx) error { return tx.Set("b.json", "", 1) })
	require.NoError(t, err) // else there would be no workspace
	_, err = s.Do(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return errors.New("dies here") })
	require.Error(t, err)
	require.NoError(t, s.Close())
	s, err = txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	staged := []string{recovery.Temp(filepath.Join(dir, "a.json"))}
	write(t, staged[0], `{"secret":1}`)
	r, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, staged, r.Removed)
	require.FileExists(t, staged[0])
	r, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Equal(t, staged, r.Removed)
	require.NoFileExists(t, staged[0])
}
