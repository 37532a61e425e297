package txn_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// TestBelowADirectoryThatCantBeSearched: as with sudo -u, the working directory's path
// leads through one that the caller may not search. All works there, and is found again
// by whoever may.
func TestBelowADirectoryThatCantBeSearched(t *testing.T) {
	base := sharedDir(t)
	dir := filepath.Join(base, "locked", "open", "work")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	for _, d := range []string{dir, filepath.Join(dir, "sub")} {
		require.NoError(t, os.Chown(d, alice, alice))
	}
	require.NoError(t, os.Chmod(filepath.Join(base, "locked"), 0o700))
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	_, _, err = s.Init(context.Background(), ".")
	require.NoError(t, err)
	require.NoError(t, os.Symlink("a.json", filepath.Join(dir, "link.json")))

	self, err := os.Executable()
	require.NoError(t, err)
	for _, at := range []string{dir, filepath.Join(dir, "sub")} {
		cmd := exec.Command(self, "-test.run=^TestReachHelper$", "-test.v")
		cmd.Env = []string{"TXN_TEST_ROOT=" + dir, "TXN_TEST_UID=" + strconv.Itoa(alice), "HOME=/nonexistent", "XDG_STATE_HOME=/nonexistent"}
		cmd.Dir = at
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "in %s: %s", at, out)
	}
	verify(t, s)
	require.Equal(t, "2", get(t, s, "a.json", "/n"))
	_, err = os.Stat(filepath.Join(dir, "sub", ".jtx"))
	require.ErrorIs(t, err, os.ErrNotExist, "the workspace above covers it")
}

func TestReachHelper(t *testing.T) {
	root := os.Getenv("TXN_TEST_ROOT")
	if root == "" {
		t.Skip("run by other tests")
	}
	uid, err := strconv.Atoi(os.Getenv("TXN_TEST_UID"))
	require.NoError(t, err)
	require.NoError(t, syscall.Setgroups(nil))
	require.NoError(t, syscall.Setgid(uid))
	require.NoError(t, syscall.Setuid(uid))
	_, err = os.Stat(root)
	require.ErrorIs(t, err, os.ErrPermission)

	ctx := context.Background()
	s, err := txn.Open(".", txn.Options{Verb: "set"})
	require.NoError(t, err)
	a, link, b := filepath.Join(root, "a.json"), filepath.Join(root, "link.json"), filepath.Join(root, "sub", "b.json")
	set(t, s, a, "/n", 1)
	set(t, s, link, "/n", 2)
	_, err = s.Do(ctx, []string{a, b}, func(tx *txn.Tx) error {
		if err := tx.Set(a, "/m", 1); err != nil {
			return err
		}
		return tx.Set(b, "/m", 1)
	})
	require.NoError(t, err)
	require.Equal(t, "2", get(t, s, a, "/n"))
	_, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	_, err = admin.Status(ctx, s, nil)
	require.NoError(t, err)
	verify(t, s)
	_, err = admin.Operations(s, time.Time{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
