package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

func TestOpenTransaction(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	write(t, filepath.Join(dir, "b.json"), `{"n":1}`)
	tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{Message: "two at once"})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }))
	again, err := s.Resume(ctx, tx.ID()[:20])
	require.NoError(t, err)
	require.NoError(t, again.Update(ctx, []string{"b.json"}, func(tx *txn.Tx) error {
		v, err := tx.Get("a.json", "/n")
		require.Equal(t, "2", string(v))
		require.NoError(t, err)
		return tx.Patch("b.json", []byte(`[{"op":"add","path":"/m","value":3}]`))
	}))
	err = again.Update(ctx, []string{"b.json"}, func(tx *txn.Tx) error {
		return tx.Patch("b.json", []byte(`[{"op":"remove","path":"/zzz"}]`))
	})
	require.ErrorIs(t, err, txn.ErrConflict)
	require.Equal(t, `{"n":1}`, read(t, filepath.Join(dir, "a.json")))
	require.Equal(t, "1", get(t, s, "a.json", "/n"), "others don't see it")
	res, err := again.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.Len(t, res.Files, 2)
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(dir, "a.json")))
	require.Equal(t, `{"n":1,"m":3}`, read(t, filepath.Join(dir, "b.json")))
	_, err = s.Resume(ctx, tx.ID())
	require.ErrorIs(t, err, txn.ErrNotFound)
	verify(t, s)
}

func TestOpenTransactionLosesTheRace(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1,"list":[1,2]}`)
	tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/mine", 2) }))
	set(t, s, "a.json", "/n", 7)
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.ErrorIs(t, err, txn.ErrConflict)
	_, err = tx.Commit(ctx, txn.CommitOptions{Rebase: true})
	require.NoError(t, err)
	require.Equal(t, `{"n":7,"list":[1,2],"mine":2}`, read(t, filepath.Join(dir, "a.json")))

	tx, err = s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/list/1", 9) }))
	set(t, s, "a.json", "/list/-", 3)
	_, err = tx.Commit(ctx, txn.CommitOptions{Rebase: true})
	require.ErrorIs(t, err, txn.ErrConflict, "an element's index may have shifted")
	require.NoError(t, tx.Abort(ctx))
}

func TestReadFileCountsForConflicts(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	write(t, filepath.Join(dir, "b.json"), `{"n":1}`)
	tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.View(ctx, []string{"b.json"}, func(*txn.Tx) error { return nil }))
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }))
	set(t, s, "b.json", "/n", 2)
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.ErrorIs(t, err, txn.ErrConflict)
}

func TestLeaseKeepsOthersOut(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	self := lockmgr.Self()
	tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{Lock: true, Owner: &self, Command: "test"})
	require.NoError(t, err)
	quick, err := txn.Open(dir, txn.Options{LockTimeout: 20 * time.Millisecond})
	require.NoError(t, err)
	_, err = quick.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 9) })
	require.ErrorIs(t, err, txn.ErrLockTimeout)
	require.Equal(t, "1", get(t, quick, "a.json", "/n"), "readers pass")
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }))
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	set(t, quick, "a.json", "/n", 3)

	tx, err = s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{Lock: true, Owner: &self})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 4) }))
	require.NoError(t, s.BreakLease(ctx, tx.ID()))
	set(t, quick, "a.json", "/other", 1)
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	require.ErrorIs(t, err, txn.ErrConflict)
	require.NoError(t, tx.Abort(ctx))
}

func TestTheIdOfAnOpenTransactionStays(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }))
	time.Sleep(20 * time.Millisecond) // further apart than an id and its record are otherwise
	kept := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.CopyFS(kept, os.DirFS(tx.Info().Dir)))
	res, err := tx.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.Equal(t, tx.ID(), res.ID.String())
	_, err = history.Show(ctx, s, res.ID)
	require.NoError(t, err)

	// As if the process had died before it could end the transaction.
	require.NoError(t, os.CopyFS(tx.Info().Dir, os.DirFS(kept)))
	again, err := s.Resume(ctx, tx.ID())
	require.NoError(t, err)
	res, err = again.Commit(ctx, txn.CommitOptions{})
	require.NoError(t, err)
	require.Equal(t, tx.ID(), res.ID.String())
	require.NotEmpty(t, res.Warnings)
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(dir, "a.json")))
	_, err = s.Resume(ctx, tx.ID())
	require.ErrorIs(t, err, txn.ErrNotFound)
}

// A lease that is over needs no end, and so no lock; one that binds is ended before its
// transaction is forgotten, or neither is.
func TestAbortForgetsAllOrNothing(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	quick, err := txn.Open(dir, txn.Options{LockTimeout: 20 * time.Millisecond})
	require.NoError(t, err)
	begin := func(ttl time.Duration) *txn.OpenTx {
		tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{Lock: true, TTL: ttl})
		require.NoError(t, err)
		tx, err = quick.Resume(ctx, tx.ID())
		require.NoError(t, err)
		return tx
	}
	over, binding := begin(time.Nanosecond), begin(time.Hour)
	held, err := lockmgr.New().Acquire(ctx, 0, []lockmgr.Request{{Path: filepath.Join(dir, ".jtx", "files", "a.json", "lock")}})
	require.NoError(t, err)

	require.NoError(t, over.Abort(ctx))
	require.ErrorIs(t, binding.Abort(ctx), txn.ErrLockTimeout)
	again, err := quick.Resume(ctx, binding.ID())
	require.NoError(t, err, "it is not forgotten")
	require.NoError(t, held.Release())
	require.NoError(t, again.Abort(ctx))
	set(t, quick, "a.json", "/n", 3)
}

// The leases of a process that keeps them end with the transaction, at once.
func TestKeptLeases(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, dir := openStore(t)
	ctx := context.Background()
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	quick, err := txn.Open(dir, txn.Options{LockTimeout: 20 * time.Millisecond})
	require.NoError(t, err)
	for range 2 {
		tx, err := s.Begin(ctx, []string{"a.json"}, txn.BeginOptions{Lock: true, Kept: true})
		require.NoError(t, err)
		_, err = quick.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 9) })
		require.ErrorIs(t, err, txn.ErrLockTimeout)
		require.NoError(t, tx.Update(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) }))
		_, err = tx.Commit(ctx, txn.CommitOptions{})
		require.NoError(t, err)
		set(t, quick, "a.json", "/n", 3)
	}
}

// TestBeginOnAFullDisk: a transaction that can't be begun leaves nothing of itself.
func TestBeginOnAFullDisk(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	for at := 0; ; at++ {
		dir := t.TempDir()
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		set(t, s, "a.json", "/n", 1)
		full := fsys.NewFailing(fsys.OS, fsys.Fault{Call: at, Ops: []string{"open", "mkdir", "write"}, Err: syscall.ENOSPC, Forever: true})
		on, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{FS: full}))
		require.NoError(t, err)
		tx, err := on.Begin(context.Background(), []string{"a.json"}, txn.BeginOptions{Lock: true})
		if full.Failed() == 0 {
			require.NoError(t, err)
			require.Greater(t, at, 5)
			require.NoError(t, tx.Abort(context.Background()))
			return
		}
		if err == nil {
			continue // it could do without
		}
		for _, pattern := range []string{filepath.Join(dir, ".jtx/tx/*"), filepath.Join(state, "jtx/tx/*")} {
			left, err := filepath.Glob(pattern)
			require.NoError(t, err)
			require.Empty(t, left, "call %d", at)
		}
		set(t, s, "a.json", "/n", 2) // nobody has a lease
	}
}
