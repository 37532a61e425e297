package lockmgr

// Idle says that the holder keeps its locks though it has nothing to do with them
// for the moment. It is false, and the holder should release them, where somebody in
// this process waits for one of them. Whether one in another does, Wanted tells.
//
// From then on yield is called when somebody in this process wants one of them, by
// the goroutine that does: it must not return before the locks are released, or in
// use again. It may be called more than once, and after Busy too. Nobody calls it
// for another process: so a holder must not idle longer than others can be made to
// wait.
func (h *Held) Idle(yield func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	for i := range h.locks {
		if len(h.locks[i].q.waiting) > 0 {
			return false
		}
	}
	for i := range h.locks {
		q := h.locks[i].q
		if q.idle == nil {
			q.idle = map[*Held]func(){}
		}
		q.idle[h] = yield
	}
	return true
}

// Busy takes Idle back.
func (h *Held) Busy() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy()
}

// busy is Busy for a caller that holds h.mu.
func (h *Held) busy() {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	for i := range h.locks {
		delete(h.locks[i].q.idle, h)
	}
}

// Wanted tells whether somebody in another process waits for one of the locks: it
// looks for the mark of those who stand at the gate, at the cost of a system call
// for each lock.
func (h *Held) Wanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.locks {
		info, err := h.locks[i].fl.Stat()
		if err == nil && info.Size() > FileSize {
			return true
		}
	}
	return false
}

// askToYield calls the idle holders of q. The caller holds m.mu, which is free
// meanwhile; q may be forgotten then.
func (m *Manager) askToYield(q *queue) {
	var ask []func()
	for h, yield := range q.idle {
		ask = append(ask, yield)
		delete(q.idle, h)
	}
	m.mu.Unlock()
	for _, yield := range ask {
		yield()
	}
	m.mu.Lock()
}
