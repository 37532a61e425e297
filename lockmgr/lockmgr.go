// Package lockmgr is the only place in jtx that knows flock(2). It hands out
// shared and exclusive locks on lock files: in a fixed order over any number of
// files, blocking with a deadline and without polling, and it keeps the leases
// by which a transaction of several processes holds its files.
//
// It knows nothing of the content of the files that its locks stand for.
package lockmgr

import (
	"context"
	"errors"
	"io/fs"
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
}

var errSkeleton = errors.New("lockmgr: not built yet")

// Manager hands out locks. One per process is normal ([Default]); the locks of
// two managers exclude each other as those of two processes do.
type Manager struct{}

// Default is the manager that a process uses unless it has a reason not to.
var Default = New()

// New returns a manager that holds nothing.
func New() *Manager { return &Manager{} }

// Acquire takes all the locks or none.
func (m *Manager) Acquire(ctx context.Context, timeout time.Duration, reqs []Request) (*Held, error) {
	return nil, errSkeleton
}

// Held is a set of locks that were acquired together.
type Held struct{}

// Release gives all the locks back. It is idempotent.
func (h *Held) Release() error { return nil }

// Waited is how long Acquire had to wait, zero where nothing was in the way.
func (h *Held) Waited() time.Duration { return 0 }

// Holder is what is known about a holder of a lock.
type Holder struct {
	PID     int
	Started time.Time
	Host    string
	Command string
	Since   time.Time
	Mode    Mode
}

// ReadHolder reads the text in a lock file.
func ReadHolder(path string) (Holder, bool, error) { return Holder{}, false, errSkeleton }

// State says how a lock is held at the moment.
type State uint8

const (
	Free State = iota
	HeldShared
	HeldExclusive
)

// Status is what [Manager.Probe] finds.
type Status struct {
	State   State
	Holders []Holder
	Waiters []Holder
	Lease   *Lease
}

// Probe looks who holds and who waits, without waiting.
func (m *Manager) Probe(path string) (Status, error) { return Status{}, errSkeleton }

var (
	ErrTimeout     = errors.New("lock timeout")
	ErrLeaseBroken = errors.New("lease broken")
	ErrNoLease     = errors.New("no such lease")
)

// TimeoutError says whom a wait that ran out was for.
type TimeoutError struct {
	Path, Name string
	Holder     Holder
	Known      bool
	Waited     time.Duration
	Lease      *Lease
}

func (e *TimeoutError) Error() string { return "lock timeout" }
func (e *TimeoutError) Unwrap() error { return ErrTimeout }

// Process names one process beyond the reuse of its pid.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start,omitempty"`
	Host  string `json:"host,omitempty"`
	Boot  string `json:"boot,omitempty"`
	PIDNS string `json:"pidns,omitempty"`
}

// Liveness is what can be said about a process.
type Liveness uint8

const (
	Unknown Liveness = iota
	Alive
	Dead
)

// Self is the calling process.
func Self() Process { return Process{} }

// ProcessOf describes a process of this pid namespace.
func ProcessOf(pid int) (Process, error) { return Process{}, errSkeleton }

// Alive says whether the process still runs.
func (p Process) Alive() Liveness { return Unknown }

// Lease is a lock held across processes.
type Lease struct {
	Tx      string    `json:"tx"`
	Token   uint64    `json:"token"`
	Owner   *Process  `json:"owner,omitempty"`
	Expires time.Time `json:"expires"`
	Granted time.Time `json:"granted"`
	Command string    `json:"command,omitempty"`
	Ended   bool      `json:"ended,omitempty"`
}

// Broken says whether the lease binds nobody any more, and why.
func (l Lease) Broken(now time.Time) (bool, string) { return false, "" }

// Grant gives the lease on path to l.Tx.
func (h *Held) Grant(path string, l Lease) (Lease, error) { return l, errSkeleton }

// CheckLease is the fence at commit.
func (h *Held) CheckLease(path, tx string, token uint64) error { return errSkeleton }

// EndLease ends the lease of tx on path.
func (h *Held) EndLease(path, tx string) error { return errSkeleton }

// BreakLease ends the lease of tx on path without its consent.
func (m *Manager) BreakLease(ctx context.Context, timeout time.Duration, path, tx string) error {
	return errSkeleton
}

// ReadLease reads the lease beside a lock file.
func ReadLease(lockPath string) (Lease, bool, error) { return Lease{}, false, errSkeleton }
