package session

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// pollable gives in as a file that the runtime's poller waits for, where it is a pipe or
// a socket. A reader that blocks in the system call holds a thread, and each request then
// costs a hand-over between threads: half of a session's time, where the disk is fast. A
// pipe is opened anew, since to be non-blocking belongs to all who have the same end of
// it open; a socket can't be, so one that is written to as well stays as it is.
func pollable(in io.Reader, out io.Writer) (r io.Reader, done func()) {
	nothing := func() {}
	f, ok := in.(*os.File)
	if !ok {
		return in, nothing
	}
	info, err := f.Stat()
	if err != nil {
		return in, nothing
	}
	switch info.Mode().Type() {
	case fs.ModeNamedPipe:
		again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return in, nothing
		}
		return again, func() { _ = again.Close() }
	case fs.ModeSocket:
		if isFile(out, info) || isFile(os.Stderr, info) {
			return in, nothing
		}
		fd, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			return in, nothing
		}
		syscall.CloseOnExec(fd)
		if err := syscall.SetNonblock(fd, true); err != nil {
			_ = syscall.Close(fd)
			return in, nothing
		}
		again := os.NewFile(uintptr(fd), f.Name())
		return again, func() {
			_ = syscall.SetNonblock(fd, false)
			_ = again.Close()
		}
	}
	return in, nothing
}

// isFile tells whether what is written to is an open file, perhaps by another descriptor.
func isFile(w io.Writer, info fs.FileInfo) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	other, err := f.Stat()
	return err == nil && os.SameFile(info, other)
}
