package fsys

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsupported are the errors of systems that don't know the call, or don't allow it.
var unsupported = []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EINVAL, unix.ESPIPE, unix.EOPNOTSUPP}

// startWriteOut waits for nothing: sync_file_range(2) without one of its WAIT flags only
// begins. It takes no error of an earlier write away from the fsync that follows, but
// what it meets itself need not show there again.
func startWriteOut(f File, off, n int64) error {
	err := unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
	if errno := syscall.Errno(0); errors.As(err, &errno) && !slices.Contains(unsupported, errno) {
		return &os.PathError{Op: "sync_file_range", Path: f.Name(), Err: err}
	}
	return nil
}
