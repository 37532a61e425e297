package txn_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// hookFS calls hook before some operations, which can fail them or do what
// another program might do in that moment.
type hookFS struct {
	fsys.FS
	hook func(op, name string) error
	// overwritten is a file whose writes call hook too.
	overwritten string
}

func (h *hookFS) call(op, name string) error {
	if h.hook == nil {
		return nil
	}
	return h.hook(op, name)
}

func (h *hookFS) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	if err := h.call("open", name); err != nil {
		return nil, err
	}
	if flag&(os.O_RDWR|os.O_WRONLY) != 0 {
		if err := h.call("open-to-write", name); err != nil {
			return nil, err
		}
	}
	f, err := h.FS.OpenFile(name, flag, perm)
	if err == nil && name == h.overwritten {
		f = &hookFile{f, h}
	}
	return f, err
}

// hookFile calls hook before what overwrites a file.
type hookFile struct {
	fsys.File
	h *hookFS
}

func (f *hookFile) Truncate(size int64) error {
	if err := f.h.call("overwrite", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *hookFile) Write(p []byte) (int, error) {
	if err := f.h.call("overwrite", f.Name()); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *hookFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.h.call("overwrite", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (h *hookFS) Rename(from, to string) error {
	if err := h.call("rename", to); err != nil {
		return err
	}
	return h.FS.Rename(from, to)
}

// Exchange is told by the name of the file that is replaced, whichever way round.
func (h *hookFS) Exchange(a, b string) error {
	name := b
	if strings.HasPrefix(filepath.Base(b), ".jtx-") {
		name = a
	}
	if err := h.call("exchange", name); err != nil {
		return err
	}
	return h.FS.Exchange(a, b)
}

func (h *hookFS) Lstat(name string) (fs.FileInfo, error) {
	if err := h.call("lstat", name); err != nil {
		return nil, err
	}
	return h.FS.Lstat(name)
}

func (h *hookFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := h.call("readdir", name); err != nil {
		return nil, err
	}
	return h.FS.ReadDir(name)
}

func openHooked(t *testing.T, o txn.Options) (*txn.Store, *hookFS, string) {
	t.Helper()
	h := &hookFS{FS: fsys.OS}
	o.Actor = "tester"
	o = txntest.With(o, txntest.Hooks{FS: h})
	dir := t.TempDir()
	s, err := txn.Open(dir, o)
	require.NoError(t, err)
	return s, h, dir
}

// letGo has whoever keeps a file's locks in this process give them back: a test is
// about to change what only the holder of the locks may.
func letGo(t *testing.T, dir, file string) {
	t.Helper()
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	_, err = s.Do(context.Background(), []string{file}, func(*txn.Tx) error { return nil })
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
