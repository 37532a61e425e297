package fsys

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A directory whose file system can't sync it is synced with all of that; a file that
// can't be synced has failed.
func TestRefusedSync(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	require.NoError(t, err)
	defer dir.Close()
	file, err := os.Create(filepath.Join(dir.Name(), "a"))
	require.NoError(t, err)
	defer file.Close()
	for _, errno := range []error{unix.EINVAL, unix.ENOSYS, unix.ENOTSUP, unix.EBADF} {
		assert.NoError(t, synced(dir, false, errno), "%v", errno)
		assert.ErrorIs(t, synced(file, false, errno), errno)
	}
	assert.NoError(t, synced(file, true, unix.EINVAL), "fdatasync is not fsync")
	for _, f := range []*os.File{dir, file} {
		assert.ErrorIs(t, synced(f, false, unix.EIO), unix.EIO, "what has failed is not tried again")
		assert.ErrorIs(t, synced(f, true, unix.ENOSPC), unix.ENOSPC)
	}
}

func TestRenameToNew(t *testing.T) {
	for _, make := range []func(string) error{
		func(name string) error { return os.WriteFile(name, []byte(name), 0o600) },
		func(name string) error { return os.Mkdir(name, 0o700) }, // has no hard links
	} {
		dir := t.TempDir()
		one, two, free := filepath.Join(dir, "one"), filepath.Join(dir, "two"), filepath.Join(dir, "free")
		require.NoError(t, make(one))
		require.NoError(t, make(two))
		assert.ErrorIs(t, renameToNew(one, two), fs.ErrExist)
		require.NoError(t, renameToNew(one, free))
		assert.NoFileExists(t, one)
		_, err := os.Lstat(free)
		assert.NoError(t, err)
		assert.ErrorIs(t, renameToNew(one, filepath.Join(dir, "other")), fs.ErrNotExist)
	}
}

// Where a mode can't be set, one that is wider than what was meant is an error.
func TestRefusedMode(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "a"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Chmod(0o640))
	assert.True(t, modeWillDo(f, 0o644))
	assert.True(t, modeWillDo(f, 0o640))
	assert.Equal(t, modeless(f), modeWillDo(f, 0o600))
}

func TestNeedsNothingOnAnOrdinaryDisk(t *testing.T) {
	needs, err := Needs(t.TempDir())
	require.NoError(t, err)
	for _, n := range needs {
		assert.False(t, n.Weaker, "%s: %s", n.Call, n.Instead)
	}
}
