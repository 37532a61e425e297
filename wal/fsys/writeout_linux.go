package fsys

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriteOut waits for nothing: sync_file_range(2) without one of its WAIT flags only
// begins. It takes no error of an earlier write away from the fsync that follows, but
// what it meets itself need not show there again.
func startWriteOut(f File, off, n int64) error {
	err := unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
	if err == nil || Refused(err) || err == unix.ESPIPE {
		return nil
	}
	return &os.PathError{Op: "sync_file_range", Path: f.Name(), Err: err}
}
