package txn

import (
	"context"
	"errors"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
)

// head is where a file's history ends for one reader: what is behind it does not
// count, be it committed meanwhile or not.
type head struct {
	t    *target
	last wal.LSN // of the journal as far as it is decided; 0 where there is none
	rev  uint64
	time time.Time // no record up to last is later
	// ahead tells that the file holds an edit made outside that is not recorded
	// yet: then the version at last is already an old one.
	ahead bool
}

// heads finds where the histories of some files end, all at one moment: a unit
// of several files is before the heads of all of them or behind. While nobody
// writes it takes no lock. Where a commit was cut off it lets recovery decide.
func (s *Store) heads(ctx context.Context, targets []*target) ([]head, error) {
	for range races {
		list, err := s.settledHeads(targets)
		if list != nil || err != nil {
			return list, err
		}
	}
	if list, err := s.sharedHeads(ctx, targets); list != nil || err != nil {
		return list, err
	}
	if s.dry {
		return s.plannedHeads(ctx, targets)
	}
	list, err := s.recoveredHeads(ctx, targets)
	if cannotWrite(err) {
		return s.plannedHeads(ctx, targets)
	}
	return list, err
}

// settledHeads looks at all positions twice. It is nil where one changed, or is
// not settled.
func (s *Store) settledHeads(targets []*target) ([]head, error) {
	list := make([]head, len(targets))
	before := make([]position, len(targets))
	for i, t := range targets {
		pos, st, settled, err := s.position(t)
		if err != nil || !settled {
			return nil, fail(t.name, err)
		}
		before[i] = pos
		list[i] = headAt(t, st)
		if st.Last > 0 && pos.file != st.File {
			found, err := recovery.Read(s.fs, t.real, st, s.opt.Limits)
			if err != nil {
				return nil, fail(t.name, err)
			}
			list[i].ahead = found.Version != st.Content
		}
	}
	for i, t := range targets {
		pos, _, settled, err := s.position(t)
		if err != nil || !settled || pos != before[i] {
			return nil, fail(t.name, err)
		}
	}
	return list, nil
}

// sharedHeads waits for writers to finish.
func (s *Store) sharedHeads(ctx context.Context, targets []*target) ([]head, error) {
	held, err := s.lockAllShared(ctx, targets)
	if held == nil || err != nil {
		return nil, err
	}
	list, err := s.settledHeads(targets)
	return list, errors.Join(err, held.Release())
}

// recoveredHeads settles what was cut off. A file that was damaged outside keeps
// its history.
func (s *Store) recoveredHeads(ctx context.Context, targets []*target) ([]head, error) {
	var names []string
	for _, t := range targets {
		names = append(names, t.real)
	}
	var list []head
	c := s.newCall(nil)
	c.mendDamage = true
	err := s.withLocks(ctx, names, c, func(ses *session) error {
		list = nil
		for _, t := range targets {
			list = append(list, lockedHead(ses.byName(t.real)))
		}
		return nil
	})
	return list, err
}

// lockedHead is where the history of a file ends whose lock is held.
func lockedHead(t *target) head {
	h := headAt(t, t.file.Log.State())
	h.ahead = t.file.Found.Err != nil
	return h
}

func headAt(t *target, st wal.State) head {
	return head{t: t, last: st.Last, rev: st.Rev, time: time.Unix(0, st.Time)}
}

// plannedHeads is for a reader who may not write.
func (s *Store) plannedHeads(ctx context.Context, targets []*target) ([]head, error) {
	ses := &session{s: s, ctx: ctx, targets: targets}
	plan, err := ses.planReadOnly()
	if err != nil {
		return nil, fail("", err)
	}
	var list []head
	for _, t := range targets {
		list = append(list, plannedHead(t, plan.Of(t.key())))
	}
	return list, nil
}

// headOf finds the head of one file that must have a history.
func (s *Store) headOf(ctx context.Context, file string) (head, error) {
	t, err := s.resolve(ctx, s.abs(file), false)
	if err != nil {
		return head{}, err
	}
	list, err := s.heads(ctx, []*target{t})
	if err != nil {
		return head{}, err
	}
	if list[0].last == 0 {
		return head{}, noHistory(t)
	}
	return list[0], nil
}

func noHistory(t *target) error {
	return &Error{Kind: ErrNotFound, File: t.name, Err: errorf("has no history: jtx has not changed it yet")}
}
