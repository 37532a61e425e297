package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

const commented = "{\n  // how often\n  \"n\": 1,\n}\n"

// strict tells what `state` says of a file, which is the one that it knows.
func strict(t *testing.T, dir, name string) bool {
	t.Helper()
	st, ok, err := wal.ReadState(fsys.OS, filepath.Join(dir, ".jtx", "files", name))
	require.NoError(t, err)
	require.True(t, ok)
	require.False(t, st.Pending)
	require.Equal(t, wal.VersionOf([]byte(read(t, filepath.Join(dir, name)))), st.Content)
	return st.Strict
}

// Each way in which `state` is written says of a strict document that it is one, and
// of no other.
func TestStateKnowsStrictDocuments(t *testing.T) {
	ways := []struct {
		name string
		opt  []txn.Option
	}{{"renamed", nil}, {"unsynced", []txn.Option{txn.WithDurability(txn.None)}}, {"in place", []txn.Option{txn.WithInPlace()}}}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s, dir := openStore(t)
			const name = "settings.jsonc"
			file := filepath.Join(dir, name)
			change := func(fn func(tx *txn.Tx) error) {
				_, err := s.Do(context.Background(), []string{name}, fn, way.opt...)
				require.NoError(t, err)
				verify(t, s)
			}
			set := func(n int) { change(func(tx *txn.Tx) error { return tx.Set(name, "/n", n) }) }
			put := func(text string) {
				change(func(tx *txn.Tx) error { return tx.Put(name, []byte(text)) })
			}
			write(t, file, `{"n":1}`)
			set(2)
			require.True(t, strict(t, dir, name), "changed")
			put(commented)
			require.False(t, strict(t, dir, name), "replaced by one with comments")
			set(3)
			require.False(t, strict(t, dir, name))
			require.Equal(t, "3", get(t, s, name, "/n"))
			put(`{"n":4}`)
			set(5)
			require.True(t, strict(t, dir, name), "replaced by a strict one, and changed")

			write(t, file, commented)
			change(func(tx *txn.Tx) error { return nil })
			require.False(t, strict(t, dir, name), "adopted with comments")
			require.Equal(t, "1", get(t, s, name, "/n"))
			write(t, file, `{"n":6}`)
			change(func(tx *txn.Tx) error { return nil })
			require.True(t, strict(t, dir, name), "adopted without")

			change(func(tx *txn.Tx) error { return tx.Remove(name) })
			put(commented)
			require.False(t, strict(t, dir, name), "made anew")
		})
	}
}

// Whoever carries a file forward that was left behind knows it, too.
func TestRecoveryKnowsStrictDocuments(t *testing.T) {
	for text, want := range map[string]bool{`{"n":1}`: true, commented: false} {
		s, h, dir := openHooked(t, txn.Options{})
		write(t, filepath.Join(dir, "a.json"), text)
		set(t, s, "a.json", "/n", 2)
		h.hook = func(op, _ string) error {
			if op == "exchange" {
				return syscall.EIO
			}
			return nil
		}
		res, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
		require.NoError(t, err)
		require.Len(t, res.Warnings, 1)
		h.hook = nil
		require.Equal(t, "3", get(t, s, "a.json", "/n"))
		_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
		require.NoError(t, err)
		require.Equal(t, want, strict(t, dir, "a.json"))
		require.NoError(t, s.Close())

		// A state that is lost is made again: by looking.
		require.NoError(t, os.Remove(filepath.Join(dir, ".jtx/files/a.json/lock")))
		s, err = txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
		require.NoError(t, err)
		require.Equal(t, want, strict(t, dir, "a.json"))
		verify(t, s)
	}
}

func TestWriteBehindKnowsStrictDocuments(t *testing.T) {
	for text, want := range map[string]bool{`{"n":1}`: true, commented: false} {
		dir := t.TempDir()
		s, err := txn.Open(dir, txn.Options{WriteBehind: txn.WriteBehind{Delay: time.Hour}})
		require.NoError(t, err)
		write(t, filepath.Join(dir, "a.json"), text)
		for n := range 4 {
			set(t, s, "a.json", "/n", n)
		}
		require.NoError(t, s.Close())
		require.Equal(t, want, strict(t, dir, "a.json"))
		verify(t, s)
	}
}

// What `state` says is believed; so `verify` looks whether it is true.
func TestVerifyLooksWhetherADocumentIsStrict(t *testing.T) {
	s, dir := openStore(t)
	file := filepath.Join(dir, "a.json")
	write(t, file, commented)
	set(t, s, "a.json", "/n", 2)
	require.NoError(t, s.Close())
	log, err := wal.Open(filepath.Join(dir, ".jtx/files/a.json"), wal.Options{})
	require.NoError(t, err)
	require.NoError(t, log.SetState(func(s *wal.State) { s.Strict = true }))
	require.NoError(t, log.Close())

	s, err = txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	err = s.View(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		_, err := tx.Get("a.json", "/n")
		return err
	})
	require.ErrorIs(t, err, txn.ErrInvalid, "a comment was not looked for")
	res, err := admin.Verify(context.Background(), s, nil, admin.VerifyOptions{})
	require.NoError(t, err)
	require.ErrorIs(t, res[0].Err, wal.ErrCorrupt)
	require.ErrorContains(t, res[0].Err, "strict")
}
