package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

func TestReadingAChangingFileCreatesNothing(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	saves := 0
	h.hook = func(op, name string) error {
		if op == "open" && name == a && saves < 10 { // more often than a reader looks without a lock
			saves++
			write(t, a+".new", `{"n":1}`)
			require.NoError(t, os.Rename(a+".new", a))
		}
		return nil
	}
	require.Equal(t, "1", get(t, s, "a.json", "/n"))
	require.NoDirExists(t, filepath.Join(dir, ".jtx"))
	h.hook = nil
	write(t, a, `{"n":`)
	require.Error(t, s.View(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return nil }))
	require.NoDirExists(t, filepath.Join(dir, ".jtx"))
}

func TestReadingBesideACommitThatWasCutOffCreatesNothing(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	one, two := filepath.Join(dir, "1", "a.json"), filepath.Join(dir, "2", "b.json")
	for _, name := range []string{one, two} {
		require.NoError(t, os.Mkdir(filepath.Dir(name), 0o755))
		write(t, name, `{"n":1}`)
	}
	h.hook = func(op, _ string) error {
		if op == "exchange" {
			return syscall.EIO
		}
		return nil
	}
	require.NotEmpty(t, set(t, s, one, "/n", 2).Warnings)
	h.hook = nil
	require.NoError(t, s.View(context.Background(), []string{one, two}, func(tx *txn.Tx) error {
		a, err := tx.Bytes(one)
		require.NoError(t, err)
		b, err := tx.Bytes(two)
		require.Equal(t, `{"n":2} {"n":1}`, string(a)+" "+string(b))
		return err
	}))
	require.NoDirExists(t, filepath.Join(dir, "2", ".jtx"))
}

func TestDryRunMakesNothing(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	names := []string{"a.json", "new.json", strings.Repeat("long", 60) + ".json"}
	try := func() {
		t.Helper()
		res, err := s.Do(context.Background(), names, func(tx *txn.Tx) error {
			for _, name := range names {
				if err := tx.Set(name, "/n", 2); err != nil {
					return err
				}
			}
			return nil
		}, txn.DryRun(), s.IfRevision("a.json", 0))
		require.NoError(t, err)
		require.Len(t, res.Files, 3)
		require.True(t, res.Files[0].Changed && res.Files[2].Changed)
	}
	try()
	require.NoDirExists(t, filepath.Join(dir, ".jtx"))
	set(t, s, "other.json", "/n", 1)
	try()
	tracked, err := os.ReadDir(filepath.Join(dir, ".jtx", "files"))
	require.NoError(t, err)
	require.Len(t, tracked, 1)
	_, err = history.Restore(context.Background(), s, []string{"a.json"}, history.Point{}, txn.DryRun())
	require.ErrorIs(t, err, txn.ErrNotFound)
	verify(t, s)
}

// What is read of the other files must not fail a transaction that is committed.
func TestNoErrorBehindTheCommit(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	for _, name := range []string{"a.json", "b.json"} {
		write(t, filepath.Join(dir, name), `{"n":1}`)
		set(t, s, name, "/n", 2)
	}
	committed := false
	h.hook = func(op, name string) error {
		committed = committed || op == "exchange"
		if committed && op == "readdir" && strings.Contains(name, "b.json") {
			return syscall.EMFILE
		}
		return nil
	}
	_, err := s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
	require.NoError(t, err)
	require.True(t, committed)
}

func TestInitLosesToAFirstWrite(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	h.hook = func(op, name string) error {
		if op == "rename" && name == filepath.Join(dir, ".jtx") {
			other, err := txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			set(t, other, "a.json", "/n", 1)
		}
		return nil
	}
	_, created, err := s.Init(context.Background(), dir)
	require.NoError(t, err)
	require.False(t, created)
}

func TestADirectoryOfThatNameIsNoWorkspace(t *testing.T) {
	s, dir := openStore(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".jtx", "mine"), 0o755))
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 1) })
	require.ErrorIs(t, err, txn.ErrFormat)
}

func TestDryRunOfHistoryVerbsChangesNothing(t *testing.T) {
	ctx := context.Background()
	for name, leave := range map[string]func(*testing.T, *txn.Store, *hookFS, string){
		"settled": func(*testing.T, *txn.Store, *hookFS, string) {},
		"edited outside": func(t *testing.T, _ *txn.Store, _ *hookFS, dir string) {
			write(t, filepath.Join(dir, "a.json"), `{"pw":"edited","n":7}`)
		},
		"deleted outside": func(t *testing.T, _ *txn.Store, _ *hookFS, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "a.json")))
		},
		"damaged outside": func(t *testing.T, _ *txn.Store, _ *hookFS, dir string) {
			write(t, filepath.Join(dir, "a.json"), `{"pw":`)
			require.NoError(t, os.Chtimes(filepath.Join(dir, "a.json"), time.Unix(1_600_000_000, 0), time.Unix(1_600_000_000, 0)))
		},
		"a commit was cut off": func(t *testing.T, s *txn.Store, h *hookFS, _ string) {
			h.hook = func(op, _ string) error {
				if op == "exchange" {
					return syscall.EIO
				}
				return nil
			}
			require.NotEmpty(t, set(t, s, "a.json", "/n", 8).Warnings)
			h.hook = nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, h, dir := openHooked(t, txn.Options{})
			made := set(t, s, "a.json", "/pw", "secret-one")
			for i := range 10 {
				set(t, s, "a.json", "/n", i)
			}
			changed := set(t, s, "a.json", "/pw", "secret-two")
			letGo(t, dir, "a.json")
			leave(t, s, h, dir)
			before := everything(t, dir)
			for verb, run := range map[string]func() error{
				"compact": func() error {
					done, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 1}, txn.DryRun())
					require.Len(t, done, 1)
					return err
				},
				"redact": func() error {
					done, err := admin.Redact(ctx, s, "a.json", "/pw", txn.DryRun())
					require.True(t, err != nil || done.Values > 0)
					return err
				},
				"undo": func() error { _, err := history.Undo(ctx, s, changed.ID, txn.DryRun()); return err },
				"restore": func() error {
					_, err := history.Restore(ctx, s, []string{"a.json"}, history.AtTx(made.ID), txn.DryRun())
					return err
				},
				"all":  func() error { _, err := history.RestoreAll(ctx, s, history.AtTx(made.ID), txn.DryRun()); return err },
				"copy": func() error { _, err := s.Copy(ctx, "a.json", "b.json", txn.DryRun()); return err },
			} {
				if err := run(); err != nil {
					require.Contains(t, "edited outside deleted outside damaged outside", name, "%s: %v", verb, err)
				}
				require.Equal(t, before, everything(t, dir), verb)
			}
		})
	}
}

// A dry run waits for nobody who only holds a lock.
func TestDryRunTakesNoLock(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	set(t, s, "a.json", "/pw", "secret-one")
	set(t, s, "a.json", "/pw", "secret-two")
	other, err := txn.Open(dir, txn.Options{LockTimeout: -1})
	require.NoError(t, err)
	_, err = s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error {
		_, err := admin.Compact(ctx, other, nil, admin.Retention{}, txn.DryRun())
		require.NoError(t, err)
		done, err := admin.Redact(ctx, other, "a.json", "/pw", txn.DryRun())
		require.NoError(t, err)
		require.Equal(t, 1, done.Values)
		return tx.Set("a.json", "/n", 1)
	})
	require.NoError(t, err)
	verify(t, s)
}
