package cli

import (
	"errors"
	"syscall"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// The exit codes of jtx. A script may rely on them.
const (
	ExitOK = iota
	ExitNo
	ExitUsage
	ExitConflict
	ExitLocked
	ExitInvalid
	ExitDamaged
	ExitIO
	ExitInDoubt
	numExits
)

// exits says what each code means; `jtx help exit-codes` prints it.
var exits = [numExits]struct{ name, meaning string }{
	ExitOK:       {"ok", "done"},
	ExitNo:       {"no", "the answer is no: nothing at that pointer, no such file, a difference found"},
	ExitUsage:    {"usage", "unknown verb or flag, missing word"},
	ExitConflict: {"conflict", "lost the race, a test failed, a path is not there, or --if-rev does not hold; nothing was changed"},
	ExitLocked:   {"locked", "the wait for a lock ran out; the holder is named; nothing was changed"},
	ExitInvalid:  {"invalid", "not JSON, not a patch, not a pointer; nothing was changed"},
	ExitDamaged:  {"damaged", "a journal or a tracked file is damaged; nothing was discarded"},
	ExitIO:       {"io", "disk full, permission, read-only; nothing was changed"},
	ExitInDoubt:  {"in-doubt", "the change may or may not be committed; jtx recover decides"},
}

// ExitOf is the exit code of an error: the only place where one becomes the other.
func ExitOf(err error) int {
	var as *ExitAs
	if errors.As(err, &as) {
		return as.Code
	}
	return meaningOf(err)
}

// meaningOf is the exit code that an error has by itself. It may wrap several; whether
// something was changed comes first.
func meaningOf(err error) int {
	var own *Error
	var sig *SignalError
	var child *ChildError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &child):
		return child.Code
	case errors.Is(err, txn.ErrInDoubt):
		return ExitInDoubt
	case errors.As(err, &sig):
		return ExitOfSignal(sig.Sig)
	case errors.As(err, &own):
		return own.Exit
	case errors.Is(err, txn.ErrDamaged):
		return ExitDamaged
	case errors.Is(err, txn.ErrLockTimeout):
		return ExitLocked
	case errors.Is(err, txn.ErrConflict):
		return ExitConflict
	case errors.Is(err, txn.ErrInvalid):
		return ExitInvalid
	case errors.Is(err, txn.ErrNotListed):
		return ExitUsage
	case errors.Is(err, txn.ErrNotFound):
		return ExitNo
	default:
		return ExitIO
	}
}

// ExitOfSignal is what shells report for a process that a signal ended.
func ExitOfSignal(sig syscall.Signal) int { return 128 + int(sig) }

// exitName is what --json calls an exit code.
func exitName(code int) string {
	switch {
	case code < numExits:
		return exits[code].name
	case code > 128:
		return "signal"
	default:
		return "command" // that jtx run could not start
	}
}

// retryable tells whether the same work, begun again, can succeed: after a lost
// race it can. Where the document, or its revision, is not the one that the work is
// for, it would fail again.
func retryable(err error) bool {
	var op *jsonpatch.OpError
	var rev *txn.RevisionError
	var undo *history.UndoConflict
	switch meaningOf(err) {
	case ExitLocked:
		return true
	case ExitConflict:
		return !errors.As(err, &op) && !errors.As(err, &rev) && !errors.As(err, &undo)
	}
	return false
}
