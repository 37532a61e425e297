package lockmgr

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// State says how a lock is held at a moment.
type State uint8

const (
	Free State = iota
	HeldShared
	HeldExclusive
)

func (s State) String() string { return [...]string{"free", "shared", "exclusive"}[s] }

// Status is what [Manager.Probe] finds. Holders and Waiters may be incomplete:
// processes of other hosts and pid namespaces can't be seen, and a process that
// waits is listed once, however many of its goroutines do.
type Status struct {
	State   State
	Holders []Holder
	Waiters []Holder
	// Lease is the lease of the lock, nil where there is none or it has ended.
	// It may be broken.
	Lease *Lease
}

// Probe looks who holds the lock file at path and who waits for it, without
// waiting, and without creating the file: a missing one is free.
//
// On Linux it asks the kernel and disturbs nobody. Only where that can't tell,
// for a holder of another pid namespace, it tries the lock for a moment.
func (m *Manager) Probe(path string) (Status, error) {
	var s Status
	if l, ok, err := ReadLease(path); err == nil && ok {
		s.Lease = &l
	}
	file, err := fsys.OS.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	t, err := readText(path)
	if err != nil {
		return s, err
	}
	locks, known := kernelLocks(path, file)
	s.add(locks, t)
	if s.State == Free && (!known || !kernelTells() || elsewhere(t)) {
		s.State, err = tryState(path)
		if s.State == HeldExclusive && t != nil {
			s.Holders = append(s.Holders, t.holder())
		}
	}
	s.addWaiters(path + queueSuffix)
	s.addWaiters(leaseQueuePath(path))
	return s, err
}

// kernelLock is a flock that the kernel knows of.
type kernelLock struct {
	pid   int
	mode  Mode
	waits bool
}

func (s *Status) add(locks []kernelLock, t *text) {
	for _, l := range locks {
		if l.waits {
			s.Waiters = append(s.Waiters, describe(l))
			continue
		}
		s.State = max(s.State, stateOf(l.mode))
		h := describe(l)
		if t != nil && l.mode == Exclusive && t.PID == h.PID && !elsewhere(t) && sameStart(t.Started, h.Started) {
			suspended := h.Suspended
			h = t.holder()
			h.Suspended = suspended
		}
		s.Holders = append(s.Holders, h)
	}
}

// addWaiters adds those who stand in line at a queue file. Who holds that is
// at the head of the line, and may be listed already.
func (s *Status) addWaiters(queue string) {
	file, err := fsys.OS.Lstat(queue)
	if err != nil {
		return
	}
	seen := map[int]bool{}
	for _, w := range s.Waiters {
		seen[w.PID] = true
	}
	locks, _ := kernelLocks(queue, file)
	for _, l := range locks {
		if !seen[l.pid] {
			seen[l.pid] = true
			s.Waiters = append(s.Waiters, describe(l))
		}
	}
}

// sameStart compares two computations of a process's start. Zero is unknown.
func sameStart(a, b time.Time) bool {
	return a.IsZero() || b.IsZero() || a.Sub(b).Abs() <= 2*time.Second
}

func describe(l kernelLock) Holder {
	h := Holder{PID: l.pid, Host: Self().Host, Mode: l.mode, Command: commandLine(l.pid)}
	if p, err := ProcessOf(l.pid); err == nil {
		h.Started, h.Suspended = startedAt(p), p.Suspended()
	}
	return h
}

func stateOf(m Mode) State {
	if m == Exclusive {
		return HeldExclusive
	}
	return HeldShared
}

// elsewhere says whether the text was left by a process that the kernel would
// not show to us. No text was left by nobody.
func elsewhere(t *text) bool {
	return t != nil && (t.Host != clip(Self().Host, maxHost) || t.PIDNS != Self().PIDNS)
}

// tryState finds the state by trying the lock.
func tryState(path string) (State, error) {
	for _, try := range []struct {
		mode   Mode
		denied State
	}{{Shared, HeldExclusive}, {Exclusive, HeldShared}} {
		fl := flock.New(path, flock.SetFlag(os.O_RDONLY|careful))
		err := tryOnce(fl, try.mode)
		if errors.Is(err, errHeld) {
			return try.denied, nil
		}
		if err != nil {
			return Free, err
		}
		_ = fl.Unlock()
	}
	return Free, nil
}

// currentHolder is the holder that the error of a wait names: who holds the
// lock now, else the last one that left its text and still runs.
func (m *Manager) currentHolder(path string) (Holder, bool) {
	s, err := m.Probe(path)
	if err != nil {
		return Holder{}, false
	}
	if len(s.Holders) > 0 {
		return s.Holders[0], true
	}
	t, err := readText(path)
	if err != nil || t == nil || elsewhere(t) {
		return Holder{}, false
	}
	p, err := ProcessOf(t.PID)
	if err != nil || !sameStart(t.Started, startedAt(p)) {
		return Holder{}, false
	}
	h := t.holder()
	h.Suspended = p.Suspended()
	return h, true
}
