package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signalError is why a command ended early.
type signalError struct{ sig syscall.Signal }

func (e *signalError) Error() string {
	return "ended by " + signalName(e.sig) + "; nothing was changed"
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
type signals struct {
	ch     chan os.Signal
	caught chan struct{} // closed when all are caught
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	forward func(syscall.Signal)
}

// catchSignals begins to catch signals for the rest of the process. That takes
// several hand-overs between threads, a quarter of what a short run takes in all.
// So it is done beside the rest: whoever is about to change something waits for it.
// Until then a signal ends the process as it ends any other.
func catchSignals(parent context.Context) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(parent)
	s := &signals{ch: make(chan os.Signal, 8), caught: make(chan struct{}), cancel: cancel}
	go func() {
		for _, sig := range caught {
			if !signal.Ignored(sig) { // nohup and background jobs ignore some
				signal.Notify(s.ch, sig)
			}
		}
		close(s.caught)
		s.loop(ctx)
	}()
	return ctx, s
}

// wait returns when all signals are caught.
func (s *signals) wait() { <-s.caught }

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
			os.Exit(exitOfSignal(n))
		}
		s.cancel(&signalError{n})
	}
}

func (s *signals) forwarder() func(syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forward
}

// forwardTo hands the signals to f instead of ending the command, until f is nil.
func (s *signals) forwardTo(f func(syscall.Signal)) {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forward = f
}

// outputError makes a reader who went away look as shells expect.
func outputError(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return &signalError{syscall.SIGPIPE}
	}
	return err
}
