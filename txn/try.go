package txn

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/jtx-project/jtx/recover"
)

// try is Do as a dry run: on the files as the next access would find them, worked
// out in memory.
func (s *Store) try(ctx context.Context, names []string, c *call, fn func(*Tx) error) (Result, error) {
	var targets []*target
	for _, name := range names {
		t, err := s.resolve(ctx, name)
		if err != nil {
			return Result{}, err
		}
		targets = append(targets, t)
	}
	var res Result
	err := s.atRest(ctx, targets, looking{content: true}, func(seen []*target) error {
		ses := &session{fileSet: fileSet{s: s, ctx: ctx}, call: c}
		for _, t := range seen {
			if ses.find(t.real) == nil {
				ses.targets = append(ses.targets, t.asCovered())
			}
		}
		var err error
		res, err = ses.try(names, fn)
		return err
	})
	return res, err
}

// asCovered is t as its workspace will be once it is made, with an empty journal. Its
// name stands for it.
func (t *target) asCovered() *target {
	if t.ws == nil {
		t.ws = &workspace{root: string(filepath.Separator)}
		t.rel, t.dir = filepath.ToSlash(t.real), t.ws.noFileDir()
		t.file.Key, t.file.Dir = t.key(), t.dir
	}
	return t
}

// try runs fn, and finds out what it comes to.
func (ses *session) try(names []string, fn func(*Tx) error) (Result, error) {
	if err := ses.noCopies(); err != nil {
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
	for _, t := range ses.targets {
		found, err := t.foreseen(ses.call.mendDamage)
		if err != nil {
			return nil, fail(t.name, err)
		}
		t.file.Found = found
		tx.add(&draft{name: t.name, real: t.real, found: found, t: t, doc: found.Doc})
	}
	return tx, nil
}

// foreseen is what a change would find.
func (t *target) foreseen(mendDamage bool) (recovery.Found, error) {
	if err := t.doubtful(); err != nil {
		return recovery.Found{}, err
	}
	found, err := t.comes()
	var damage *recovery.DamagedError
	if errors.As(err, &damage) && mendDamage {
		return t.file.Found, nil
	}
	if err == nil && found.Err != nil && !mendDamage {
		var begins bool
		if begins, err = t.begins(&found); err == nil && !begins {
			err = found.Err
		}
	}
	return found, err
}

// tryHead is what is known of one file in a dry run: as a change would find it.
func (s *Store) tryHead(ctx context.Context, name string) (h head, err error) {
	t, err := s.resolve(ctx, name)
	if err != nil {
		return head{}, err
	}
	err = s.atRest(ctx, []*target{t}, looking{content: true}, func(seen []*target) error {
		t := seen[0].asCovered()
		if h = t.head(); h.ahead && t.file.Found.Err == nil {
			h.rev++ // the edit will be recorded
		}
		return nil
	})
	return h, err
}
