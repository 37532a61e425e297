package main

import (
	"errors"
	"syscall"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// The exit codes of jtx. A script may rely on them.
const (
	exitOK = iota
	exitNo
	exitUsage
	exitConflict
	exitLocked
	exitInvalid
	exitDamaged
	exitIO
	exitInDoubt
	numExits
)

// exits says what each code means; `jtx help exit-codes` prints it.
var exits = [numExits]struct{ name, meaning string }{
	exitOK:       {"ok", "done"},
	exitNo:       {"no", "the answer is no: nothing at that pointer, no such file"},
	exitUsage:    {"usage", "unknown verb or flag, missing word"},
	exitConflict: {"conflict", "lost the race, a test failed, a path is not there, or --if-rev does not hold; nothing was changed"},
	exitLocked:   {"locked", "the wait for a lock ran out; nothing was changed"},
	exitInvalid:  {"invalid", "not JSON, not a patch, not a pointer; nothing was changed"},
	exitDamaged:  {"damaged", "a journal or a tracked file is damaged; nothing was discarded"},
	exitIO:       {"io", "disk full, permission, read-only; nothing was changed"},
	exitInDoubt:  {"in-doubt", "the change may or may not be committed; jtx recover decides"},
}

// exitOf is the exit code of an error: the only place where one becomes the other.
// An error may wrap several; whether something was changed comes first.
func exitOf(err error) int {
	var own *cliError
	var sig *signalError
	var child *childError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &child):
		return child.code
	case errors.Is(err, txn.ErrInDoubt):
		return exitInDoubt
	case errors.As(err, &sig):
		return exitOfSignal(sig.sig)
	case errors.As(err, &own):
		return own.exit
	case errors.Is(err, txn.ErrDamaged):
		return exitDamaged
	case errors.Is(err, txn.ErrLockTimeout):
		return exitLocked
	case errors.Is(err, txn.ErrConflict):
		return exitConflict
	case errors.Is(err, txn.ErrInvalid):
		return exitInvalid
	case errors.Is(err, txn.ErrNotFound):
		return exitNo
	default:
		return exitIO
	}
}

// exitOfSignal is what shells report for a process that a signal ended.
func exitOfSignal(sig syscall.Signal) int { return 128 + int(sig) }

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
	var undo *txn.UndoConflict
	switch exitOf(err) {
	case exitLocked:
		return true
	case exitConflict:
		return !errors.As(err, &op) && !errors.As(err, &rev) && !errors.As(err, &undo)
	}
	return false
}
