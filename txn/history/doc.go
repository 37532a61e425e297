// Package history tells what happened to the files of a [txn.Store], and takes it back.
// Each function takes the store; files are named relative to its directory.
//
//   - What was changed, by whom? [Log] yields transactions, newest first; [Show] tells one;
//     [Blame] and [BlameAll] name the one that set a value.
//   - What was in the file? [ReadVersion] and [ReadVersions] derive a version at a [Point]:
//     a revision, a transaction or a time, as [ParsePoint] reads them.
//   - Take it back: [Undo] undoes a transaction and leaves what came after, [Restore]
//     brings a whole version back, [RestoreAll] all files of a moment.
//   - What happens now? [Watch] yields each transaction as it is committed.
//
// What retention has dropped is an error that wraps [txn.ErrNotFound].
package history

import (
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
)

// past is a store as this package has it.
type past struct {
	*doors.Store
	store *txn.Store
}

func of(s *txn.Store) past { return past{txn.Within(s), s} }
