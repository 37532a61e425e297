package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
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
	_, err = s.Restore(context.Background(), []string{"a.json"}, txn.Point{}, txn.DryRun())
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
