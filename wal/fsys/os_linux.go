package fsys

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func (f osFile) Sync() error     { return syncFile(f.File, false) }
func (f osFile) Datasync() error { return syncFile(f.File, true) }

// retried calls fn until no signal interrupts it.
func retried(fn func() error) error {
	for {
		if err := fn(); err != unix.EINTR {
			return err
		}
	}
}

// openFile is os.OpenFile without five system calls that try whether a regular file
// can be waited for.
func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	var fd int
	err := retried(func() (err error) {
		fd, err = unix.Open(name, flag|unix.O_CLOEXEC, uint32(perm.Perm()))
		return err
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// rename is os.Rename without the look whether newname is a directory, which the
// system call refuses itself.
func rename(oldname, newname string) error {
	err := retried(func() error { return unix.Rename(oldname, newname) })
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (osFS) RenameNoReplace(oldname, newname string) error {
	err := renameat2(oldname, newname, unix.RENAME_NOREPLACE)
	if Refused(err) {
		return renameToNew(oldname, newname)
	}
	return err
}

func (osFS) Exchange(a, b string) error {
	err := renameat2(a, b, unix.RENAME_EXCHANGE)
	if Refused(err) {
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: errors.ErrUnsupported}
	}
	return err
}

func renameat2(oldname, newname string, flags uint) error {
	err := retried(func() error { return unix.Renameat2(unix.AT_FDCWD, oldname, unix.AT_FDCWD, newname, flags) })
	if err != nil {
		return &os.LinkError{Op: "renameat2", Old: oldname, New: newname, Err: err}
	}
	return nil
}
