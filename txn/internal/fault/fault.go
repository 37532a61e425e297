// Package fault is how every package below txn says what went wrong, and where: a kind that
// callers know, the file as they named it, and the cause.
package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// RevisionError says that a file is not at the revision that was expected: the
// same expectation can't hold later.
type RevisionError struct {
	Have, Want uint64
	Tx         wal.ID // that was to have made the current revision, in place of Want; or zero
}

// The kinds of errors, see package txn.
var (
	ErrNotFound    = errors.New("not found")
	ErrInvalid     = errors.New("invalid")
	ErrConflict    = errors.New("conflict")
	ErrLockTimeout = errors.New("locked")
	ErrInDoubt     = errors.New("in doubt")
	ErrDamaged     = errors.New("damaged")
)

// Error is one of the kinds, where one applies, with its place.
type Error struct {
	Kind    error   // a sentinel, or nil: an error of the operating system
	File    string  // as the caller named it
	Pointer string  // RFC 6901
	LSN     wal.LSN // of the record that is at fault, where one is
	Err     error   // the cause
}

func (e *RevisionError) Error() string {
	if !e.Tx.IsZero() {
		return fmt.Sprintf("is at revision %d, which transaction %s did not make", e.Have, e.Tx)
	}
	return fmt.Sprintf("is at revision %d, expected %d", e.Have, e.Want)
}

// AsNamed is err with a file's name as the caller gave it.
func AsNamed(err error, names, files []string) error {
	return amended(err, func(e *Error) {
		if i := slices.Index(names, e.File); i >= 0 {
			e.File = files[i]
		}
	})
}

// amended is err with the first Error of its chain changed: a copy, as whoever else
// was given err, the others of a group say, must not see the change.
func amended(err error, change func(*Error)) error {
	//lint:ignore errorlint the chain is walked here, and copied layer by layer
	if e, ok := err.(*Error); ok {
		copied := *e
		change(&copied)
		return &copied
	}
	var e *Error
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || !errors.As(err, &e) {
		return err
	}
	parts := slices.Clone(joined.Unwrap())
	if errors.Join(parts...).Error() != err.Error() {
		return err // it says more than its parts do
	}
	for i, part := range parts {
		if errors.As(part, &e) {
			parts[i] = amended(part, change)
			break
		}
	}
	return errors.Join(parts...)
}

func (e *Error) Error() string {
	msg := "error"
	if e.Err != nil {
		msg = e.Err.Error()
	} else if e.Kind != nil {
		msg = e.Kind.Error()
	}
	if e.File != "" {
		return fmt.Sprintf("%s: %s", e.File, msg)
	}
	return msg
}

func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// causes maps what the packages below return to this package's sentinels.
var causes = []struct{ cause, kind error }{
	{lockmgr.ErrTimeout, ErrLockTimeout},
	{lockmgr.ErrLeaseBroken, ErrConflict},
	{recovery.ErrDamaged, ErrDamaged},
	{wal.ErrCorrupt, ErrDamaged},
	{wal.ErrVersion, ErrDamaged},
	{recovery.ErrInDoubt, ErrInDoubt},
	{recovery.ErrChanged, ErrConflict},
	{recovery.ErrNotRegular, ErrInvalid},
	{jsonpatch.ErrTest, ErrConflict},
	{jsonpatch.ErrInvalid, ErrInvalid},
	{jsonpatch.ErrPatch, ErrInvalid},
	{jsonpatch.ErrPointer, ErrInvalid},
	{jsonpatch.ErrLimit, ErrInvalid},
	{jsonpatch.ErrNotFound, ErrNotFound},
	{backup.ErrBad, ErrDamaged},
	{backup.ErrForm, ErrInvalid},
	{fs.ErrNotExist, ErrNotFound},
}

// In wraps err with the file it is about, and with the sentinel that fits.
func In(file string, err error) error {
	if err == nil {
		return nil
	}
	var already *Error
	if errors.As(err, &already) {
		if already.File != "" || file == "" {
			return err
		}
		named := amended(err, func(e *Error) { e.File = file })
		if errors.As(named, &already); already.File == "" { // wrapped in what can't be made anew
			return &Error{Kind: already.Kind, File: file, Pointer: already.Pointer, LSN: already.LSN, Err: err}
		}
		return named
	}
	e := &Error{File: file, Err: err}
	for _, c := range causes {
		if errors.Is(err, c.cause) {
			e.Kind = c.kind
			break
		}
	}
	var op *jsonpatch.OpError
	if errors.As(err, &op) {
		e.Pointer = op.Pointer
	}
	var corrupt *wal.CorruptError
	if errors.As(err, &corrupt) {
		e.LSN = corrupt.LSN
	}
	return e
}

// Conflict marks an error of applying a patch that was to change a file: there,
// a missing path means that the document is not the one that was expected.
func Conflict(file string, err error) error {
	return amended(In(file, err), func(e *Error) {
		if errors.Is(e.Kind, ErrNotFound) {
			e.Kind = ErrConflict
		}
	})
}

// CannotWrite tells an error that keeps from writing, but not from reading.
func CannotWrite(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func UnlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Joined is errors.Join, but for a single error, which stays as it is.
func Joined(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
