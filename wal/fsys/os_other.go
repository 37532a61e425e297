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

func (f osFile) Sync() error { return syncFile(f.File) }

func (osFS) RenameNoReplace(oldname, newname string) error { return renameToNew(oldname, newname) }

func (osFS) Exchange(a, b string) error {
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: errors.ErrUnsupported}
}

func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if err := checkOurs("open", name); err != nil {
		return nil, err
	}
	return openPlain(name, flag, perm)
}

func mkdir(name string, perm fs.FileMode) error {
	if err := checkBeneath("mkdir", name); err != nil {
		return err
	}
	return os.Mkdir(name, perm)
}

func remove(name string) error {
	if err := checkBeneath("remove", name); err != nil {
		return err
	}
	return os.Remove(name)
}

func lstat(op, name string) (fs.FileInfo, error) {
	if err := checkBeneath(op, name); err != nil {
		return nil, err
	}
	return os.Lstat(name)
}

func link(oldname, newname string) error {
	if err := checkBoth("link", oldname, newname); err != nil {
		return err
	}
	return os.Link(oldname, newname)
}

func rename(oldname, newname string) error {
	if err := checkBoth("rename", oldname, newname); err != nil {
		return err
	}
	return renamePlain(oldname, newname)
}

func checkBoth(op, oldname, newname string) error {
	if err := checkBeneath(op, oldname); err != nil {
		return err
	}
	return checkBeneath(op, newname)
}
