package txn

import (
	"context"
	"fmt"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// head is where a file's history ends for one reader: what is behind it does not
// count, be it committed meanwhile or not.
type head struct {
	t    *workspace.Target
	last wal.LSN // of the journal as far as it is decided; 0 where there is none
	rev  uint64
	time time.Time // no record up to last is later
	// ahead tells that the file holds an edit made outside that is not recorded
	// yet: then the version at last is already an old one.
	ahead bool
	lags  bool  // the next change has something to settle, or to record
	doubt error // the file's last unit may or may not be committed
	err   error // why the file could not be looked at
}

// heads finds where the histories of some files end, all at one moment: a unit
// of several files is before the heads of all of them or behind.
func (s *Store) heads(ctx context.Context, targets []*workspace.Target, how looking) ([]head, error) {
	var list []head
	err := s.atRest(ctx, targets, how, func(seen []*workspace.Target) error {
		list = make([]head, len(seen))
		for i, t := range seen {
			if list[i] = (head{t: t, err: t.Err}); t.Err == nil {
				list[i] = headOf(t)
			}
		}
		return nil
	})
	return list, err
}

// headOf is where the history of a file ends that was looked at, or is locked.
func headOf(t *workspace.Target) head {
	if t.Plan == nil {
		st := t.File.Journal.State()
		return head{t: t, last: st.Last, rev: st.Rev, time: time.Unix(0, st.Time), ahead: t.File.Found.Err != nil}
	}
	h := head{t: t, lags: t.Plan.Case.Action != recovery.Nothing, doubt: t.Doubtful()}
	switch t.Plan.Case.Action {
	case recovery.Adopt, recovery.Rebase, recovery.SetAside:
		h.ahead = true
	}
	if newest := t.Plan.Newest; newest != nil {
		h.last, h.rev, h.time = newest.LSN, newest.Rev, newest.Time()
	}
	return h
}

// historyOf finds the head of one file that must have a history.
func (s *Store) historyOf(ctx context.Context, file string) (head, error) {
	t, err := s.src.Resolve(ctx, s.src.Abs(file))
	if err != nil {
		return head{}, err
	}
	list, err := s.heads(ctx, []*workspace.Target{t}, looking{})
	if err != nil {
		return head{}, err
	}
	if list[0].last == 0 {
		return head{}, noHistory(t)
	}
	return list[0], nil
}

func noHistory(t *workspace.Target) error {
	return &Error{Kind: ErrNotFound, File: t.Name, Err: fmt.Errorf("has no history: jtx has not changed it yet")}
}
