package versions

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// This is how files are looked at that are too many to lock each: a lock is a descriptor.
// Every transaction holds its workspaces' own locks shared, so one that is held alone keeps
// all of them out.

// manyFiles is from how many files on their workspaces are locked, and not they.
const manyFiles = 64

// errBusy says that many files were written during each look at them.
var errBusy = errors.New("the files are being written")

// workspaceRequests asks for the workspaces of some files alone.
func (s *Source) workspaceRequests(targets []*workspace.Target) ([]lockmgr.Request, error) {
	var reqs []lockmgr.Request
	var seen []*workspace.Workspace
	for _, t := range targets {
		if t.WS == nil || slices.ContainsFunc(seen, func(w *workspace.Workspace) bool { return w == t.WS || w.Meta() == t.WS.Meta() }) {
			continue
		}
		seen = append(seen, t.WS)
		r := t.WS.LockRequest(lockmgr.Exclusive, 0o600)
		r.NoHolder = true
		_, err := s.FS.Lstat(filepath.Join(t.WS.Meta(), workspace.LockName))
		switch {
		case err == nil:
			reqs = append(reqs, r)
		case !errors.Is(err, fs.ErrNotExist): // else nobody has used it
			return nil, fault.In(t.WS.Root, err)
		}
	}
	return reqs, nil
}

// headsOfMany finds the heads of many files, as they all were at one moment, while they
// are being written. The workspaces are locked alone for an instant: what was committed
// before is in the journals then, and all that follows has a later time. So each file is
// looked at by itself, and its history ends for this reader at that time.
//
// It is errBusy where clocks don't tell: one was set back meanwhile, or was ahead before.
func (s *Source) headsOfMany(ctx context.Context, targets []*workspace.Target, how Looking) ([]Head, error) {
	reqs, err := s.workspaceRequests(targets)
	if err != nil {
		return nil, err
	}
	patience := s.Patience()
	if how.Hasty {
		patience = 0
	}
	held, err := s.Locks.Acquire(ctx, patience, reqs)
	if err != nil {
		return nil, fault.In("", err)
	}
	at := time.Now()
	if err := held.Release(); err != nil {
		return nil, fault.In("", err)
	}
	list := make([]Head, len(targets))
	for i, t := range targets {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if list[i], err = s.headUpTo(ctx, t, how, at); err != nil {
			return nil, err
		}
	}
	if steady := time.Since(at); steady-time.Now().Round(0).Sub(at.Round(0)) > slewed(steady) {
		return nil, errBusy // the clock was set back meanwhile
	}
	return list, nil
}

// slewed is more than the wall clock loses against the steady one without being set.
func slewed(steady time.Duration) time.Duration { return time.Millisecond + steady/1000 }

// headUpTo is the head of one file at a time.
func (s *Source) headUpTo(ctx context.Context, t *workspace.Target, how Looking, at time.Time) (Head, error) {
	one := how
	one.Each = false
	list, err := s.Heads(ctx, []*workspace.Target{t}, one)
	if how.Each && err != nil && ctx.Err() == nil {
		return Head{Target: t, Err: fault.In(t.Name, err)}, nil
	}
	if err != nil {
		return Head{}, err
	}
	h := list[0]
	if !h.Time.After(at) {
		return h, nil
	}
	if h.Time.After(time.Now()) {
		return h, errBusy
	}
	rec, err := s.AtMoment(h, &Moment{dated: at})
	if err != nil {
		return h, fault.In(t.Name, err)
	}
	h.Last, h.Rev, h.Time, h.Run, h.Ahead = 0, 0, time.Unix(0, 0), 0, true
	if rec != nil {
		h.Last, h.Rev, h.Time, h.Run = rec.LSN, rec.Rev, rec.Time(), rec.Run
	}
	return h, nil
}

// Quiet tells, by its times, its `state` and the journal's last record alone, that a file
// holds its newest version, which was not written in place, and that no commit is in
// progress. Where it is not so, or can't be told, AtRest tells more.
func (s *Source) Quiet(t *workspace.Target) (st wal.State, quiet bool) {
	if t.WS == nil {
		return st, false
	}
	pos, st, settled, err := s.Position(t)
	if err != nil || !settled || st.Last == 0 || st.Boot != s.Boot || !workspace.Untouched(pos.File, st) {
		return st, false
	}
	last, err := wal.TailNow(s.FS, t.Dir, st)
	return st, err == nil && last != nil && last.Kind != wal.KindInPlace
}
