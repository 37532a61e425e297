//go:build !linux

package fsys

import (
	"errors"
	"io/fs"
	"os"
)

// Datasync is the full sync: on macOS os.File.Sync issues F_FULLFSYNC, and there
// is no cheaper call that is also durable.
func (f osFile) Datasync() error { return f.Sync() }

func (osFS) RenameNoReplace(oldname, newname string) error { return renameToNew(oldname, newname) }

func (osFS) Exchange(a, b string) error {
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: errors.ErrUnsupported}
}

func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func rename(oldname, newname string) error { return os.Rename(oldname, newname) }
