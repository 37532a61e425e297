package wal

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// children are the parts of tests that need a process of their own: the test's
// binary runs again, with the name in its environment.
var children = map[string]func(dir string) error{}

const childName, childDir = "JTX_WAL_TEST_CHILD", "JTX_WAL_TEST_DIR"

func TestMain(m *testing.M) {
	name := os.Getenv(childName)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := children[name](os.Getenv(childDir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func childCommand(t testing.TB, name, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childName+"="+name, childDir+"="+dir)
	return cmd
}

func runChild(t testing.TB, name, dir string) string {
	t.Helper()
	out, err := childCommand(t, name, dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func limitFileSize(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = n
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &limit)
}

// underLock runs f while this process holds an flock on dir/lock.
func underLock(dir string, f func() error) error {
	lock, err := os.OpenFile(dir+"/lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}
