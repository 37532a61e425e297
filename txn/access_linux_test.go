package txn_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/txn"
)

func TestModeAndAttributesAreKept(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	require.NoError(t, os.Chmod(a, 0o640))
	err := unix.Setxattr(a, "user.note", []byte("keep"), 0)
	hasXattrs := err == nil
	set(t, s, "a.json", "/n", 2)
	info, err := os.Stat(a)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o640), info.Mode())
	if !hasXattrs {
		t.Log("this file system has no extended attributes: not checked")
		return
	}
	buf := make([]byte, 16)
	n, err := unix.Getxattr(a, "user.note", buf)
	require.NoError(t, err)
	require.Equal(t, "keep", string(buf[:n]))
}

func TestJournalIsNoMoreReadableThanItsFile(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"secret":1}`)
	require.NoError(t, os.Chmod(a, 0o600))
	set(t, s, "a.json", "/secret", 2)
	requireNarrow := func() {
		t.Helper()
		root := filepath.Join(dir, ".jtx", "files", "a.json")
		info, err := os.Stat(root)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%v", info.Mode())
	}
	requireNarrow()
	require.NoError(t, os.Chmod(a, 0o644))
	set(t, s, "a.json", "/secret", 3)
	require.NoError(t, os.Chmod(a, 0o600))
	set(t, s, "a.json", "/secret", 4)
	requireNarrow()
}

func TestANewFileFollowsTheUmask(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	s, dir := openStore(t)
	set(t, s, "new.json", "/a", 1)
	info, err := os.Stat(filepath.Join(dir, "new.json"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o640), info.Mode())
}

// asUser runs TestAsUserHelper in another process, as another user.
func asUser(t *testing.T, uid, gid uint32, groups []uint32, dir, file, value string) ([]byte, error) {
	t.Helper()
	exe := filepath.Join(filepath.Dir(dir), "txn.test")
	if _, err := os.Stat(exe); err != nil {
		self, err := os.Open("/proc/self/exe")
		require.NoError(t, err)
		defer self.Close()
		out, err := os.OpenFile(exe, os.O_WRONLY|os.O_CREATE, 0o755)
		require.NoError(t, err)
		_, err = io.Copy(out, self)
		require.NoError(t, err)
		require.NoError(t, out.Chmod(0o755)) // the test's umask may be a strict one
		require.NoError(t, out.Close())
	}
	cmd := exec.Command(exe, "-test.run=^TestAsUserHelper$", "-test.v")
	cmd.Env = []string{"TXN_TEST_DIR=" + dir, "TXN_TEST_FILE=" + file, "TXN_TEST_VALUE=" + value, "HOME=/nonexistent", "USER=u"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, Groups: groups}}
	return cmd.CombinedOutput()
}

func TestAsUserHelper(t *testing.T) {
	dir := os.Getenv("TXN_TEST_DIR")
	if dir == "" {
		t.Skip("run by other tests")
	}
	syscall.Umask(0o002)
	s, err := txn.Open(dir, txn.Options{Verb: "set"})
	require.NoError(t, err)
	file := os.Getenv("TXN_TEST_FILE")
	_, err = s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error {
		return tx.Set(file, "/by", os.Getenv("TXN_TEST_VALUE"))
	})
	require.NoError(t, err)
}

// sharedDir is a directory that other users may reach.
func sharedDir(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become two other users")
	}
	base, err := os.MkdirTemp("/var/tmp", "jtx-users")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	require.NoError(t, os.Chmod(base, 0o755))
	dir := filepath.Join(base, "work")
	require.NoError(t, os.Mkdir(dir, 0o755))
	return dir
}

const alice, bob, staff, eve = 61001, 61002, 61100, 61003

func TestTwoUsersInOneGroup(t *testing.T) {
	dir := sharedDir(t)
	require.NoError(t, os.Chown(dir, alice, staff))
	require.NoError(t, os.Chmod(dir, fs.ModeSetgid|0o775))
	for i, uid := range []uint32{alice, bob, alice, bob, 0, alice, bob} {
		out, err := asUser(t, uid, uid, []uint32{staff}, dir, "shared.json", string(rune('a'+i)))
		require.NoError(t, err, "user %d: %s", uid, out)
		info, err := os.Stat(filepath.Join(dir, "shared.json"))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o664), info.Mode(), "after user %d", uid)
		require.EqualValues(t, uint32(staff), info.Sys().(*syscall.Stat_t).Gid, "after user %d", uid)
	}
	out, err := asUser(t, eve, eve, nil, dir, "shared.json", "x")
	require.Error(t, err, "%s", out)
	require.Contains(t, string(out), "permission denied")
	require.Contains(t, read(t, filepath.Join(dir, "shared.json")), `"g"`)
}

func TestRootLeavesTheOwnersFilesUsable(t *testing.T) {
	dir := sharedDir(t)
	require.NoError(t, os.Chown(dir, alice, alice))
	write(t, filepath.Join(dir, "a.json"), `{}`)
	require.NoError(t, os.Chown(filepath.Join(dir, "a.json"), alice, alice))
	s, err := txn.Open(dir, txn.Options{}) // as root, sudo jtx say
	require.NoError(t, err)
	set(t, s, "a.json", "/by", "root")
	out, err := asUser(t, alice, alice, nil, dir, "a.json", "alice")
	require.NoError(t, err, "%s", out)
	info, err := os.Stat(filepath.Join(dir, "a.json"))
	require.NoError(t, err)
	require.EqualValues(t, uint32(alice), info.Sys().(*syscall.Stat_t).Uid)
}

func TestForeignOwnedWorkspaceIsRefused(t *testing.T) {
	dir := sharedDir(t)
	require.NoError(t, os.Chmod(dir, 0o777))
	out, err := asUser(t, eve, eve, nil, dir, "trap.json", "x")
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Chown(dir, alice, alice))
	out, err = asUser(t, bob, bob, nil, dir, "mine.json", "x")
	require.Error(t, err)
	require.Contains(t, string(out), "belongs to somebody else")
}

func TestReaderWithoutWritePermission(t *testing.T) {
	dir := sharedDir(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 2)
	out, err := asUser(t, eve, eve, nil, dir, "a.json", "x")
	require.Error(t, err)
	require.Contains(t, string(out), "permission denied")
	require.Equal(t, `{"n":2}`, read(t, filepath.Join(dir, "a.json")))
}

// A journal whose group could not be made that of its file stays closed to the group
// that it has.
func TestJournalOfAnotherGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give files away")
	}
	for mode, want := range map[fs.FileMode]fs.FileMode{0o640: 0o700, 0o644: 0o755, 0o660: 0o700, 0o664: 0o755} {
		s, dir := openStore(t)
		require.NoError(t, os.Chown(dir, 0, 12345))
		require.NoError(t, os.Chmod(dir, 0o775))
		a := filepath.Join(dir, "a.json")
		journal := filepath.Join(dir, ".jtx", "files", "a.json")
		set(t, s, "a.json", "/n", 1)
		require.NoError(t, os.Chown(a, 0, 12345))
		require.NoError(t, os.Chmod(a, mode))
		require.NoError(t, os.Chmod(journal, 0o700))
		set(t, s, "a.json", "/n", 2)
		set(t, s, "a.json", "/n", 3)
		require.Equal(t, want, modeOf(t, journal), "%v", mode)
		require.NoError(t, os.Chown(journal, 0, 12345))
		require.NoError(t, s.Close()) // which has the locks still, maybe, and looks when it next takes them
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		set(t, s, "a.json", "/n", 4)
		require.Equal(t, dirModeOf(mode), modeOf(t, journal), "%v", mode)
	}
}

func dirModeOf(mode fs.FileMode) fs.FileMode {
	return map[fs.FileMode]fs.FileMode{0o640: 0o750, 0o644: 0o755, 0o660: 0o770, 0o664: 0o775}[mode]
}
