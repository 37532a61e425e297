package fsys

import (
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// mostWaiting is how many goroutines' syncs are begun; more wait in system calls.
const mostWaiting = 256

// submitter begins the syncs of many goroutines. One of those who wait leads: it
// learns which syncs have ended, and wakes who began them. So there is no goroutine
// that outlives its work, and no channel, which a test in a bubble of package
// testing/synctest could not share with others.
type submitter struct {
	ctx   aioContext
	ended *os.File // an eventfd(2), which is readable when some have
	fd    uint32   // its descriptor

	mu      sync.Mutex
	led     bool
	free    []int // of waiters
	waiters [mostWaiting]waiter
	events  [mostWaiting]ioEvent // of who leads
}

// waiter is a sync that was begun.
type waiter struct {
	woken   sync.Mutex // is locked until the sync has ended, or its waiter must lead
	waiting bool
	done    bool
	err     error
}

var shared = sync.OnceValue(newSubmitter)

// newSubmitter returns nil where there is no context to be had.
func newSubmitter() *submitter {
	ctx, err := newAIOContext(mostWaiting)
	if err != nil {
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil
	}
	s := &submitter{ctx: ctx, ended: os.NewFile(uintptr(fd), "eventfd"), fd: uint32(fd)}
	for i := range s.waiters {
		s.waiters[i].woken.Lock()
		s.free = append(s.free, i)
	}
	return s
}

// syncAmongOthers reports false where the sync could not be begun.
func syncAmongOthers(f *os.File, data bool) (error, bool) {
	s := shared()
	if s == nil {
		apart()
		return nil, false
	}
	i, ok := s.take()
	if !ok {
		return nil, false
	}
	defer s.giveBack(i)
	cb := syncOf(f, data)
	cb.data, cb.flags, cb.notify = uint64(i), aioNotify, s.fd
	if s.ctx.submit([]*iocb{&cb}) == 0 {
		return nil, false
	}
	s.wait(&s.waiters[i])
	runtime.KeepAlive(f)
	return s.waiters[i].err, true
}

func (s *submitter) take() (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return 0, false
	}
	i := s.free[last]
	s.free = s.free[:last]
	s.waiters[i].done, s.waiters[i].err = false, nil
	return i, true
}

func (s *submitter) giveBack(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, i)
}

// wait returns when the sync of w has ended.
func (s *submitter) wait(w *waiter) {
	s.mu.Lock()
	if w.done {
		s.mu.Unlock()
		return
	}
	leads := !s.led
	s.led, w.waiting = true, true
	s.mu.Unlock()
	if !leads {
		w.woken.Lock()
	}
	for !s.isDone(w) {
		s.lead(w)
	}
}

func (s *submitter) isDone(w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.done
}

// lead waits until some syncs have ended, and wakes those who wait for them. If its
// own is among them it lets another lead, if there is one.
func (s *submitter) lead(own *waiter) {
	var count [8]byte
	atLeast := 0
	if _, err := s.ended.Read(count[:]); err != nil {
		atLeast = 1 // the runtime can't wait for it; our own sync at least has yet to end
	}
	n := s.ctx.mustCollect(atLeast, s.events[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events[:n] {
		w := &s.waiters[e.data]
		w.done, w.err = true, e.err()
		if w.waiting && w != own {
			w.woken.Unlock()
		}
		w.waiting = false
	}
	if !own.done {
		return
	}
	for i := range s.waiters {
		if w := &s.waiters[i]; w.waiting {
			w.woken.Unlock()
			return
		}
	}
	s.led = false
}
