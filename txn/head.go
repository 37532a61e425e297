package txn

import (
	"context"
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
	lags  bool  // the next change has something to settle, or to record
	doubt error // the file's last unit may or may not be committed
	err   error // why the file could not be looked at
}

// heads finds where the histories of some files end, all at one moment: a unit
// of several files is before the heads of all of them or behind.
func (s *Store) heads(ctx context.Context, targets []*target, how looking) ([]head, error) {
	var list []head
	err := s.atRest(ctx, targets, how, func(seen []*target) error {
		list = make([]head, len(seen))
		for i, t := range seen {
			if list[i] = (head{t: t, err: t.err}); t.err == nil {
				list[i] = t.head()
			}
		}
		return nil
	})
	return list, err
}

// head is where the history of a file ends that was looked at, or is locked.
func (t *target) head() head {
	if t.plan == nil {
		st := t.file.Journal.State()
		return head{t: t, last: st.Last, rev: st.Rev, time: time.Unix(0, st.Time), ahead: t.file.Found.Err != nil}
	}
	h := head{t: t, lags: t.plan.Case.Action != recovery.Nothing, doubt: t.doubtful()}
	switch t.plan.Case.Action {
	case recovery.Adopt, recovery.Rebase, recovery.SetAside:
		h.ahead = true
	}
	if newest := t.plan.Newest; newest != nil {
		h.last, h.rev, h.time = newest.LSN, newest.Rev, newest.Time()
	}
	return h
}

// headOf finds the head of one file that must have a history.
func (s *Store) headOf(ctx context.Context, file string) (head, error) {
	t, err := s.resolve(ctx, s.abs(file))
	if err != nil {
		return head{}, err
	}
	list, err := s.heads(ctx, []*target{t}, looking{})
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
