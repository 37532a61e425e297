package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// cutOff commits n to both files and lets no rename happen.
func cutOff(t *testing.T, s *txn.Store, h *hookFS, a, b string, n int) {
	t.Helper()
	h.hook = func(op, _ string) error {
		if op == "exchange" {
			return syscall.EIO
		}
		return nil
	}
	_, err := s.Do(context.Background(), []string{a, b}, func(tx *txn.Tx) error {
		if err := tx.Set(a, "/n", n); err != nil {
			return err
		}
		return tx.Set(b, "/n", n)
	})
	require.NoError(t, err)
	h.hook = nil
}

func TestWorkspacesThatMoveTogetherFindEachOther(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	for _, name := range []string{"p/w/a.json", "p/x/b.json"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		write(t, filepath.Join(dir, name), `{"n":1}`)
	}
	cutOff(t, s, h, "p/w/a.json", "p/x/b.json", 2)
	require.NoError(t, os.Rename(filepath.Join(dir, "p"), filepath.Join(dir, "q")))
	r, err := admin.Recover(context.Background(), s, []string{"q/w/a.json"}, admin.RecoverOptions{DryRun: true})
	require.NoError(t, err)
	require.NoError(t, r.Files[0].Err)
	require.Equal(t, "2", get(t, s, "q/w/a.json", "/n"))
	require.Equal(t, `{"n":1}`, read(t, filepath.Join(dir, "q/x/b.json")), "looking settles nothing")
	_, err = admin.Recover(context.Background(), s, []string{"q/w/a.json"}, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(dir, "q/x/b.json")))
	verify(t, s)
}

// A copied directory has the journals and the workspace's id of the other.
func TestAWorkspaceAndItsCopy(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	ctx := context.Background()
	w, x := filepath.Join(dir, "w"), filepath.Join(dir, "x")
	require.NoError(t, os.Mkdir(w, 0o755))
	for _, name := range []string{"a.json", "b.json"} {
		write(t, filepath.Join(w, name), `{"n":1}`)
		set(t, s, filepath.Join(w, name), "/n", 2)
	}
	cutOff(t, s, h, "w/a.json", "w/b.json", 3)
	require.NoError(t, os.CopyFS(x, os.DirFS(w)))
	_, err := s.Do(ctx, []string{"w/a.json", "x/a.json"}, func(*txn.Tx) error { return nil })
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(x, "a.json")))
	require.Equal(t, "3", get(t, s, "x/a.json", "/n"))
	_, err = admin.Recover(ctx, s, []string{"x/a.json"}, admin.RecoverOptions{})
	require.NoError(t, err, "each is settled with its own")
	require.Equal(t, `{"n":3}`, read(t, filepath.Join(x, "b.json")))
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(w, "b.json")))
	_, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Equal(t, `{"n":3}`, read(t, filepath.Join(w, "b.json")))
	require.Len(t, verify(t, s), 4)
}
