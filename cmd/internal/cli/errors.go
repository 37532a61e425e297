package cli

import (
	"fmt"
)

// Error is an error of the command line itself, with its exit code.
type Error struct {
	Exit int
	Msg  string
	Hint string
	Err  error // the cause, where there is one
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Msg
	case e.Msg == "":
		return e.Err.Error()
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

func Usagef(format string, args ...any) *Error {
	return &Error{Exit: ExitUsage, Msg: fmt.Sprintf(format, args...)}
}

func Invalidf(format string, args ...any) *Error {
	return &Error{Exit: ExitInvalid, Msg: fmt.Sprintf(format, args...)}
}

func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// InvalidIn says which of the user's texts an error is about.
func InvalidIn(what string, err error) *Error {
	return &Error{Exit: ExitInvalid, Msg: what, Err: err}
}

// About puts what an error happened in before it, and keeps its exit code.
type About struct {
	What string
	Err  error
}

func (e *About) Error() string { return e.What + ": " + e.Err.Error() }
func (e *About) Unwrap() error { return e.Err }

// Hinted adds a hint to an error of a package below.
type Hinted struct {
	Err  error
	Hint string
}

func (e *Hinted) Error() string { return e.Err.Error() }
func (e *Hinted) Unwrap() error { return e.Err }

// ExitAs is an error with another exit code than its own: that of a program in whose
// place jtx is run. Its name in --json stays.
type ExitAs struct {
	Err  error
	Code int
}

func (e *ExitAs) Error() string { return e.Err.Error() }
func (e *ExitAs) Unwrap() error { return e.Err }

// ChildError is the exit code of a command that jtx ran. There is nothing to
// report: the command has said what there is to say.
type ChildError struct{ Code int }

func (e *ChildError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// KeptText is an error after which the user's text is still there.
type KeptText struct {
	Err  error
	Path string
}

func (k *KeptText) Error() string { return k.Err.Error() }
func (k *KeptText) Unwrap() error { return k.Err }
