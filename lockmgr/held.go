package lockmgr

import (
	"errors"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Held is a set of locks that were acquired together.
type Held struct {
	m      *Manager
	mu     sync.Mutex
	locks  []heldLock
	waited time.Duration
	// stamper leaves the holder's texts later, nil where there is nothing to leave.
	stamper *time.Timer
	idles   int       // how often Idle was called
	looked  time.Time // when Wanted looked for those who leave no mark
}

type heldLock struct {
	q     *queue
	fl    *flock.Flock
	mode  Mode
	since time.Time
	// unstamped says that the holder's text is to be left, and is not yet.
	unstamped bool
}

// Release gives all the locks back. It is idempotent.
func (h *Held) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.giveBack()
}

// giveBack really unlocks the files, also where the next holder waits in this
// process: a lock handed over inside a process would starve the others.
func (h *Held) giveBack() error {
	h.busy()
	if h.stamper != nil {
		h.stamper.Stop()
	}
	var errs []error
	for i := len(h.locks) - 1; i >= 0; i-- {
		l := &h.locks[i]
		if err := l.fl.Unlock(); err != nil {
			errs = append(errs, err)
		}
		h.m.leave(l.q, l.mode)
	}
	h.locks = nil
	return errors.Join(errs...)
}

// Waited is how long Acquire had to wait, zero where nothing was in the way.
func (h *Held) Waited() time.Duration { return h.waited }

// holdsExclusive says whether the lock file at path is held exclusively.
func (h *Held) holdsExclusive(path string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.locks {
		if h.locks[i].q.path == path {
			return h.locks[i].mode == Exclusive
		}
	}
	return false
}
