package lockmgr

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPermOfTheLockFile(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := lockPath(t)
	reqs := one(Exclusive, path)
	reqs[0].Perm = 0o664
	require.NoError(t, try(New(), reqs))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o664), info.Mode().Perm())
}

// A reader that may not write the lock file locks it all the same; one that
// can't even read it is told so.
func TestPermissions(t *testing.T) {
	if os.Getuid() == 0 {
		asOther(t, "TestPermissions")
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	require.NoError(t, os.WriteFile(path, nil, 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	defer os.Chmod(dir, 0o755)

	m := New()
	h := acquire(t, m, one(Shared, path))
	require.ErrorIs(t, try(m, one(Exclusive, path)), ErrTimeout)
	require.NoError(t, h.Release())

	h = acquire(t, m, one(Exclusive, path))
	waits := make(chan error)
	go func() {
		h, err := New().Acquire(context.Background(), long, one(Shared, path))
		if err == nil {
			err = h.Release()
		}
		waits <- err
	}()
	eventually(t, "a reader waits without a gate", func() bool {
		s, err := m.Probe(path)
		return err == nil && len(s.Waiters) > 0
	})
	require.NoError(t, h.Release())
	require.NoError(t, <-waits)
	require.NoFileExists(t, path+queueSuffix)

	missing := filepath.Join(dir, "missing")
	require.ErrorIs(t, try(m, one(Shared, missing)), fs.ErrPermission)
	require.NoError(t, os.Chmod(path, 0))
	require.ErrorIs(t, try(m, one(Shared, path)), fs.ErrPermission)
	require.ErrorIs(t, try(m, one(Exclusive, path)), fs.ErrPermission)
	require.True(t, idle(m))
}

// asOther runs one test again as a user whom file modes bind.
func asOther(t *testing.T, test string) {
	dir, err := os.MkdirTemp("", "lockmgr")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o777))
	binary := filepath.Join(dir, "test")
	raw, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(binary, raw, 0o755))
	cmd := exec.Command(binary, "-test.run", "^"+test+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+test)
}
