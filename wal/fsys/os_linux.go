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
		if err := fn(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openFile is os.OpenFile without five system calls that try whether a regular file
// can be waited for.
func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if _, _, ours := beneath(name); ours {
		return openOurs(name, flag, perm)
	}
	fd, err := openat(unix.AT_FDCWD, Reach(name), flag, uint32(perm.Perm()))
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func mkdir(name string, perm fs.FileMode) error {
	return at("mkdir", name, func(s spot) error { return unix.Mkdirat(s.dir, s.name, uint32(perm.Perm())) })
}

// remove is os.Remove: of a file, or an empty directory.
func remove(name string) error {
	return at("remove", name, func(s spot) error {
		err := unix.Unlinkat(s.dir, s.name, 0)
		if err != unix.EISDIR && err != unix.EPERM { // POSIX has EPERM for a directory
			return err
		}
		if dirErr := unix.Unlinkat(s.dir, s.name, unix.AT_REMOVEDIR); dirErr != unix.ENOTDIR {
			return dirErr
		}
		return err
	})
}

func lstat(op, name string) (info fs.FileInfo, err error) {
	if _, _, ok := within(name); !ok {
		return renamed(name, os.Lstat)
	}
	err = statBeneath(op, name, func(fd int) error {
		f := os.NewFile(uintptr(fd), name) // closes it
		defer f.Close()
		info, err = f.Stat()
		return err
	})
	return info, err
}

func link(oldname, newname string) error {
	return atBoth("link", oldname, newname, func(from, to spot) error {
		return unix.Linkat(from.dir, from.name, to.dir, to.name, 0)
	})
}

// rename is os.Rename without the look whether newname is a directory, which the
// system call refuses itself.
func rename(oldname, newname string) error {
	return atBoth("rename", oldname, newname, func(from, to spot) error {
		return unix.Renameat(from.dir, from.name, to.dir, to.name)
	})
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
	return atBoth("renameat2", oldname, newname, func(from, to spot) error {
		return unix.Renameat2(from.dir, from.name, to.dir, to.name, flags)
	})
}
