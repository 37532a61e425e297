package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// This is the door for whoever acts on files: a transaction, recovery, a compaction.

// locking says how files are locked. The zero value is what most want.
type locking struct {
	lease      string // let the leases of this transaction pass
	mendDamage bool   // go on with a file that was damaged outside
	sweep      bool   // clear leftovers of files that need no recovery too
	passOver   string // look past the workspace of this directory, see lookup
	hasty      bool   // wait for nobody
	decide     *decision
	// shut opens no journal, and settles nothing: for one that can't be opened.
	shut bool
	// recovered is told what recovery did, also where it ends in an error.
	recovered func([]recovery.Done)
}

// locked calls act with the files locked exclusively and settled: what was unfinished
// in them, or in other files of the same units, has been carried forward or taken back,
// and what another program changed is recorded. A call of act that fails with errAgain
// starts over with fresh locks.
func (s *Store) locked(ctx context.Context, names []string, how locking, act func(*session) error) error {
	c := s.newCall(nil)
	c.locking = how
	return s.lockedFor(ctx, names, c, act)
}

// lockedFor is locked for a transaction. If it is plain, it goes on with the locks that
// the one before it has left.
func (s *Store) lockedFor(ctx context.Context, names []string, c *call, act func(*session) error) (err error) {
	defer func() {
		if err != nil {
			s.unmakeWorkspaces(c)
		}
	}()
	deadline := time.Now()
	if !c.hasty {
		deadline = deadline.Add(s.src.Patience())
	}
	if !c.deadline.IsZero() {
		deadline = c.deadline
	}
	if ses := s.unpark(ctx, names, c); ses != nil {
		if err := ses.resume(ctx, c, act); !errors.Is(err, workspace.ErrAgain) {
			return err
		}
	}
	need := &workspace.Participants{Unreachable: map[recovery.Key]error{}}
	for round := 0; ; round++ {
		ses := &session{s: s, FileSet: workspace.FileSet{Site: s.src.Site, Ctx: ctx, How: workspace.Lookup{PassOver: c.passOver}}, call: c, names: names}
		err := ses.round(names, need, deadline, act)
		if !errors.Is(err, workspace.ErrAgain) {
			return err
		}
		if round == workspace.MaxRounds {
			return &Error{Kind: ErrConflict, Err: fmt.Errorf("gave up after %d rounds: %w", round, err)}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// settled lets recovery settle a file, and record what another program made of it. A
// file that was damaged outside keeps its history.
func (s *Store) settled(ctx context.Context, name string) error {
	return s.locked(ctx, []string{name}, locking{mendDamage: true}, nothing)
}

// nothing is to be done with files but to settle them.
func nothing(*session) error { return nil }

// unmakeWorkspaces removes the workspaces that a call made which was refused, so that
// nothing is left beside the files. One that somebody else has used, or uses, stays; so
// does one that can't be removed, and is as good as any for whoever comes next.
func (s *Store) unmakeWorkspaces(c *call) {
	made := c.made
	c.made = nil
	for _, w := range slices.Backward(made) {
		if s.src.Unmake(w) == nil {
			c.targets = nil // nor is there a log of operations any more
		}
	}
}
