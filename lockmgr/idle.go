package lockmgr

import (
	"errors"
	"os"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

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
	if h.idles++; h.idles == 2 { // it goes on and on
		h.makeQueues()
	}
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

// makeQueues makes the files at which waiters line up: those who may only read can't, and
// then nobody would see that they wait.
func (h *Held) makeQueues() {
	for i := range h.locks {
		l := &h.locks[i]
		if info, err := l.fl.Stat(); err == nil && l.mode == Exclusive {
			// Who may not make it either leaves it to others.
			_ = createLockFile(&Request{Path: l.q.path + queueSuffix, Perm: info.Mode()})
		}
	}
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

// queueLook is how often it is looked who stands in line without a mark.
const queueLook = time.Millisecond

// Wanted tells whether somebody in another process waits for one of the locks: it
// looks for the mark of those who stand at the gate, at the cost of a system call
// for each lock, and from time to time for those who can't leave one.
func (h *Held) Wanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	lookCloser := now.Sub(h.looked) > queueLook
	if lookCloser {
		h.looked = now
	}
	for i := range h.locks {
		l := &h.locks[i]
		info, err := l.fl.Stat()
		if err == nil && info.Size() > FileSize || lookCloser && l.mode == Exclusive && queued(l.q.path) {
			return true
		}
	}
	return false
}

// queued tells whether somebody stands at the gate of a lock file.
func queued(path string) bool {
	queue := Request{Path: path + queueSuffix, Mode: Shared}
	if _, err := fsys.OS.Lstat(queue.Path); err != nil {
		return false
	}
	fl, err := lockOnce(&queue, os.O_RDONLY, tryOnce)
	if err == nil {
		_ = fl.Unlock()
	}
	return errors.Is(err, errHeld)
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
