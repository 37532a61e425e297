package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
)

// try is Do as a dry run: on the files as the next access would find them, worked
// out in memory. It writes nothing, and takes no lock unless a commit is in
// progress, which it waits for.
func (s *Store) try(ctx context.Context, names []string, c *call, fn func(*Tx) error) (Result, error) {
	ses := &session{s: s, ctx: ctx, call: c}
	plan, err := ses.foresee(names)
	if err != nil {
		return Result{}, err
	}
	tx, err := ses.trial(plan)
	if err == nil {
		err = ses.checkRevisions(c)
	}
	if err == nil {
		err = protect(fn, tx)
	}
	if err != nil {
		return Result{}, err
	}
	m := &member{call: c, tx: tx}
	u, err := ses.unit([]*member{m})
	if err != nil {
		return Result{}, err
	}
	revs, err := ses.otherRevisions(u)
	if err != nil {
		return Result{}, err
	}
	return ses.describe(u, m, names, revs), nil
}

// tryHead is what is known of one file in a dry run: as withLocks would find it.
func (s *Store) tryHead(ctx context.Context, name string, c *call) (head, error) {
	ses := &session{s: s, ctx: ctx, call: c}
	plan, err := ses.foresee([]string{name})
	if err == nil {
		_, err = ses.trial(plan)
	}
	if err != nil {
		return head{}, err
	}
	h := plannedHead(ses.targets[0], ses.targets[0].plan)
	if h.ahead && ses.targets[0].file.Found.Err == nil {
		h.rev++ // the edit will be recorded
	}
	return h, nil
}

// foresee resolves the files and plans what recovery would make of them, at one
// moment: nothing was committed to any of them meanwhile.
func (ses *session) foresee(names []string) (*recovery.Plan, error) {
	for _, name := range names {
		t, err := ses.s.resolve(ses.ctx, name, false)
		if err != nil {
			return nil, err
		}
		if t.ws == nil {
			// As it will be then, with an empty journal. Its name stands for it.
			t.ws = &workspace{root: string(filepath.Separator)}
			t.rel, t.dir = filepath.ToSlash(t.real), t.ws.noFileDir()
		}
		if ses.find(t.real) == nil {
			ses.targets = append(ses.targets, t)
		}
	}
	if err := ses.noCopies(); err != nil {
		return nil, err
	}
	for range races {
		plan, err := ses.planAtRest()
		if plan != nil || err != nil {
			return plan, err
		}
	}
	held, err := ses.s.lockAllShared(ses.ctx, ses.targets)
	if err != nil {
		return nil, err
	}
	plan, err := ses.planReadOnly()
	if held != nil {
		err = errors.Join(err, held.Release())
	}
	return plan, fail("", err)
}

// planAtRest is nil where a commit was in progress, or came between.
func (ses *session) planAtRest() (*recovery.Plan, error) {
	before, err := ses.positions()
	if before == nil || err != nil {
		return nil, err
	}
	plan, err := ses.planReadOnly()
	if err != nil {
		return nil, fail("", err)
	}
	after, err := ses.positions()
	if err != nil || !slices.Equal(before, after) {
		return nil, err
	}
	return plan, nil
}

// positions are those of the targets, nil where one is not settled.
func (ses *session) positions() ([]position, error) {
	list := make([]position, len(ses.targets))
	for i, t := range ses.targets {
		pos, _, settled, err := ses.s.position(t)
		if err != nil || !settled {
			return nil, fail(t.name, err)
		}
		list[i] = pos
	}
	return list, nil
}

// lockAllShared waits for those who write the files. It is nil where the caller
// may not lock: a plan from what can be read is as good as there is then.
func (s *Store) lockAllShared(ctx context.Context, targets []*target) (*lockmgr.Held, error) {
	reqs := lockSet{}
	for _, t := range targets {
		if t.ws == nil {
			continue
		}
		if _, err := s.fs.Lstat(filepath.Join(t.dir, lockName)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		a, err := s.accessFor(t)
		if err != nil {
			return nil, fail(t.name, err)
		}
		reqs.addShared(t, a)
	}
	held, err := s.locks.Acquire(ctx, s.patience(), reqs.list)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return held, fail("", err)
}

// trial is a transaction on what a plan would leave. It ends in the errors that
// recovery would end in.
func (ses *session) trial(plan *recovery.Plan) (*Tx, error) {
	for _, u := range plan.Units {
		if err := u.Doubt(); err != nil {
			return nil, fail("", err)
		}
	}
	tx := newEmptyTx(ses.s)
	for _, t := range ses.targets {
		t.plan = plan.Of(t.key())
		found, err := t.plan.Outcome()
		var damage *recovery.DamagedError
		if errors.As(err, &damage) && ses.call.mendDamage {
			found, err = t.file.Found, nil
		}
		if err == nil && found.Err != nil && !ses.call.mendDamage {
			err = found.Err
		}
		if err != nil {
			return nil, fail(t.name, err)
		}
		t.file.Found = found
		tx.add(&draft{name: t.name, real: t.real, found: found, t: t, doc: found.Doc})
	}
	return tx, nil
}

// plannedHead is where a file's history ends by a plan.
func plannedHead(t *target, fp *recovery.FilePlan) head {
	h := head{t: t}
	switch fp.Case.Action {
	case recovery.Adopt, recovery.Rebase, recovery.SetAside:
		h.ahead = true
	}
	if fp.Newest != nil && !fp.InDoubt {
		h.last, h.rev, h.time = fp.Newest.LSN, fp.Newest.Rev, fp.Newest.Time()
	}
	return h
}
