package versions

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// Head is where a file's history ends for one reader: what is behind it does not
// count, be it committed meanwhile or not.
type Head struct {
	Target *workspace.Target
	Last   wal.LSN // of the journal as far as it is decided; 0 where there is none
	Rev    uint64
	Time   time.Time // no record up to last is dated later
	Run    uint16    // of the newest record, see [wal.Record]
	// Ahead tells that the file holds an edit made outside that is not recorded
	// yet: then the version at last is already an old one.
	Ahead bool
	Lags  bool  // the next change has something to settle, or to record
	Doubt error // the file's last unit may or may not be committed
	Err   error // why the file could not be looked at
}

// Heads finds where the histories of some files end, all at one moment: a unit
// of several files is before the heads of all of them or behind. Many files that are being
// written are not locked for that.
func (s *Source) Heads(ctx context.Context, targets []*workspace.Target, how Looking) ([]Head, error) {
	if len(targets) > manyFiles && !how.lockless && !how.Content && !how.Alone {
		quick := how
		quick.lockless = true
		list, err := s.Heads(ctx, targets, quick)
		if errors.Is(err, errBusy) {
			list, err = s.headsOfMany(ctx, targets, how)
		}
		if !errors.Is(err, errBusy) {
			return list, err
		}
	}
	var list []Head
	err := s.AtRest(ctx, targets, how, func(seen []*workspace.Target) error {
		list = make([]Head, len(seen))
		for i, t := range seen {
			if list[i] = (Head{Target: t, Err: t.Err}); t.Err == nil {
				list[i] = HeadOf(t)
			}
		}
		return nil
	})
	return list, err
}

// HeadOf is where the history of a file ends that was looked at, or is locked.
func HeadOf(t *workspace.Target) Head {
	if t.Plan == nil {
		st := t.File.Journal.State()
		return Head{Target: t, Last: st.Last, Rev: st.Rev, Time: time.Unix(0, st.Time), Run: st.Run, Ahead: t.File.Found.Err != nil}
	}
	h := Head{Target: t, Lags: t.Plan.Case.Action != recovery.Nothing, Doubt: t.Doubtful()}
	switch t.Plan.Case.Action {
	case recovery.Adopt, recovery.Rebase, recovery.SetAside:
		h.Ahead = true
	default: // what stands there is a version
	}
	if newest := t.Plan.Newest; newest != nil {
		h.Last, h.Rev, h.Time, h.Run = newest.LSN, newest.Rev, newest.Time(), newest.Run
	}
	return h
}

// HeadOf finds the head of one file that must have a history.
func (s *Source) HeadOf(ctx context.Context, file string) (Head, error) {
	t, err := s.Resolve(ctx, s.Abs(file))
	if err != nil {
		return Head{}, err
	}
	list, err := s.Heads(ctx, []*workspace.Target{t}, Looking{})
	if err != nil {
		return Head{}, err
	}
	if list[0].Last == 0 {
		return Head{}, list[0].NoHistory()
	}
	return list[0], nil
}

// NoHistory says of a file without a committed version that it has none, and why.
func (h Head) NoHistory() error {
	if h.Doubt != nil {
		return &fault.Error{Kind: fault.ErrNotFound, File: h.Target.Name, Err: fmt.Errorf("has no committed version yet: its only change is in doubt")}
	}
	return NoHistory(h.Target)
}

func NoHistory(t *workspace.Target) error {
	if _, err := os.Lstat(t.Name); errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Kind: fault.ErrNotFound, File: t.Name, Err: fmt.Errorf("has no history, and is not there")}
	}
	return &fault.Error{Kind: fault.ErrNotFound, File: t.Name, Err: fmt.Errorf("has no history: jtx has not changed it yet")}
}

// MustBeTracked keeps locks from being made for files that have no history.
func (s *Source) MustBeTracked(t *workspace.Target) error {
	if t.WS == nil {
		return NoHistory(t)
	}
	known, err := s.Tracked(t)
	if err != nil || known {
		return fault.In(t.Name, err)
	}
	if err := s.WasTracked(t); err != nil {
		return fault.In(t.Name, err)
	}
	return NoHistory(t)
}

// TryHead is what is known of one file in a dry run: as a change would find it.
func (s *Source) TryHead(ctx context.Context, name string) (h Head, err error) {
	t, err := s.Resolve(ctx, name)
	if err != nil {
		return Head{}, err
	}
	err = s.AtRest(ctx, []*workspace.Target{t}, Looking{Content: true}, func(seen []*workspace.Target) error {
		t := seen[0].AsCovered()
		if h = HeadOf(t); h.Ahead && t.File.Found.Err == nil {
			h.Rev++ // the edit will be recorded
		}
		return nil
	})
	return h, err
}

// Targets resolves the files, or lists those that are tracked.
func (s *Source) Targets(ctx context.Context, files []string) ([]*workspace.Target, error) {
	if len(files) == 0 { // as for the directory that the store is in
		sc, err := s.Scope(ctx, nil)
		if err != nil {
			return nil, err
		}
		return sc.Files, nil
	}
	var targets []*workspace.Target
	for _, f := range files {
		if info, err := s.FS.Stat(s.Abs(f)); err == nil && info.IsDir() {
			sc, err := s.Scope(ctx, []string{f})
			if err != nil {
				return nil, err
			}
			targets = append(targets, sc.Files...)
			continue
		}
		t, err := s.Resolve(ctx, s.Abs(f))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(targets, func(o *workspace.Target) bool { return o.Real == t.Real }) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}
