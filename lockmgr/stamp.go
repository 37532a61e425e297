package lockmgr

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// A holder's text is for people who wait, or who ask who holds what. Most holders are
// gone before anybody could ask, and a lock file whose times nobody has changed tells a
// reader that nobody has written. So the text is left by those who had to wait
// themselves, which is where others will too; by those who hold for long; and at once
// only where nobody could see the holder by other means.

// stampAge is how long a lock is held before its holder leaves its text.
const stampAge = 50 * time.Millisecond

// initialPIDNS is the inode of the first pid namespace of every Linux kernel.
const initialPIDNS = 0xEFFFFFFC

// kernelTells says that the list of the kernel's locks can be read, and that this process
// is in the namespace that all others are in or below: it finds all of this machine's
// there, and those in its own namespace find it. Those below ask the lock itself.
var kernelTells = sync.OnceValue(func() bool {
	if _, err := os.Stat("/proc/locks"); err != nil {
		return false
	}
	inode, ok := strings.CutPrefix(pidNamespace(), "pid:[")
	return ok && inode == strconv.FormatUint(initialPIDNS, 10)+"]"
})

// stampSoon leaves the texts of locks that are held for long, or at once where only
// they can tell who holds them.
func (h *Held) stampSoon() {
	h.mu.Lock()
	defer h.mu.Unlock()
	wanted := false
	for i := range h.locks {
		wanted = wanted || h.locks[i].unstamped
	}
	switch {
	case !wanted:
	case kernelTells():
		h.stamper = time.AfterFunc(stampAge, h.stampNow)
	default:
		h.stampAll()
	}
}

func (h *Held) stampNow() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stampAll() // of none, where they were given back meanwhile
}

// stampAll is stampNow for a caller that holds h.mu.
func (h *Held) stampAll() {
	for i := range h.locks {
		if l := &h.locks[i]; l.unstamped {
			l.unstamped = false
			leaveText(l.fl, l.q.path, l.mode, l.since)
		}
	}
}

// leaveText writes the holder's text into the file that fl locks, which path should
// name. A failure is nobody's loss: the text is for people only.
func leaveText(fl *flock.Flock, path string, mode Mode, since time.Time) {
	f, err := fsys.OS.OpenFile(path, os.O_WRONLY|careful, 0)
	if err != nil {
		return
	}
	defer f.Close()
	locked, err := fl.Stat()
	if err != nil {
		return
	}
	if named, err := f.Stat(); err == nil && os.SameFile(locked, named) {
		_, _ = f.WriteAt(holderText(mode, since), 0)
	}
}
