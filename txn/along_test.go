package txn_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
)

var errCutOff = errors.New("the process ends here")

// withHistories makes a workspace with histories in a directory below it, of one file
// each and of a unit with one outside.
func withHistories(t *testing.T, o txn.Options) (s *txn.Store, h *hookFS, dir string, names []string) {
	t.Helper()
	s, h, dir = openHooked(t, o)
	ctx := context.Background()
	_, _, err := s.Init(ctx, dir)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub", "deep"), 0o755))
	long := strings.Repeat("long", 55) + ".json"
	longer := strings.Repeat("long", 48) + ".json" // hashed only with its directory's name
	names = []string{"sub/a.json", "sub/deep/b.json", "sub/" + long, "sub/" + longer}
	for _, name := range names {
		set(t, s, name, "/n", 1)
		set(t, s, name, "/n", 2)
	}
	_, err = s.Do(ctx, []string{"top.json", "sub/a.json", "sub/deep/b.json"}, func(tx *txn.Tx) error {
		require.NoError(t, tx.Set("top.json", "/n", 1))
		require.NoError(t, tx.Set("sub/deep/b.json", "/n", 3))
		return tx.Set("sub/a.json", "/n", 3)
	}, txn.WithDurability(txn.Journal)) // so that after a boot each looks for the other
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s, err = txn.Open(dir, txntest.With(o, txntest.Hooks{FS: h}))
	require.NoError(t, err)
	return s, h, dir, names
}

func revisions(t *testing.T, s *txn.Store, name string) (n int) {
	t.Helper()
	for _, err := range history.Log(context.Background(), s, []string{name}, history.LogOptions{}) {
		require.NoError(t, err)
		n++
	}
	return n
}

func requireAlong(t *testing.T, s *txn.Store, dir string, names []string) {
	t.Helper()
	for i, name := range names {
		want := 2
		if i < 2 {
			want = 3
		}
		require.Equal(t, want, revisions(t, s, name), name)
	}
	require.Len(t, verify(t, s), len(names)+1)
	left, err := os.ReadDir(filepath.Join(dir, ".jtx", "files"))
	require.NoError(t, err)
	require.Len(t, left, 1, "but for the file at the top")
	require.DirExists(t, filepath.Join(dir, "sub", ".jtx", "files", "a.json"))
}

func TestInitTakesHistoriesAlong(t *testing.T) {
	ctx := context.Background()
	s, _, dir, names := withHistories(t, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{1}}))
	_, created, err := s.Init(ctx, filepath.Join(dir, "sub"))
	require.NoError(t, err)
	require.True(t, created)
	requireAlong(t, s, dir, names)

	// After a boot their last units are decided with each other again.
	for _, first := range []string{"top.json", "sub/a.json"} {
		s, err = txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{2}}))
		require.NoError(t, err)
		_, err = s.Do(ctx, []string{first}, func(*txn.Tx) error { return nil })
		require.NoError(t, err)
		require.Equal(t, "3", get(t, s, "sub/a.json", "/n"))
		require.Equal(t, "1", get(t, s, "top.json", "/n"))
		require.NoError(t, s.Close())
	}
	s, err = txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{3}}))
	require.NoError(t, err)
	for e, err := range history.Log(ctx, s, []string{"top.json"}, history.LogOptions{}) {
		require.NoError(t, err)
		entry, err := history.Show(ctx, s, e.ID)
		require.NoError(t, err)
		require.Len(t, entry.Files, 3, "with those that went along")
		require.Empty(t, entry.Others)
		_, err = history.Undo(ctx, s, e.ID)
		require.NoError(t, err)
		break
	}
	require.Equal(t, "2", get(t, s, "sub/a.json", "/n"))
	require.NoFileExists(t, filepath.Join(dir, "top.json"))

	// And once more, further below.
	_, created, err = s.Init(ctx, filepath.Join(dir, "sub", "deep"))
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, 4, revisions(t, s, "sub/deep/b.json"))
	verify(t, s)
}

// Cut off anywhere it is finished by whoever comes next, after a boot too.
func TestInitThatIsCutOffTakesAllAlong(t *testing.T) {
	ctx := context.Background()
	for boot := byte(1); boot <= 2; boot++ {
		for at := 1; ; at++ {
			s, h, dir, names := withHistories(t, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{1}}))
			calls := 0
			h.hook = func(op, name string) error {
				if op != "rename" && op != "open-to-write" {
					return nil
				}
				if calls++; calls >= at {
					return errCutOff
				}
				return nil
			}
			_, _, err := s.Init(ctx, filepath.Join(dir, "sub"))
			h.hook = nil
			if err == nil {
				require.Greater(t, at, 8)
				break
			}
			require.NoError(t, s.Close())
			s, err = txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{boot}}))
			require.NoError(t, err)
			require.Equal(t, "1", get(t, s, "top.json", "/n"), "cut off at call %d", at)
			require.Equal(t, "3", get(t, s, "sub/a.json", "/n"), "cut off at call %d", at)
			_, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{})
			require.NoError(t, err, "cut off at call %d", at)
			_, _, err = s.Init(ctx, filepath.Join(dir, "sub"))
			require.NoError(t, err, "cut off at call %d", at)
			requireAlong(t, s, dir, names)
		}
	}
}

// A directory that is narrowed, and then gets a workspace, does so with all histories.
func TestANewBoundaryTakesHistoriesAlong(t *testing.T) {
	s, _, dir, names := withHistories(t, txn.Options{})
	require.NoError(t, os.Chmod(filepath.Join(dir, "sub"), 0o700))
	set(t, s, "sub/a.json", "/n", 4)
	require.NoDirExists(t, filepath.Join(dir, "sub", ".jtx"), "it has a history where it is")
	set(t, s, "sub/new.json", "/n", 1)
	require.DirExists(t, filepath.Join(dir, "sub", ".jtx"))
	require.Equal(t, 4, revisions(t, s, "sub/a.json"))
	for _, name := range names[2:] {
		require.Equal(t, 2, revisions(t, s, name), name)
	}
	left, err := os.ReadDir(filepath.Join(dir, ".jtx", "files"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Len(t, verify(t, s), len(names)+2)
}

// The origins that a workspace names lead to nothing outside.
func TestAForgedOrigin(t *testing.T) {
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	require.NoError(t, s.Close())
	format := filepath.Join(dir, ".jtx", "format")
	text := strings.TrimSuffix(strings.TrimSpace(read(t, format)), "}")
	for _, from := range []string{`[{"id":"x","path":"a"}]`, `[{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","path":"../a"}]`, `[{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","path":"/a"}]`} {
		write(t, format, text+`,"from":`+from+"}")
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		_, err = s.Do(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return nil })
		require.ErrorIs(t, err, txn.ErrFormat)
	}
}
