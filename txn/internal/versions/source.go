// Package versions reads what files hold and held: the door to look ([Source.AtRest]), where each history ends
// ([Head]), the versions in it and their content, and what of it is kept. It takes no lock but
// shared ones, and writes nothing but the journal that retention drops something of, whose
// lock its caller holds.
package versions

import (
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Source is where a store reads.
type Source struct {
	*workspace.Site
	Limits jsonpatch.Limits
	// OnMark is told what of a file was shown that is not recorded, or not in the plain
	// file yet; it may be nil.
	OnMark func(Mark)
	// LargeJournal is the size of a journal, in bytes, from which commits compact it.
	LargeJournal int64
}
