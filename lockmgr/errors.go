package lockmgr

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrTimeout is returned when the wait for a lock ran out.
	ErrTimeout = errors.New("lock timeout")
	// ErrNoLocks is returned where the system refuses flock(2) itself: nothing keeps
	// two writers apart then.
	ErrNoLocks = errors.New("no locks can be taken here, and nothing else keeps two writers apart")
	// ErrLeaseBroken is returned when a transaction relies on a lease that has
	// ended, was broken, or has been granted to somebody else since.
	ErrLeaseBroken = errors.New("lease broken")
	// ErrNoLease is returned when the lease to be broken is not there.
	ErrNoLease = errors.New("no such lease")
	// ErrNotHeld is returned when a lease is granted, checked or ended by
	// somebody who doesn't hold the lock exclusively.
	ErrNotHeld = errors.New("lock not held exclusively")
)

// TimeoutError says what stood in the way when a wait ran out. It is an
// [ErrTimeout], and a [context.DeadlineExceeded] where it was the context whose
// deadline came first.
type TimeoutError struct {
	// Path is the lock file, Name what the user calls it.
	Path, Name string
	// Holder is who held the lock at the end, if that is Known.
	Holder Holder
	Known  bool
	// Waited is zero where the caller didn't want to wait.
	Waited time.Duration
	// Lease is set where the lock itself was free but leased.
	Lease *Lease

	cause error
}

func (e *TimeoutError) Error() string {
	var b strings.Builder
	switch {
	case e.Lease != nil:
		fmt.Fprintf(&b, "%s is leased by %s", e.Name, e.Lease)
	case e.Known:
		fmt.Fprintf(&b, "%s is locked by %s", e.Name, e.Holder)
	default:
		fmt.Fprintf(&b, "%s is locked by another process", e.Name)
	}
	if e.Waited > 0 {
		fmt.Fprintf(&b, ", gave up after %s", e.Waited.Round(time.Millisecond))
	}
	return b.String()
}

// Unwrap makes the error an ErrTimeout.
func (e *TimeoutError) Unwrap() []error {
	if e.cause != nil {
		return []error{ErrTimeout, e.cause}
	}
	return []error{ErrTimeout}
}

// gaveUp is the error of a wait that is over, or of one that was not wanted.
func (m *Manager) gaveUp(p *patience, r *Request, l *Lease) error {
	cause := p.ctx.Err()
	if errors.Is(cause, context.Canceled) {
		return fmt.Errorf("wait for the lock of %s: %w", r.name(), context.Cause(p.ctx))
	}
	e := m.inTheWay(r, l)
	e.Waited, e.cause = p.waited(), cause
	return e
}

// inTheWay says what a request waits for.
func (m *Manager) inTheWay(r *Request, l *Lease) *TimeoutError {
	e := &TimeoutError{Path: r.Path, Name: r.name(), Lease: l}
	if l == nil {
		e.Holder, e.Known = m.currentHolder(r.Path)
	}
	return e
}
