package workspace

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// foldFS finds names below its directory in any case.
type foldFS struct {
	fsys.FS
	dir string
}

func (f foldFS) Lstat(name string) (fs.FileInfo, error)     { return f.FS.Lstat(f.find(name)) }
func (f foldFS) ReadDir(name string) ([]fs.DirEntry, error) { return f.FS.ReadDir(f.find(name)) }

func (f foldFS) find(name string) string {
	at := f.dir
	rel, err := filepath.Rel(f.dir, name)
	if err != nil || strings.HasPrefix(rel, "..") {
		return name
	}
	for _, part := range strings.Split(rel, "/") {
		entries, _ := f.FS.ReadDir(at) // where it can't be read the name stays
		for _, e := range entries {
			if strings.EqualFold(e.Name(), part) {
				part = e.Name()
			}
		}
		at = filepath.Join(at, part)
	}
	return at
}

func TestNamesThatAreOneFile(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	sub := filepath.Join(dir, "work", "Sub")
	require.NoError(t, os.MkdirAll(sub, 0o700))
	for _, name := range []string{"a.json", "Äpfel.json", "b.json", "B.JSON", "1"} {
		require.NoError(t, os.WriteFile(filepath.Join(sub, name), nil, 0o600))
	}
	fold := foldFS{fsys.OS, filepath.Join(dir, "work")}
	for given, want := range map[string]string{
		"Sub/a.json": "Sub/a.json", "Sub/A.json": "Sub/a.json", "sub/A.JSON": "Sub/a.json",
		"sub/äpfel.json": "Sub/Äpfel.json", "Sub/1": "Sub/1",
	} {
		got, err := spelt(fold, filepath.Join(dir, "work", given))
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "work", want), got, given)
	}
	for _, name := range []string{"a.json", "b.json", "B.JSON", "missing"} {
		got, err := spelt(fsys.OS, filepath.Join(sub, name))
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(sub, name), got, "names are told apart here")
	}
}
