package fsys

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// datasync is fdatasync(2), retried on EINTR only: the call has then not begun.
func datasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

func (osFS) RenameNoReplace(oldname, newname string) error {
	return renameat2(oldname, newname, unix.RENAME_NOREPLACE)
}

func (osFS) Exchange(a, b string) error {
	return renameat2(a, b, unix.RENAME_EXCHANGE)
}

// renameat2 wraps renameat2(2). A kernel or file system without the flag answers
// ENOSYS or EINVAL, which errors.Is reports as errors.ErrUnsupported.
func renameat2(oldname, newname string, flags uint) error {
	err := unix.Renameat2(unix.AT_FDCWD, oldname, unix.AT_FDCWD, newname, flags)
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EINVAL) {
		err = unix.ENOTSUP
	}
	return &os.LinkError{Op: "renameat2", Old: oldname, New: newname, Err: err}
}
