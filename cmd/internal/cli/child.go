package cli

import (
	"errors"
	"io/fs"
	"os/exec"
	"syscall"
)

// RunChild runs a command to its end, with the signals that jtx gets meanwhile. Its
// failure is a *ChildError.
func (a *App) RunChild(c *exec.Cmd) error {
	a.Signals.Wait()
	if err := c.Start(); err != nil {
		return CannotStart(c.Args[0], err)
	}
	a.Signals.forwardTo(func(sig syscall.Signal) {
		if !fromTerminal(sig) {
			_ = c.Process.Signal(sig) // it may be gone already
		}
	})
	err := c.Wait()
	a.Signals.forwardTo(nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return &ChildError{ExitOfSignal(ws.Signal())}
	}
	return &ChildError{exit.ExitCode()}
}

// CannotStart has the exit codes that shells give: 127 where there is no such
// command, 126 where it can't be run.
func CannotStart(name string, err error) error {
	code := 126
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = 127
	}
	return &Error{Exit: code, Msg: QuoteWord(name) + " can't be run", Err: err}
}
