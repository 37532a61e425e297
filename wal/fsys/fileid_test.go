package fsys

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatIDIsThatOfStat(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "f"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(name, []byte("text"), 0o600))
	require.NoError(t, os.Symlink(name, link))
	for _, fsy := range []FS{OS, NewFailing(OS, Fault{Call: -1})} {
		for _, at := range []string{name, link} {
			info, err := fsy.Stat(at)
			require.NoError(t, err)
			id, err := fsy.StatID(at)
			require.NoError(t, err)
			require.Equal(t, FileIDOf(info), id)
			info, err = fsy.Lstat(at)
			require.NoError(t, err)
			id, err = fsy.LstatID(at)
			require.NoError(t, err)
			require.Equal(t, FileIDOf(info), id)
		}
		for _, look := range []func(string) (FileID, error){fsy.StatID, fsy.LstatID} {
			id, err := look(filepath.Join(dir, "none"))
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.Zero(t, id)
		}
	}
}

func TestIdentityHasTheDeviceAndInodeOfStat(t *testing.T) {
	f, err := OS.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	got, err := OS.Identify(f)
	require.NoError(t, err)
	want := FileIDOf(info)
	require.Equal(t, Identity{Dev: want.Dev, Ino: want.Ino, Birth: got.Birth}, got)
}
