package lockmgr

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Lease is a lock that outlives the process which took it, for a transaction of
// several processes. Every exclusive acquirer honours it: while it binds, only
// requests with its Tx get the lock. It binds until it is ended, its time is
// over, or its owner is dead. Within a boot its time is measured by the time since
// the machine was started, so that a clock that was wrong for a while doesn't move its end.
//
// A lease is the file "lease" beside the lock file. It is changed only under
// the exclusive lock, is replaced as a whole, and stays when the lease has
// ended, so that the tokens go on. It isn't synced: after a power cut its owner
// is dead, and a commit that relies on it fails.
type Lease struct {
	Tx string `json:"tx"`
	// Token is the fencing token. It grows with each grant on the same lock.
	Token uint64 `json:"token"`
	// Owner is the process that the lease lives with. Without one, only its
	// time ends it.
	Owner   *Process  `json:"owner,omitempty"`
	Expires time.Time `json:"expires"`
	Granted time.Time `json:"granted"`
	// Command is what people see. Without one, it is the granting process's.
	Command string `json:"command,omitempty"`
	// Ended is set when the lease was given up or broken.
	Ended bool `json:"ended,omitempty"`
	// Unseen is when it ends for those who can't see its owner, in a pid namespace of
	// its own for instance. Zero is Expires.
	Unseen time.Time `json:"unseen,omitzero"`
	// Kept says that the granting process holds a flock for as long as the lease is to
	// bind, see [Held.Keep]. Whether that is held tells more than Owner.
	Kept bool `json:"kept,omitempty"`
	// Boot and Uptime say when it was granted by a clock that nobody can set.
	Boot   string        `json:"boot,omitempty"`
	Uptime time.Duration `json:"uptime,omitempty"`

	// path is the lock file's, where the lease was read from beside it.
	path string
}

func (l Lease) String() string {
	s := "transaction " + l.Tx
	switch {
	case l.Command != "" && l.Owner != nil:
		s += fmt.Sprintf(" (%s, %s)", l.Command, l.Owner)
	case l.Command != "":
		s += fmt.Sprintf(" (%s)", l.Command)
	case l.Owner != nil:
		s += fmt.Sprintf(" (%s)", l.Owner)
	}
	if _, suspended := l.Suspended(); suspended {
		s += ", suspended"
	}
	return s + " until " + l.Expires.UTC().Format(time.RFC3339)
}

// Broken says whether the lease binds nobody any more, and why.
func (l Lease) Broken(now time.Time) (bool, string) {
	switch {
	case l.Ended:
		return true, "it was ended"
	case l.Granted.After(now.Add(MaxSkew)):
		return true, fmt.Sprintf("it was granted at %s, which is still to come: a clock was ahead", l.Granted.UTC().Format(time.RFC3339))
	case !now.Before(l.Expires):
		return true, "its time was over at " + l.Expires.UTC().Format(time.RFC3339)
	case l.Owner == nil:
		return false, ""
	}
	switch l.OwnerAlive() {
	case Dead:
		return true, fmt.Sprintf("its owner, %s, is dead", l.Owner)
	case Unknown:
		if !l.Unseen.IsZero() && !now.Before(l.Unseen) {
			return true, fmt.Sprintf("its owner, %s, can't be seen from here, and its time without that was over at %s", l.Owner, l.Unseen.UTC().Format(time.RFC3339))
		}
	}
	return false, ""
}

// Suspended says whether the owner is stopped, as far as it can be seen, and by which pid
// the caller knows it.
func (l Lease) Suspended() (pid int, suspended bool) {
	switch {
	case l.Owner == nil:
		return 0, false
	case l.Kept && l.path != "":
		pid = keeperPID(l.path)
	case l.Owner.Alive() == Alive:
		pid = l.Owner.PID
	}
	return pid, pid > 0 && isStopped(pid)
}

