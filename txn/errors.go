package txn

import (
	"errors"
	"io/fs"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// Errors of any call. Where nothing else is said, nothing was changed.
var (
	// ErrNotFound is returned when there is nothing at a pointer, no such
	// file, version or transaction.
	ErrNotFound = fault.ErrNotFound
	// ErrInvalid is returned when a file, value, patch or pointer is malformed.
	ErrInvalid = fault.ErrInvalid
	// ErrNotListed is returned when a transaction uses a file that was not
	// among those it was begun with.
	ErrNotListed = errors.New("not among the files of this transaction")
	// ErrReadOnly is returned when a View writes.
	ErrReadOnly = errors.New("a view can't change files")
	// ErrClosed is returned when a transaction begins in a store that was closed.
	ErrClosed = errors.New("the store is closed")
)

// Errors of a commit.
var (
	// ErrConflict is returned when a transaction lost a race, a test operation
	// failed, an operation's path is not there, or an expected revision is not
	// the current one.
	ErrConflict = fault.ErrConflict
	// ErrLockTimeout is returned when the wait for a lock ran out. A
	// *lockmgr.TimeoutError in the chain names the holder.
	ErrLockTimeout = fault.ErrLockTimeout
	// ErrInDoubt is returned when a change may or may not be committed. The
	// next access, or Recover, decides.
	ErrInDoubt = fault.ErrInDoubt
)

// ErrDamaged is returned when a journal is damaged, or a tracked file was
// damaged outside jtx. Nothing was discarded; a *recovery.DamagedError or a
// *wal.CorruptError in the chain tells more.
var ErrDamaged = fault.ErrDamaged

// Errors of looking for a file's workspace.
var (
	// ErrFormat is returned when a workspace has a format that this program does not
	// know. It is left alone.
	ErrFormat = workspace.ErrFormat
	// ErrDevelopment is returned, with ErrFormat, for a workspace of a layout from before
	// format 1 was frozen. Its files are whole; their histories can't be read any more.
	ErrDevelopment = workspace.ErrDevelopment
	// ErrUntrusted is returned when a .jtx directory was made by somebody who might
	// want the caller to read or write what they choose.
	ErrUntrusted = workspace.ErrUntrusted
)

// Error is every error that this package returns: its Kind is one of the sentinels
// above, where one applies; File is as the caller named it, Pointer an RFC 6901 pointer,
// LSN that of the record that is at fault, where one is, and Err the cause.
type Error = fault.Error

// RevisionError says that a file is not at the revision that was expected, or that this
// was made by another transaction: the same expectation can't hold later.
type RevisionError = fault.RevisionError

// noSuchFile is fs.ErrNotExist too, for callers who know that from package os.
type noSuchFile struct{}

func (noSuchFile) Error() string        { return "no such file" }
func (noSuchFile) Is(target error) bool { return target == fs.ErrNotExist }
