package lockmgr

import (
	"io/fs"
	"path/filepath"
	"time"
)

// leaseQueueName is the file beside a lease that those who wait for its end hold a
// shared lock on, while they hold nothing else. Nobody ever waits for that: it is
// how others see them, and ends with their process.
const leaseQueueName = "lease.queue"

func leaseQueuePath(lockPath string) string {
	return filepath.Join(filepath.Dir(lockPath), leaseQueueName)
}

// leaseInTheWay is a lease of another transaction that a request ran into.
type leaseInTheWay struct {
	r     *Request
	lease Lease
}

type leaseKey struct {
	path  string
	token uint64
}

// leaseWait is the wait of any number of callers for one lease to go. One
// goroutine watches for all of them. users is guarded by Manager.mu.
type leaseWait struct {
	key   leaseKey
	users int
	gone  chan struct{}
	stop  chan struct{}
}

// How long a lease is left alone before it is looked at again: not at all long
// where its end can't be watched, and long enough to cost nothing where it can.
const (
	recheckUnwatched = 250 * time.Millisecond
	recheckWatched   = 5 * time.Second
)

// awaitLease waits until the lease is not in the way as it was.
func (m *Manager) awaitLease(p *patience, b *leaseInTheWay) error {
	if p.none() {
		return m.gaveUp(p, b.r, &b.lease)
	}
	w := m.joinLeaseWait(b)
	defer m.quitLeaseWait(w)
	defer p.tell(func() *TimeoutError { return m.inTheWay(b.r, &b.lease) })()
	select {
	case <-w.gone:
		return nil
	case <-p.done():
		return m.gaveUp(p, b.r, &b.lease)
	}
}

func (m *Manager) joinLeaseWait(b *leaseInTheWay) *leaseWait {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := leaseKey{b.r.Path, b.lease.Token}
	w := m.leaseWaits[key]
	if w == nil {
		w = &leaseWait{key: key, gone: make(chan struct{}), stop: make(chan struct{})}
		m.leaseWaits[key] = w
		go m.watchLease(w, b.lease, b.r.Perm)
	}
	w.users++
	return w
}

func (m *Manager) quitLeaseWait(w *leaseWait) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w.users--
	if w.users == 0 {
		m.forgetLeaseWait(w)
		close(w.stop)
	}
}

// forgetLeaseWait lets the next caller begin a wait of its own. The caller
// holds m.mu.
func (m *Manager) forgetLeaseWait(w *leaseWait) {
	if m.leaseWaits[w.key] == w {
		delete(m.leaseWaits, w.key)
	}
}

func (m *Manager) watchLease(w *leaseWait, l Lease, perm fs.FileMode) {
	if awaitEnd(w, l, perm) {
		m.mu.Lock()
		m.forgetLeaseWait(w)
		m.mu.Unlock()
		close(w.gone)
	}
}

// awaitEnd waits in line until the lease is gone, or nobody waits for it any more.
// Where the queue file can't be written there is no line to be seen in.
func awaitEnd(w *leaseWait, l Lease, perm fs.FileMode) (gone bool) {
	line, err := openLocked(&Request{Path: leaseQueuePath(w.key.path), Perm: perm}, tryOnce)
	if err == nil {
		defer line.Unlock()
	}
	watch := newLeaseWatch(w.key.path, l.Owner)
	defer watch.close()
	for !leaseGone(w.key.path, l) {
		timer := time.NewTimer(pause(l, watch.complete))
		select {
		case <-watch.events:
		case <-timer.C:
		case <-w.stop:
			timer.Stop()
			return false
		}
		timer.Stop()
	}
	return true
}

// leaseGone says whether l no longer is the lease on path that binds. If the
// lease can't be read that is for the acquirer to find out and report.
func leaseGone(path string, l Lease) bool {
	now, ok, err := readLeaseFile(path)
	if err != nil || !ok || now.Tx != l.Tx || now.Token != l.Token {
		return true
	}
	broken, _ := now.Broken(time.Now())
	return broken
}

func pause(l Lease, watched bool) time.Duration {
	longest := recheckUnwatched
	if watched {
		longest = recheckWatched
	}
	return max(time.Millisecond, min(longest, time.Until(l.Expires)))
}
