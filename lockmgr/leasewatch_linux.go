package lockmgr

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// leaseWatch tells when a lease may have ended: its directory changed, or its
// owner exited. It holds no thread; the runtime's poller waits.
type leaseWatch struct {
	// events gets a value, without blocking the sender, at each event.
	events chan struct{}
	// complete says that every way in which the lease can end is watched, but
	// for its time.
	complete bool
	files    []*os.File
}

func newLeaseWatch(lockPath string, owner *Process) *leaseWatch {
	w := &leaseWatch{events: make(chan struct{}, 1)}
	w.complete = w.watchDir(filepath.Dir(lockPath))
	if owner != nil && !w.watchOwner(*owner) {
		w.complete = false
	}
	return w
}

// watchDir watches for a new lease file. Other files of the directory change
// all the time, but seldom by being renamed.
func (w *leaseWatch) watchDir(dir string) bool {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return false
	}
	f := os.NewFile(uintptr(fd), "inotify")
	const events = unix.IN_MOVED_TO | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, events); err != nil {
		_ = f.Close()
		return false
	}
	w.files = append(w.files, f)
	go func() {
		buf := make([]byte, 4096)
		for {
			if _, err := f.Read(buf); err != nil {
				return
			}
			w.tell()
		}
	}()
	return true
}

// watchOwner watches for the end of the owner, where it is a process we can
// see. That it still is the owner is looked up after its descriptor is open.
func (w *leaseWatch) watchOwner(owner Process) bool {
	if owner.Alive() != Alive {
		return false
	}
	fd, err := unix.PidfdOpen(owner.PID, unix.PIDFD_NONBLOCK)
	if err != nil {
		return false
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	conn, err := f.SyscallConn()
	if err != nil || owner.Alive() != Alive {
		_ = f.Close()
		return false
	}
	w.files = append(w.files, f)
	go func() {
		if conn.Read(hasExited) == nil {
			w.tell()
		}
	}()
	return true
}

// hasExited says whether the process of a pidfd has exited.
func hasExited(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}

func (w *leaseWatch) tell() {
	select {
	case w.events <- struct{}{}:
	default:
	}
}

// close ends the goroutines too: it wakes their reads.
func (w *leaseWatch) close() {
	for _, f := range w.files {
		_ = f.Close()
	}
}
