package main

import (
	"fmt"
)

// cliError is an error of the command line itself, with its exit code.
type cliError struct {
	exit int
	msg  string
	hint string
	err  error // the cause, where there is one
}

func (e *cliError) Error() string {
	switch {
	case e.err == nil:
		return e.msg
	case e.msg == "":
		return e.err.Error()
	}
	return e.msg + ": " + e.err.Error()
}

func (e *cliError) Unwrap() error { return e.err }

func usagef(format string, args ...any) *cliError {
	return &cliError{exit: exitUsage, msg: fmt.Sprintf(format, args...)}
}

func invalidf(format string, args ...any) *cliError {
	return &cliError{exit: exitInvalid, msg: fmt.Sprintf(format, args...)}
}

func (e *cliError) withHint(format string, args ...any) *cliError {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// invalidIn says which of the user's texts an error is about.
func invalidIn(what string, err error) *cliError {
	return &cliError{exit: exitInvalid, msg: what, err: err}
}

// about puts what an error happened in before it, and keeps its exit code.
type about struct {
	what string
	err  error
}

func (e *about) Error() string { return e.what + ": " + e.err.Error() }
func (e *about) Unwrap() error { return e.err }

// hinted adds a hint to an error of a package below.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

// childError is the exit code of a command that jtx ran. There is nothing to
// report: the command has said what there is to say.
type childError struct{ code int }

func (e *childError) Error() string { return fmt.Sprintf("exit code %d", e.code) }
