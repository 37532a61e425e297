//go:build unix

package lockmgr

import (
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/wal/fsys"
)

// careful is given wherever a file beside a lock is opened. A symbolic link is
// refused: who may write the directory could otherwise have us write into
// another file of ours. A FIFO doesn't block; and for a regular file the flag
// spares four system calls by which package os would try it out.
const careful = unix.O_NOFOLLOW | unix.O_NONBLOCK

// noLocks is what file systems say that have no locks, as a server that has no room
// for them.
const noLocks = unix.ENOLCK

// missing says that there is certainly no such file. It costs less than an open
// that fails.
func missing(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, fsys.Reach(path), unix.F_OK, 0) == unix.ENOENT
}
