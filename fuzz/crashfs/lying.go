package crashfs

import (
	"io/fs"

	"github.com/jtx-project/jtx/wal/fsys"
)

// DropSyncs is fsy with the syncs left out for which drop is true. It makes a
// correct program into one with that fault, which an exploration must then find:
// give it to the program in place of the Recorder, around it.
func DropSyncs(fsy fsys.FS, drop func(name string, isDir bool) bool) fsys.FS {
	return lyingFS{fsy, drop}
}

type lyingFS struct {
	fsys.FS
	drop func(name string, isDir bool) bool
}

type lyingFile struct {
	fsys.File
	drop func(name string, isDir bool) bool
}

func (l lyingFS) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	f, err := l.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return lyingFile{f, l.drop}, nil
}

func (f lyingFile) Sync() error     { return f.unless(f.File.Sync) }
func (f lyingFile) Datasync() error { return f.unless(f.File.Datasync) }

func (f lyingFile) unless(sync func() error) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if f.drop(f.Name(), st.IsDir()) {
		return nil
	}
	return sync()
}