// OwnerAlive says whether the process lives to which the lease belongs: by the flock that it
// keeps for that, if it does, which tells across namespaces.
func (l Lease) OwnerAlive() Liveness {
	if l.Kept && l.path != "" {
		if state := keeperState(l.path); state != Unknown {
			return state
		}
	}
	return l.Owner.Alive()
}

// Grant gives l.Tx the lease on the lock file at path, which h must hold
// exclusively, until l.Expires. It returns the lease with its token and time of
// grant. A transaction that has the lease gets a new one with a new token.
func (h *Held) Grant(path string, l Lease) (Lease, error) {
	if !h.holdsExclusive(path) {
		return Lease{}, fmt.Errorf("grant the lease on %s: %w", path, ErrNotHeld)
	}
	if l.Tx == "" || l.Expires.IsZero() {
		return Lease{}, fmt.Errorf("grant the lease on %s: it has no transaction or no end", path)
	}
	last, _, err := readLeaseFile(path)
	if err != nil {
		return Lease{}, err
	}
	l.Token = last.Token + 1
	l.Granted = time.Now().UTC()
	l.Boot, l.Uptime = Self().Boot, 0
	if up, ok := uptime(); ok {
		l.Uptime = up
	}
	l.path = path
	l.Command = cmp.Or(l.Command, ownIdentity().command)
	l.Ended = false
	return l, writeLeaseFile(path, l)
}

// CheckLease is the fence at commit: [CheckLease] while the lock is held, so that
// what it says stays true.
func (h *Held) CheckLease(path, tx string, token uint64) error {
	if !h.holdsExclusive(path) {
		return fmt.Errorf("check the lease on %s: %w", path, ErrNotHeld)
	}
	return CheckLease(path, tx, token)
}

// CheckLease fails with [ErrLeaseBroken] unless the lease that was granted to tx with
// this token is the current one of the lock file at path, and binds.
func CheckLease(path, tx string, token uint64) error {
	l, ok, err := readLeaseFile(path)
	if err != nil {
		return err
	}
	why := ""
	switch broken, reason := l.Broken(time.Now()); {
	case !ok:
		why = "it is not there"
	case l.Tx != tx:
		why = "transaction " + l.Tx + " has it now"
	case l.Token != token:
		why = "it was granted again"
	case broken:
		why = reason
	default:
		return nil
	}
	return fmt.Errorf("%w: the lease of transaction %s: %s", ErrLeaseBroken, tx, why)
}

// EndLease ends the lease of tx on the lock file at path, which h must hold
// exclusively. It does nothing where that is not the current lease.
func (h *Held) EndLease(path, tx string) error {
	if !h.holdsExclusive(path) {
		return fmt.Errorf("end the lease on %s: %w", path, ErrNotHeld)
	}
	l, ok, err := readLeaseFile(path)
	if err != nil || !ok || l.Tx != tx || l.Ended {
		return err
	}
	return endLeaseFile(path, l)
}

// BreakLease ends the lease of tx on the lock file that r names whether or not it
// binds, so that tx can't commit under it. It fails with [ErrNoLease] where
// that is not the current lease, and else as [Manager.Acquire] does.
func (m *Manager) BreakLease(ctx context.Context, timeout time.Duration, r Request, tx string) error {
	path := r.Path
	r.Mode, r.anyLease = Exclusive, true
	h, err := m.Acquire(ctx, timeout, []Request{r})
	if err != nil {
		return err
	}
	defer h.Release()
	l, ok, err := ReadLease(path)
	if err != nil {
		return err
	}
	if !ok || l.Tx != tx {
		return fmt.Errorf("%w: transaction %s on %s", ErrNoLease, tx, path)
	}
	return h.EndLease(path, tx)
}

// ReadLease reads the lease on a lock file. It is false where none was granted
// or the last one has ended; one that is broken is there until somebody takes
// the lock. No lock is needed.
func ReadLease(lockPath string) (Lease, bool, error) {
	l, ok, err := readLeaseFile(lockPath)
	return l, ok && !l.Ended, err
}
