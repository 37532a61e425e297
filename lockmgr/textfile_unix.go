//go:build unix

package lockmgr

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noFollow keeps a lock file from being a symbolic link: who may write the
// directory could otherwise have us write into another file of ours.
const noFollow = unix.O_NOFOLLOW

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
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
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

func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
