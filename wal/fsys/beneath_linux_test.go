package fsys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestBeneath(t *testing.T) {
	for name, want := range map[string]string{
		"/a/.jtx": "/a", "/a/.jtx/b": "/a", ".jtx/b": ".", "/.jtx": "/", "a/.jtx/b/.jtx/c": "a",
		"/a/b": "", "/a/x.jtx/b": "", "/a/.jtx-1.tmp": "", "/a/.jtx.1000/b": "/a", "/a/.jtx.1000.2": "/a", "/a/.jtx.x/b": "", "/a/.jtx.1.tmp/b/.jtx": "/a/.jtx.1.tmp/b",
	} {
		root, rest, ok := beneath(name)
		assert.Equal(t, want != "", ok, name)
		assert.Equal(t, want, root, name)
		if ok {
			assert.Equal(t, filepath.Clean(name), filepath.Join(root, rest))
		}
	}
}

// linked is a directory with a .jtx in which a directory and a file are links to some
// outside of it, and whose own path leads through a link, which is followed.
func linked(t *testing.T) (meta, outside string) {
	dir := t.TempDir()
	outside = filepath.Join(dir, "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "real", ".jtx", "files"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(outside, "d"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "f"), []byte("outside"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")))
	meta = filepath.Join(dir, "link", ".jtx")
	require.NoError(t, os.Symlink(outside, filepath.Join(meta, "log")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "f"), filepath.Join(meta, "f")))
	require.NoError(t, os.WriteFile(filepath.Join(meta, "ours"), []byte("ours"), 0o600))
	return meta, outside
}

// No call leads outside, by openat2(2) and by a walk, and the way to .jtx may have links.
func TestNoCallFollowsALinkBelowMeta(t *testing.T) {
	meta, outside := linked(t)
	log, f, ours := filepath.Join(meta, "log"), filepath.Join(meta, "f"), filepath.Join(meta, "ours")
	calls := map[string]func() error{
		"open":            func() error { _, err := OS.OpenFile(filepath.Join(log, "f"), os.O_RDWR, 0); return err },
		"open, the last":  func() error { _, err := OS.OpenFile(f, os.O_RDWR, 0); return err },
		"create":          func() error { _, err := OS.OpenFile(filepath.Join(log, "n"), os.O_RDWR|os.O_CREATE, 0o600); return err },
		"append":          func() error { _, err := OS.OpenFile(f, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); return err },
		"mkdir":           func() error { return OS.Mkdir(filepath.Join(log, "n"), 0o700) },
		"rename from":     func() error { return OS.Rename(filepath.Join(log, "f"), filepath.Join(meta, "n")) },
		"rename to":       func() error { return OS.Rename(ours, filepath.Join(log, "f")) },
		"rename to new":   func() error { return OS.RenameNoReplace(ours, filepath.Join(log, "n")) },
		"link from":       func() error { return OS.Link(filepath.Join(log, "f"), filepath.Join(meta, "n")) },
		"link to":         func() error { return OS.Link(ours, filepath.Join(log, "n")) },
		"exchange":        func() error { return OS.Exchange(ours, filepath.Join(log, "f")) },
		"remove":          func() error { return OS.Remove(filepath.Join(log, "f")) },
		"remove all":      func() error { return RemoveTree(OS, filepath.Join(log, "d")) },
		"stat":            func() error { _, err := OS.Stat(filepath.Join(log, "f")); return err },
		"stat, the last":  func() error { _, err := OS.StatID(filepath.Join(log, "f")); return err },
		"lstat":           func() error { _, err := OS.Lstat(filepath.Join(log, "f")); return err },
		"lstat, identity": func() error { _, err := OS.LstatID(filepath.Join(log, "f")); return err },
		"list":            func() error { _, err := OS.ReadDir(log); return err },
		"libraries":       func() error { _, _, err := Beneath(filepath.Join(log, "f")); return err },
		"tidwall/wal":     func() error { _, _, err := BeneathDir(log); return err },
		"walk": func() error {
			dir, err := openat(unix.AT_FDCWD, filepath.Dir(meta), unix.O_PATH|unix.O_DIRECTORY, 0)
			require.NoError(t, err)
			defer unix.Close(dir)
			_, err = walk(dir, ".jtx/log/f", unix.O_RDONLY, 0)
			return explained(log, err)
		},
	}
	for name, call := range calls {
		err := call()
		assert.ErrorIs(t, err, ErrPlanted, name)
	}
	data, err := os.ReadFile(filepath.Join(outside, "f"))
	require.NoError(t, err)
	assert.Equal(t, "outside", string(data))
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Len(t, left, 2)
	data, err = ReadFile(OS, ours)
	require.NoError(t, err)
	assert.Equal(t, "ours", string(data))
	info, err := OS.Lstat(f)
	require.NoError(t, err, "that it is a link can be seen")
	assert.Equal(t, os.ModeSymlink, info.Mode().Type())
	require.NoError(t, OS.Remove(f), "and it can be removed")
}

// What is no file is not waited for.
func TestOnlyFilesAndDirectoriesBelowMeta(t *testing.T) {
	meta := filepath.Join(t.TempDir(), ".jtx")
	require.NoError(t, os.Mkdir(meta, 0o700))
	fifo, socket := filepath.Join(meta, "fifo"), filepath.Join(meta, "socket")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	require.NoError(t, unix.Mknod(socket, unix.S_IFSOCK|0o600, 0))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, name := range []string{fifo, socket, meta} {
			for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_CREATE | os.O_APPEND} {
				if name == meta && flag == os.O_RDONLY {
					continue
				}
				_, err := OS.OpenFile(name, flag, 0o600)
				assert.ErrorIs(t, err, ErrPlanted, "%s %x", name, flag)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("an open waits")
	}
}

// A name for a library leads to the file that was there, whatever becomes of its path.
func TestBeneathStays(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, ".jtx", "files")
	require.NoError(t, os.MkdirAll(sub, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(sub, "a"), []byte("ours"), 0o600))
	path, release, err := Beneath(filepath.Join(sub, "a"))
	require.NoError(t, err)
	defer release()
	if !strings.HasPrefix(path, "/proc/") {
		t.Skip("no /proc here")
	}
	require.NoError(t, os.Rename(sub, sub+".moved"))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "ours", string(data))
}

func TestIsMeta(t *testing.T) {
	for _, name := range []string{".jtx", ".jtx.0", ".jtx.1000", ".jtx.1000.7"} {
		assert.True(t, IsMeta(name), name)
	}
	for _, name := range []string{"", "jtx", ".jtxx", ".jtx.", ".jtx..", ".jtx.1.", ".jtx.1a", ".jtx-1", ".jtx.01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp", ".jtx.99999999999"} {
		assert.False(t, IsMeta(name), name)
	}
}
