package lockmgr

import (
	"os"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// attempt is one goroutine in a blocking call. Such a call can't be cancelled
// and holds a thread, so there is one per lock file and mode: where its caller
// goes, it stays behind as a ghost, and the next caller of that mode takes it
// over. A ghost that gets the lock gives it back at once.
type attempt struct {
	mode Mode
	// file is what the path named when the attempt began, nil if nothing.
	file os.FileInfo
	// result receives once, where there is a caller.
	result chan outcome

	// The rest is guarded by Manager.mu.
	abandoned bool
	finished  bool
	gate      *gate
}

type outcome struct {
	fl  *flock.Flock
	err error
}

// await waits for the lock in an attempt. The caller holds q's slot.
func (m *Manager) await(p *patience, q *queue, r *Request) (*flock.Flock, error) {
	a := m.attemptFor(q, r)
	defer p.tell(func() *TimeoutError { return m.inTheWay(r, nil) })()
	select {
	case o := <-a.result:
		return o.fl, o.err
	case <-p.done():
	}
	if !m.abandon(q, a) {
		o := <-a.result
		return o.fl, o.err
	}
	return nil, m.gaveUp(p, r, nil)
}

// attemptFor takes over the ghost of an earlier caller, or starts an attempt
// where there is none that waits for the present lock file.
func (m *Manager) attemptFor(q *queue, r *Request) *attempt {
	file, _ := fsys.OS.Lstat(r.Path)
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := q.ghosts[r.Mode]; a != nil && a.file != nil && os.SameFile(a.file, file) {
		q.ghosts[r.Mode] = nil
		a.abandoned = false
		return a
	}
	a := &attempt{mode: r.Mode, file: file, result: make(chan outcome, 1)}
	go m.run(q, a, *r)
	return a
}

// run is the goroutine of an attempt.
func (m *Manager) run(q *queue, a *attempt, r Request) {
	if !m.arrive(q, a, enterGate(&r)) {
		return
	}
	fl, err := openLocked(&r, block)
	m.openGate(a)
	if m.deliver(q, a) {
		a.result <- outcome{fl, err}
	} else if err == nil {
		_ = fl.Unlock()
	}
}

// arrive notes that the attempt stands at the head of the line. It says no, and
// makes room, where the caller has gone meanwhile.
func (m *Manager) arrive(q *queue, a *attempt, g *gate) bool {
	m.mu.Lock()
	gone := a.abandoned
	if gone {
		m.bury(q, a)
	} else {
		a.gate = g
	}
	m.mu.Unlock()
	if gone {
		g.pass()
	}
	return !gone
}

// deliver says whether there is a caller to take the result.
func (m *Manager) deliver(q *queue, a *attempt) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.abandoned {
		m.bury(q, a)
		return false
	}
	a.finished = true
	return true
}

// abandon leaves the attempt to itself, or says no where its result is there.
// It makes room at the gate: others may be able to have the lock, readers say,
// while this attempt can't.
func (m *Manager) abandon(q *queue, a *attempt) bool {
	m.mu.Lock()
	if a.finished {
		m.mu.Unlock()
		return false
	}
	a.abandoned = true
	q.ghosts[a.mode] = a
	m.mu.Unlock()
	m.openGate(a)
	return true
}

func (m *Manager) openGate(a *attempt) {
	m.mu.Lock()
	g := a.gate
	a.gate = nil
	m.mu.Unlock()
	g.pass()
}

// bury forgets a ghost. The caller holds m.mu.
func (m *Manager) bury(q *queue, a *attempt) {
	if q.ghosts[a.mode] == a {
		q.ghosts[a.mode] = nil
	}
	m.advance(q)
}
