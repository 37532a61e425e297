package fsys

import (
	"os"

	"golang.org/x/sys/unix"
)

// Lease takes a write lease on f (fcntl(2), F_SETLEASE), which succeeds only where
// no other descriptor, of any process, has the file open. Whoever opens it
// afterwards waits until the lease is given back, or f is closed.
func Lease(f File) error { return setLease(f, unix.F_WRLCK) }

// Unlease gives a lease back.
func Unlease(f File) error { return setLease(f, unix.F_UNLCK) }

func setLease(f File, kind int) error {
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, kind); err != nil {
		return &os.PathError{Op: "lease", Path: f.Name(), Err: err}
	}
	return nil
}
