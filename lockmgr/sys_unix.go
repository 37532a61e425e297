//go:build unix

package lockmgr

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// careful is given wherever a file beside a lock is opened. A symbolic link is
// refused: who may write the directory could otherwise have us write into
// another file of ours. A FIFO doesn't block; and for a regular file the flag
// spares four system calls by which package os would try it out.
const careful = unix.O_NOFOLLOW | unix.O_NONBLOCK

// noLocks is what file systems say that have no locks, as a server that has no room
// for them.
const noLocks = unix.ENOLCK

// textFile is a bare descriptor, because an os.File costs a microsecond more.
type textFile int

const noTextFile = textFile(-1)

// lookAndOpen opens the lock file for the text and compares what it opened with
// what was locked: one lookup of the path for both. It is not ok where the file
// can't be written.
func lookAndOpen(locked os.FileInfo, path string) (sight, bool) {
	var fd int
	var st unix.Stat_t
	err := retry(func() (err error) {
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC|careful, 0)
		return err
	})
	if err != nil {
		return sight{}, false
	}
	own, ok := locked.Sys().(*syscall.Stat_t)
	if !ok || unix.Fstat(fd, &st) != nil {
		_ = unix.Close(fd)
		return sight{}, false
	}
	same := own.Ino == st.Ino && uint64(own.Dev) == uint64(st.Dev)
	return sight{same: same, awaited: st.Size > textSize, text: textFile(fd)}, true
}

func (t textFile) write(text []byte) { _, _ = unix.Pwrite(int(t), text, 0) }

func (t textFile) close() { _ = unix.Close(int(t)) }

// missing says that there is certainly no such file. It costs less than an open
// that fails.
func missing(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.F_OK, 0) == unix.ENOENT
}

func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
