// Package doors is what txn/history and txn/admin get of a store, and of a transaction,
// that its users don't: the two doors to a tracked file, the one to look and the one to act,
// and what only they may ask of a transaction.
package doors

import (
	"context"
	"io/fs"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/oplog"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Store is a store from within. Its Source has the door to look, AtRest.
type Store struct {
	*versions.Source
	// Locked is the door to act. It calls act with the files locked exclusively and settled:
	// what was unfinished in them, or in other files of the same units, has been carried
	// forward or taken back, and what another program changed is recorded. The files stay
	// locked until act has returned. Where that fails with workspace.ErrAgain it starts over.
	Locked func(ctx context.Context, names []string, how Locking, act func(*Files) error) error
	Log    *oplog.Log
	Actor  string // of the store
}

// Nothing is to be done with files but to settle them.
func Nothing(*Files) error { return nil }

// Locking says how files are locked. The zero value is what most want.
type Locking struct {
	Lease      string // let the leases of this transaction pass
	MendDamage bool   // go on with a file that was damaged outside
	Sweep      bool   // clear leftovers of files that need no recovery too
	PassOver   string // look past the workspace of this directory, see workspace.Lookup
	Hasty      bool   // wait for nobody
	// Decide may record what a person has decided, before what the plan says is done. It
	// tells whether the files must be planned anew.
	Decide func(*recovery.Plan, []*recovery.File) (bool, error)
	// Shut opens no journal, and settles nothing: for one that can't be opened.
	Shut bool
	// Recovered is told what recovery did, also where it ends in an error.
	Recovered func([]recovery.Done)
}

// Files are some files, locked.
type Files struct {
	*workspace.FileSet
	// Spoil says that the files are not as their targets say any more.
	Spoil func()
	// Open opens the journal of a file that was locked shut, and looks at the file.
	Open func(*workspace.Target) error
}

// Asked is what only the rooms ask of a transaction.
type Asked struct {
	Note    string       // for people, beside the caller's message
	Origins []wal.Origin // where what it does is from
	// BringsBack: a file that is not there gets the mode that it had, and its directory.
	BringsBack bool
	// MendDamage lets it go on with a damaged file, whose bytes were set aside.
	MendDamage bool
	Modes      map[string]fs.FileMode // of files, by real path: no wider than that
	DirModes   map[string]fs.FileMode // of directories that are made, by real path
}

// Draft is one file of a transaction.
type Draft interface {
	Name() string              // absolute, as it was listed
	Target() *workspace.Target // nil in a View
	Found() recovery.Found
	Document() *jsonpatch.Document // as the transaction sees it; nil where there is no file
	Ops() jsonpatch.Patch          // what it has done
	Apply(jsonpatch.Patch) error
	Replace(*jsonpatch.Document) error // its bytes are kept
	Rewrite(*jsonpatch.Document)       // with the same value in other bytes
	Remove()
	Blank([]byte) // what of a file that is no document is left behind a Remove
}
