package history_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	recovery "github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
)

func TestRestoreBringsBackWhatWasLost(t *testing.T) {
	good := "{\n  \"n\": 2.50,\n  \"m\": [ ]\n}\n"
	for name, lose := range map[string]func(path string) error{
		"deleted":   os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 7) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"garbage":   func(path string) error { return os.WriteFile(path, []byte("\x00\xff<<<<<<<"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			path := filepath.Join(dir, "a.json")
			write(t, path, "{\n  \"n\": 2.5,\n  \"m\": [ ]\n}\n")
			_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Put("a.json", []byte(good)) })
			require.NoError(t, err)
			require.NoError(t, lose(path))
			lost, _ := os.ReadFile(path)
			res := restore(t, s, "a.json", history.Point{})
			require.Equal(t, good, read(t, path))
			verify(t, s)
			if name != "deleted" {
				var damage *recovery.DamagedError
				require.True(t, errors.As(res.Recovered[0].Err, &damage))
				require.Equal(t, string(lost), read(t, damage.Aside))
			}
			// And it is a version like any other.
			set(t, s, "a.json", "/n", 3)
			require.True(t, restore(t, s, "a.json", history.Point{}).ID.IsZero(), "nothing is wrong with it")
			restore(t, s, "a.json", history.Back(1))
			require.Equal(t, good, read(t, path))
			verify(t, s)
		})
	}
}

func TestRestoreSurvivesACrashBeforeItsRename(t *testing.T) {
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	set(t, s, "a.json", "/n", 1)
	good := read(t, path)
	write(t, path, "garbage")
	restore(t, s, "a.json", history.Point{})
	write(t, path, "garbage") // as if the rename had been lost
	again, err := txn.Open(dir, txntest.With(txn.Options{Durability: txn.Journal}, txntest.Hooks{Boot: [16]byte{7}}))
	require.NoError(t, err)
	_, err = history.Restore(context.Background(), again, []string{"a.json"}, history.Point{})
	require.NoError(t, err)
	require.Equal(t, good, read(t, path))
	verify(t, again)
}
