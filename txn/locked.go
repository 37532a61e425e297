package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// This is the door for whoever acts on files: a transaction, recovery, a compaction.

// locked calls act with the files locked exclusively and settled: what was unfinished
// in them, or in other files of the same units, has been carried forward or taken back,
// and what another program changed is recorded. A call of act that fails with ErrAgain
// starts over with fresh locks.
func (s *Store) locked(ctx context.Context, names []string, how doors.Locking, act func(*session) error) error {
	c := s.newCall(nil)
	c.Locking = how
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
	if !c.Hasty {
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
		ses := &session{s: s, FileSet: workspace.FileSet{Site: s.src.Site, Ctx: ctx, How: workspace.Lookup{PassOver: c.PassOver}}, call: c, names: names}
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
