package wal

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrCorrupt is what errors.Is finds in a *CorruptError: a record that was
	// durable is missing or does not check out.
	ErrCorrupt = errors.New("journal is damaged")
	// ErrVersion is returned when a frame or a state is whole, but of a version,
	// a kind or with a flag that this program doesn't know.
	ErrVersion = errors.New("journal has a newer format than this program knows")
	// ErrNotFound is returned when the journal has no record of that LSN.
	ErrNotFound = errors.New("no such record")
	// ErrFailed is what errors.Is finds in every error after the first failed
	// append or sync of a Log, until Reopen.
	ErrFailed = errors.New("journal has failed before")
	// ErrTooLarge is returned when a record doesn't fit the frame's 32-bit length.
	ErrTooLarge = errors.New("record is too large")
	// ErrInvalid is returned when a record that is to be written breaks a rule
	// of its kind. Nothing has been written then.
	ErrInvalid = errors.New("record is not valid")
	// ErrClosed is returned by every method of a closed Log.
	ErrClosed = errors.New("journal is closed")
)

// CorruptError says where a journal is damaged.
type CorruptError struct {
	Path   string // segment or directory
	LSN    LSN    // the record that is missing or doesn't check out; 0 where unknown
	Offset int64  // of its entry in the segment, in bytes
	Reason string // what was found, and what was expected
}

func (e *CorruptError) Error() string {
	var where []string
	if e.Path != "" {
		where = append(where, e.Path)
	}
	switch {
	case e.LSN > 0 && e.Offset > 0:
		where = append(where, fmt.Sprintf("record %d at byte %d", e.LSN, e.Offset))
	case e.LSN > 0:
		where = append(where, fmt.Sprintf("record %d", e.LSN))
	}
	return strings.Join(append(where, e.Reason), ": ")
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }
