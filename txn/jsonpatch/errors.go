package jsonpatch

import (
	"errors"
	"fmt"
)

// narrower is a sentinel that wraps another one. Unlike fmt.Errorf it makes nothing before
// main, which each start of a program would pay.
type narrower struct {
	of   error
	text string
}

func (e *narrower) Error() string { return e.of.Error() + ": " + e.text }
func (e *narrower) Unwrap() error { return e.of }

// Sentinels for errors.Is. The typed errors of this package wrap one of them.
var (
	// ErrInvalid is returned when text is not the JSON it has to be.
	ErrInvalid = errors.New("invalid JSON")

	// ErrRepeated is returned when a pointer leads to a name that its object has more
	// than once. It wraps ErrInvalid.
	ErrRepeated error = &narrower{ErrInvalid, "a name that its object has more than once"}

	// ErrPatch is returned when a patch is malformed, or asks for something
	// that no document allows, such as moving a value into itself.
	ErrPatch = errors.New("invalid patch")

	// ErrPointer is returned when a JSON pointer is malformed.
	ErrPointer = errors.New("invalid JSON pointer")

	// ErrNotFound is returned when there is nothing at a pointer, or no
	// container into which an operation could put its value.
	ErrNotFound = errors.New("not found")

	// ErrTest is returned when the value of a "test" operation differs.
	ErrTest = errors.New("test failed")

	// ErrLimit is returned when text, a patch or a result exceeds [Limits].
	ErrLimit = errors.New("limit exceeded")
)

// SyntaxError says where text is not the JSON it has to be. It wraps
// [ErrInvalid], or [ErrLimit] where the text is well formed but too deep.
type SyntaxError struct {
	// Line and Column are counted from 1. Column counts runes, and neither a
	// byte order mark nor the line end before it.
	Line, Column int

	// Offset is the place in bytes from the start of the text.
	Offset int64

	// Pointer is the value within which the error lies (RFC 6901).
	Pointer string

	// Snippet is the line, cut to about 80 runes around the place, and below
	// it a line with a caret under the place. It is empty where the text is UTF-16.
	Snippet string

	// Msg says what was found and what was expected.
	Msg string

	kind error
}

func (e *SyntaxError) Error() string {
	at := ""
	if e.Pointer != "" && !errors.Is(e.kind, ErrLimit) { // else it is as long as the limit is deep
		at = fmt.Sprintf(" in %q", e.Pointer)
	}
	return fmt.Sprintf("line %d, column %d%s: %s", e.Line, e.Column, at, e.Msg)
}

// Unwrap returns ErrInvalid or ErrLimit.
func (e *SyntaxError) Unwrap() error { return e.kind }

// PointerError says why a string is not an RFC 6901 pointer. It wraps
// [ErrPointer].
type PointerError struct {
	Pointer string // the string as it was given
	Msg     string
}

func (e *PointerError) Error() string {
	return fmt.Sprintf("pointer %q: %s", e.Pointer, e.Msg)
}

// Unwrap returns ErrPointer.
func (e *PointerError) Unwrap() error { return ErrPointer }

// OpError names the operation that failed. Nothing was changed.
type OpError struct {
	// Index is the operation's place in its patch, from 0, or -1 where the
	// pointer was not part of a patch, as in [Document.Get].
	Index int

	// Op is "add", "remove", "replace", "move", "copy", "test" or "get".
	Op string

	// Pointer is the one that the failure is about: "from" where the source
	// of a move or copy is missing, else "path".
	Pointer string

	// Err wraps one of the sentinels.
	Err error
}

func (e *OpError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("%s %q: %v", e.Op, e.Pointer, e.Err)
	}
	if e.Pointer == "" && errors.Is(e.Err, ErrPatch) { // where no place could be read, none is named
		return fmt.Sprintf("operation %d: %v", e.Index, e.Err)
	}
	return fmt.Sprintf("operation %d: %s %q: %v", e.Index, e.Op, e.Pointer, e.Err)
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }
