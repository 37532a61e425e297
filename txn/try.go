package txn

import (
	"context"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// try is Do as a dry run: on the files as the next access would find them, worked
// out in memory.
func (s *Store) try(ctx context.Context, names []string, c *call, fn func(*Tx) error) (Result, error) {
	var targets []*workspace.Target
	for _, name := range names {
		t, err := s.src.Resolve(ctx, name)
		if err != nil {
			return Result{}, err
		}
		targets = append(targets, t)
	}
	var res Result
	err := s.src.AtRest(ctx, targets, versions.Looking{Content: true}, func(seen []*workspace.Target) error {
		ses := &session{s: s, FileSet: workspace.FileSet{Site: s.src.Site, Ctx: ctx}, call: c}
		for _, t := range seen {
			if ses.Find(t.Real) == nil {
				ses.Targets = append(ses.Targets, t.AsCovered())
			}
		}
		var err error
		res, err = ses.try(names, fn)
		return err
	})
	return res, err
}

// try runs fn, and finds out what it comes to.
func (ses *session) try(names []string, fn func(*Tx) error) (Result, error) {
	if err := ses.NoCopies(); err != nil {
		return Result{}, err
	}
	tx, err := ses.trial()
	if err == nil {
		err = ses.checkExpected(ses.call)
	}
	if err == nil {
		err = protect(fn, tx)
	}
	if err != nil {
		return Result{}, err
	}
	m := &member{call: ses.call, tx: tx}
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

// trial is a transaction on what recovery would leave. It ends in the errors that
// that would end in.
func (ses *session) trial() (*Tx, error) {
	tx := newEmptyTx(ses.s)
	for _, t := range ses.Targets {
		found, err := t.Foreseen(ses.call.MendDamage)
		if err != nil {
			return nil, fault.In(t.Name, err)
		}
		t.File.Found = found
		tx.add(&draft{name: t.Name, real: t.Real, found: found, t: t, doc: found.Doc})
	}
	return tx, nil
}
