package main

import (
	"errors"
	"os/exec"
	"syscall"
)

// runChild runs a command to its end, with the signals that jtx gets meanwhile. Its
// failure is a *childError.
func (a *app) runChild(c *exec.Cmd) error {
	a.signals.wait()
	if err := c.Start(); err != nil {
		return cannotStart(c.Args[0], err)
	}
	a.signals.forwardTo(func(sig syscall.Signal) {
		if !fromTerminal(sig) {
			_ = c.Process.Signal(sig) // it may be gone already
		}
	})
	err := c.Wait()
	a.signals.forwardTo(nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return &childError{exitOfSignal(ws.Signal())}
	}
	return &childError{exit.ExitCode()}
}
