// Package lockmgr is the only place in jtx that knows flock(2). It hands out
// shared and exclusive locks on lock files: in a fixed order over any number of
// files, blocking with a deadline and without polling, and it keeps the leases
// by which a transaction of several processes holds its files.
//
// It knows nothing of the content of the files that its locks stand for.
//
// # How a lock is taken
//
//  1. The callers of one process line up in a fair queue per lock file
//     (queue.go). Only who is admitted there touches the lock file.
//  2. A fresh [flock.Flock] tries the lock. If that succeeds, the path must
//     still name the inode that was locked, else it starts again.
//  3. If the lock is taken, one goroutine per lock file sits in the blocking
//     call (attempt.go), behind a second lock file, PATH.queue, at which the
//     waiters of all processes line up (gate.go). Whoever wins a lock by trying
//     while somebody stands there gives it back and lines up too, so that a
//     busy process cannot starve the others, nor readers a writer.
//  4. A holder may keep its locks beyond its work, so as to have them at hand for
//     the next (idle.go). It is asked to give them back when another caller of
//     the process comes, and must look by itself, often, whether one of another
//     process waits.
//  5. An exclusive holder honours the lease of another transaction: it gives
//     everything back and waits for the lease to end (leasewait.go).
//
// # Files
//
// Beside a lock file PATH in its directory there may be PATH.queue, an empty
// file made when somebody first has to wait, and "lease" (see [Lease]), with
// "lease.tmp" while it is written, and "lease.queue", made when somebody first
// has to wait for a lease. A lock file and its queues are never renamed and never
// unlinked.
//
// A lock file has 1,024 bytes. In the first 512 is one line of JSON that names an
// exclusive holder, padded with spaces. It is for people only, and written by a holder
// that had to wait, or has held the lock for 50 ms; at once where the kernel does not
// show this process to others. The rest belongs to whoever holds the lock. A 1,025th
// byte says that somebody waits; it is a hint, and a stale one costs the next holder a
// few microseconds and is taken away by it.
package lockmgr

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"
)

// Mode says how a lock is held.
type Mode uint8

const (
	// Shared admits other shared holders and keeps exclusive ones out.
	Shared Mode = iota
	// Exclusive keeps everyone else out.
	Exclusive
)

func (m Mode) String() string {
	if m == Exclusive {
		return "exclusive"
	}
	return "shared"
}

// Request asks for one lock.
type Request struct {
	// Order is the sort key: workspace id, NUL, path bytes. Requests are
	// acquired in ascending Order, so that no two callers deadlock.
	Order string
	// Path is the lock file. Its directory must exist; the file is made where
	// it is missing and the directory may be written.
	Path string
	Mode Mode
	// Perm is the mode of a lock file that is made, whatever the umask says.
	// Zero means 0600.
	Perm fs.FileMode
	// Tx is the transaction whose leases let this request pass.
	Tx string
	// Name is what errors call the lock: the user's file. Empty means Path.
	Name string
	// NoHolder keeps an exclusive holder from writing its text.
	NoHolder bool

	// anyLease lets the request pass every lease. Breaking one needs it.
	anyLease bool
}

func (r *Request) perm() fs.FileMode {
	if r.Perm == 0 {
		return 0o600
	}
	return r.Perm.Perm()
}

func (r *Request) name() string { return cmp.Or(r.Name, r.Path) }

// Manager hands out locks. One per process is normal ([Default]); the locks of
// two managers exclude each other as those of two processes do.
type Manager struct {
	mu         sync.Mutex
	queues     map[string]*queue
	leaseWaits map[leaseKey]*leaseWait
}

// Default is the manager that a process uses unless it has a reason not to.
var Default = New()

// New returns a manager that holds nothing.
func New() *Manager {
	return &Manager{queues: map[string]*queue{}, leaseWaits: map[leaseKey]*leaseWait{}}
}

// Acquire takes all the locks, or none and returns an error. A timeout of zero
// does not wait at all, a negative one waits as long as ctx allows. Requests
// for the same path are merged; the strongest mode wins. No requests are no
// locks and no error.
//
// The error is a [*TimeoutError] where the time ran out, wraps ctx's cause
// where ctx was cancelled, wraps [fs.ErrNotExist] where the directory of a lock
// file is not there (any more), and [fs.ErrPermission] where the lock file can
// be neither opened nor made.
//
// A goroutine must not acquire a path which it holds already, not even shared
// twice: behind a waiting writer it would wait for itself.
func (m *Manager) Acquire(ctx context.Context, timeout time.Duration, reqs []Request) (*Held, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("wait for a lock: %w", context.Cause(ctx))
	}
	p := newPatience(ctx, timeout)
	defer p.stop()
	sorted := merge(reqs)
	for {
		h, lease, err := m.acquireAll(p, sorted)
		if err != nil {
			return nil, err
		}
		if lease == nil {
			h.waited = p.waited()
			h.stampSoon()
			return h, nil
		}
		if err := m.awaitLease(p, lease); err != nil {
			return nil, err
		}
	}
}

// acquireAll takes the locks in order. Where a lease stands in the way it gives
// back what it has and returns the lease.
func (m *Manager) acquireAll(p *patience, reqs []Request) (*Held, *leaseInTheWay, error) {
	h := &Held{m: m, locks: make([]heldLock, 0, len(reqs))}
	for i := range reqs {
		r := &reqs[i]
		l, err := m.acquireOne(p, r)
		if err != nil {
			h.giveBack()
			return nil, nil, err
		}
		h.locks = append(h.locks, l)
		lease, err := honourLease(r)
		if err != nil {
			h.giveBack()
			return nil, nil, err
		}
		if lease != nil {
			h.giveBack()
			return nil, &leaseInTheWay{r, *lease}, nil
		}
	}
	return h, nil, nil
}

func (m *Manager) acquireOne(p *patience, r *Request) (heldLock, error) {
	q, err := m.enter(p, r)
	if err != nil {
		return heldLock{}, err
	}
	fl, waited, err := m.lockFile(p, q, r)
	if err != nil {
		m.leave(q, r.Mode)
		return heldLock{}, err
	}
	l := heldLock{q: q, fl: fl, mode: r.Mode, since: time.Now(), unstamped: r.Mode == Exclusive && !r.NoHolder}
	if waited && l.unstamped {
		l.unstamped = false
		leaveText(fl, r.Path, r.Mode, l.since)
	}
	return l, nil
}

// merge returns the requests in the order of acquisition, one per path.
func merge(reqs []Request) []Request {
	if len(reqs) == 1 {
		return reqs[:1:1]
	}
	byPath := make(map[string]int, len(reqs))
	merged := make([]Request, 0, len(reqs))
	for _, r := range reqs {
		i, seen := byPath[r.Path]
		if !seen {
			byPath[r.Path] = len(merged)
			merged = append(merged, r)
			continue
		}
		o := &merged[i]
		o.Order = min(o.Order, r.Order)
		o.Mode = max(o.Mode, r.Mode)
		o.Perm = cmp.Or(o.Perm, r.Perm)
		o.Tx = cmp.Or(o.Tx, r.Tx)
		o.Name = cmp.Or(o.Name, r.Name)
		o.NoHolder = o.NoHolder && r.NoHolder
	}
	slices.SortFunc(merged, func(a, b Request) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Path, b.Path))
	})
	return merged
}
