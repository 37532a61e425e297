//go:build unix

package cli

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// EndUnread ends the command, as SIGPIPE does, when nobody can read its standard output
// any more. One that waits for something to print would hear of it by the first write
// only, which may be never.
func (a *App) EndUnread() {
	out, ok := a.Stdout.(*os.File)
	if !ok {
		return
	}
	go func() {
		fds := []unix.PollFd{{Fd: int32(out.Fd())}}
		for {
			switch _, err := unix.Poll(fds, -1); {
			case errors.Is(err, unix.EINTR):
				continue
			case err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
				a.Signals.cancel(&SignalError{syscall.SIGPIPE})
			}
			return
		}
	}()
}
