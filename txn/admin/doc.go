// Package admin looks after the health of what a [txn.Store] keeps. Each function takes
// the store, and looks at the files at or below its directory, or at the paths it is given.
//
//   - Is all well? [Verify] checks every version against its hash, [Status] tells what the next access
//     finds, [Operations] what was done.
//   - It is not: [Recover] settles what crashes left, [Decide] a transaction in doubt,
//     [SetAside] gives a file with a damaged journal a new one, and [Seen] takes note of what was told.
//   - Files that matter: [Protect] names them, and [Heal] brings their last good version back.
//   - Keeping less: [Compact] applies a [Retention], [Redact] takes values out of a history,
//     [Forget] ends one, and [RemoveWorkspace] ends all of a directory.
//   - Keeping more: [Backup] writes an archive while writers go on, and [RestoreBackup] reads it.
//
// Nothing of this is needed for transactions to be safe: what a crash left is settled by
// whoever next uses a file.
package admin

import (
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
)

// house is a store as its keeper has it.
type house struct {
	*doors.Store
	store *txn.Store
}

func of(s *txn.Store) house { return house{txn.Within(s), s} }
