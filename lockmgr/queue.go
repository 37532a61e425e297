package lockmgr

import "slices"

// queue orders the callers of one process for one lock file: first come, first
// served, readers together. Since nobody overtakes a waiting writer, readers
// can't starve it. All fields but slot are guarded by Manager.mu.
type queue struct {
	path    string
	waiting []*ticket
	readers int
	writer  bool
	// ghosts are attempts whose callers have gone, by mode.
	ghosts [2]*attempt
	// idle are the holders that would give the lock back if they were asked.
	idle map[*Held]func()
	// slot is held by the one admitted caller that waits for another process.
	// Blocked senders of a channel are served in order.
	slot chan struct{}
}

type ticket struct {
	mode     Mode
	admitted chan struct{}
}

// enter waits until this process may try for r's lock file in r's mode. Holders
// that are idle are asked first to make room.
func (m *Manager) enter(p *patience, r *Request) (*queue, error) {
	m.mu.Lock()
	q := m.queue(r.Path)
	for !q.admits(r.Mode) && len(q.idle) > 0 {
		m.askToYield(q)
		q = m.queue(r.Path)
	}
	if q.admits(r.Mode) {
		q.admit(r.Mode)
		m.mu.Unlock()
		return q, nil
	}
	if p.none() {
		m.mu.Unlock()
		return nil, m.gaveUp(p, r, nil)
	}
	t := &ticket{mode: r.Mode, admitted: make(chan struct{})}
	q.waiting = append(q.waiting, t)
	m.mu.Unlock()
	defer p.tell(func() *TimeoutError { return m.inTheWay(r, nil) })()
	select {
	case <-t.admitted:
		return q, nil
	case <-p.done():
		m.withdraw(q, t)
		return nil, m.gaveUp(p, r, nil)
	}
}

// withdraw takes back a ticket, or the admission that came at the last moment.
func (m *Manager) withdraw(q *queue, t *ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	} else {
		q.dismiss(t.mode)
	}
	m.advance(q)
}

// leave ends an admission.
func (m *Manager) leave(q *queue, mode Mode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q.dismiss(mode)
	m.advance(q)
}

// queue is the queue of path. The caller holds m.mu.
func (m *Manager) queue(path string) *queue {
	q := m.queues[path]
	if q == nil {
		q = &queue{path: path, slot: make(chan struct{}, 1)}
		m.queues[path] = q
	}
	return q
}

// advance admits who is next and forgets an empty queue. The caller holds m.mu.
func (m *Manager) advance(q *queue) {
	for len(q.waiting) > 0 && q.free(q.waiting[0].mode) {
		t := q.waiting[0]
		q.waiting = slices.Delete(q.waiting, 0, 1)
		q.admit(t.mode)
		close(t.admitted)
	}
	if len(q.waiting) == 0 && q.free(Exclusive) && q.ghosts == [2]*attempt{} {
		delete(m.queues, q.path)
	}
}

// admits tells whether who comes now may go on without waiting.
func (q *queue) admits(mode Mode) bool { return len(q.waiting) == 0 && q.free(mode) }

func (q *queue) free(mode Mode) bool {
	return !q.writer && (mode == Shared || q.readers == 0)
}

func (q *queue) admit(mode Mode) {
	if mode == Exclusive {
		q.writer = true
	} else {
		q.readers++
	}
}

func (q *queue) dismiss(mode Mode) {
	if mode == Exclusive {
		q.writer = false
	} else {
		q.readers--
	}
}
