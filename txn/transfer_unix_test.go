//go:build unix

package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

func modeOf(t *testing.T, elem ...string) os.FileMode {
	t.Helper()
	info, err := os.Stat(filepath.Join(elem...))
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestMovedFileIsForNobodyElse(t *testing.T) {
	ctx := context.Background()
	for _, from := range []os.FileMode{0o600, 0o640, 0o644} {
		for _, to := range []os.FileMode{0, 0o600, 0o640, 0o644} {
			s, dir := openStore(t)
			a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
			write(t, a, `{"secret":1}`)
			require.NoError(t, os.Chmod(a, from))
			want := from
			if to != 0 {
				set(t, s, "b.json", "/n", 1)
				require.NoError(t, os.Chmod(b, to))
				want &= to
			}
			_, err := s.Copy(ctx, "a.json", "b.json", txn.Replacing())
			require.NoError(t, err)
			require.Equal(t, want, modeOf(t, b))
			require.Zero(t, modeOf(t, dir, ".jtx", "files", "b.json")&0o077&^(want|want>>2), "%v to %v", from, to)
			require.Equal(t, from, modeOf(t, a))
			verify(t, s)
		}
	}
}

func TestMoveToAWorkspaceAside(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	set(t, s, "a.json", "/n", 1)
	res, err := s.Move(ctx, "a.json", "sub/b.json", txn.WithMessage("tidy"))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "a.json"))
	require.Equal(t, "{\n  \"n\": 1\n}\n", read(t, filepath.Join(dir, "sub", "b.json")))
	for e, err := range s.History(ctx, []string{"sub/b.json"}, txn.HistoryOptions{}) {
		require.NoError(t, err)
		require.Equal(t, "tidy (moved from a.json@1)", e.Message)
		require.Equal(t, []string{filepath.Join(dir, "a.json")}, e.Others)
	}
	_, err = s.Move(ctx, "sub/b.json", "sub/b.json")
	require.ErrorIs(t, err, txn.ErrInvalid)
	set(t, s, "a.json", "/n", 2)
	_, err = s.Move(ctx, "sub/b.json", "a.json")
	require.ErrorIs(t, err, txn.ErrExists)
	require.ErrorIs(t, err, txn.ErrConflict)
	_, err = s.Undo(ctx, res.ID)
	require.ErrorIs(t, err, txn.ErrConflict, "a.json was made again")
	verify(t, s)
}
