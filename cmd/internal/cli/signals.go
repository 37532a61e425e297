package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// SignalError is why a command ended early.
type SignalError struct{ Sig syscall.Signal }

func (e *SignalError) Error() string {
	return "ended by " + signalName(e.Sig) + "; nothing was changed"
}

func signalName(sig syscall.Signal) string {
	switch sig {
	case syscall.SIGINT:
		return "SIGINT"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGPIPE:
		return "SIGPIPE"
	}
	return sig.String()
}

// caught are the signals that end a command cleanly. SIGPIPE is among them so
// that a write to a closed pipe returns an error, instead of killing the process.
var caught = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

// signals turns the first signal into the end of the context. A second one ends
// the process at once, which leaves no more behind than kill -9 does.
//
// To catch a signal takes several hand-overs between threads, a tenth of what a short
// run takes in all. So a command that only reads, and soon ends, never does; one that
// changes something has them caught beside its other work, and waits for that before
// it does. Until then a signal ends the process as it ends any other.
type signals struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wanted []os.Signal
	begun  atomic.Bool
	ch     chan os.Signal
	caught chan struct{} // closed when all that are wanted are caught

	mu      sync.Mutex
	forward func(syscall.Signal)
}

// soon is when signals are caught in any case: a command that still runs is waiting,
// or has much to do.
const soon = 5 * time.Millisecond

// newSignals makes the context that a signal ends.
func newSignals(parent context.Context) (context.Context, *signals) {
	s := &signals{ch: make(chan os.Signal, 8), caught: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(parent)
	for _, sig := range caught {
		if !signal.Ignored(sig) { // nohup and background jobs ignore some
			s.wanted = append(s.wanted, sig)
		}
	}
	time.AfterFunc(soon, s.Begin)
	return s.ctx, s
}

// Begin has the signals caught from now on, beside what else is done.
func (s *signals) Begin() {
	if s.begun.Swap(true) {
		return
	}
	go func() {
		if len(s.wanted) > 0 { // none would mean all
			signal.Notify(s.ch, s.wanted...)
		}
		close(s.caught)
		s.loop(s.ctx)
	}()
}

// Wait returns when the signals are caught.
func (s *signals) Wait() {
	s.Begin()
	<-s.caught
}

// beforeWrite sees to it that a write to a closed pipe returns an error. Where no
// signal is caught SIGPIPE is ignored, which takes one system call; a program that
// is started would inherit that, so whoever starts one has waited before.
func (s *signals) beforeWrite() {
	if s.begun.Load() {
		s.Wait()
	} else {
		signal.Ignore(syscall.SIGPIPE)
	}
}

func (s *signals) loop(ctx context.Context) {
	for sig := range s.ch {
		n, ok := sig.(syscall.Signal)
		if !ok {
			continue
		}
		if f := s.forwarder(); f != nil {
			f(n)
			continue
		}
		if ctx.Err() != nil {
			os.Exit(ExitOfSignal(n))
		}
		s.cancel(&SignalError{n})
	}
}

func (s *signals) forwarder() func(syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forward
}

// forwardTo hands the signals to f instead of ending the command, until f is nil.
func (s *signals) forwardTo(f func(syscall.Signal)) {
	s.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forward = f
}

// OutputError makes a reader who went away look as shells expect.
func OutputError(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return &SignalError{syscall.SIGPIPE}
	}
	return err
}
