package txn

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// CommitOptions of an open transaction.
type CommitOptions struct {
	// Rebase applies the staged operations to files that somebody else changed,
	// where none of their changes touches a place that this transaction read or
	// changed.
	Rebase  bool
	Options []Option
}

// Commit makes the staged changes durable and visible, all or none, and ends the
// transaction. It fails with ErrConflict where a file is not as it was pinned, or
// a lease was broken; the transaction then stays open. Where an earlier Commit did its
// work and was cut off before it could end the transaction, this one only ends it.
func (t *OpenTx) Commit(ctx context.Context, o CommitOptions) (Result, error) {
	held, err := t.lock(ctx, t.s.src.Patience())
	if err != nil {
		return Result{}, err
	}
	res, err := t.commit(ctx, o)
	return res, errors.Join(err, t.unlock(held))
}

func (t *OpenTx) commit(ctx context.Context, o CommitOptions) (Result, error) {
	if err := t.load(); err != nil {
		return Result{}, err
	}
	if err := t.reach(); err != nil {
		return Result{}, err
	}
	var names []string
	for _, f := range t.data.Files {
		names = append(names, string(f.File))
	}
	opts := append([]Option{WithMessage(t.data.Message), WithActor(t.data.Actor)}, o.Options...)
	id, err := wal.ParseID(t.data.ID)
	if err != nil {
		return Result{}, &Error{Kind: ErrDamaged, File: t.dir, Err: err}
	}
	opts = append(opts, func(c *call) { c.tx, c.Lease, c.fence = id, t.data.ID, t.fence })
	res, err := t.s.Do(ctx, names, func(tx *Tx) error { return t.replay(tx, o.Rebase) }, opts...)
	var before *committedBefore
	if errors.As(err, &before) {
		res, err = Result{ID: id, Files: before.files,
			Warnings: []string{"the transaction was committed before, but not ended: a crash came between"}}, nil
	}
	if err != nil || t.s.newCall(opts).dryRun {
		return res, err
	}
	if err := t.finish(ctx); err != nil {
		res.Warnings = append(res.Warnings, fmt.Sprintf("committed, but %s could not be removed: %v", t.dir, err))
	}
	return res, nil
}

// committedBefore ends a commit that was done already.
type committedBefore struct{ files []Revision }

func (*committedBefore) Error() string { return "committed before" }

// lookBack ends the commit where an earlier one has done it.
func (t *OpenTx) lookBack(tx *Tx) error {
	var before committedBefore
	for _, f := range t.data.Files {
		d, err := tx.file(string(f.File))
		if err != nil {
			return err
		}
		if !f.Changed {
			continue
		}
		newest, err := d.t.Newest()
		if err != nil {
			return fault.In(d.name, err)
		}
		rec, err := t.committed(d.t, f, newest)
		if err != nil {
			return err
		}
		if rec != nil {
			before.files = append(before.files, Revision{File: d.name, Rev: rec.Rev, Changed: true})
		}
	}
	if before.files != nil {
		return &before
	}
	return nil
}

// replay does to the files as they are what was staged against them as they were.
func (t *OpenTx) replay(tx *Tx, rebase bool) error {
	if err := t.lookBack(tx); err != nil {
		return err
	}
	if err := t.holdsLeases(tx); err != nil {
		return err
	}
	seen := map[*draft]bool{}
	for i, f := range t.data.Files {
		d, err := tx.file(string(f.File))
		if err != nil {
			return err
		}
		if seen[d] {
			return &Error{Kind: ErrConflict, File: string(f.File), Err: fmt.Errorf("has become another name of %s since it joined", d.name)}
		}
		seen[d] = true
		same, err := f.holds(d)
		if err != nil {
			return err
		}
		if same {
			staged, err := t.draft(f)
			if err != nil {
				return fault.In(d.name, err)
			}
			d.doc, d.ops, d.whole, d.steps = staged.doc, staged.ops, staged.whole, 2
			continue
		}
		if !rebase {
			return t.changedError(i, d)
		}
		if err := t.rebase(tx, f, d); err != nil {
			return err
		}
	}
	return nil
}

// holdsLeases fails where a lease is lost: then it matters neither whether the file was
// changed, which asks for a rebase that can't work, nor whether the transaction changes
// any. What is committed is looked at once more, by fence.
func (t *OpenTx) holdsLeases(tx *Tx) error {
	for _, f := range t.data.Files {
		if f.Token == 0 {
			continue
		}
		d, err := tx.file(string(f.File))
		if err != nil {
			return err
		}
		if err := lockmgr.CheckLease(filepath.Join(d.t.Dir, workspace.LockName), t.data.ID, f.Token); err != nil {
			return fault.In(d.name, err)
		}
	}
	return nil
}

func (t *OpenTx) changedError(i int, d *draft) error {
	rev, err := d.t.Rev()
	if err != nil {
		return fault.In(d.name, err)
	}
	return &Error{Kind: ErrConflict, File: d.name,
		Err: fmt.Errorf("changed since the transaction began: revision %d then, %d now", t.data.Files[i].Rev, rev)}
}

// rebase applies what was staged to the file as it is now, unless somebody else's
// change and this transaction meet in one place.
func (t *OpenTx) rebase(tx *Tx, f *txFile, d *draft) error {
	base, err := t.base(f)
	if err != nil {
		return fault.In(d.name, err)
	}
	if base == nil || d.doc == nil || f.Removed || f.Whole {
		return &Error{Kind: ErrConflict, File: d.name, Err: fmt.Errorf("was made, removed or rewritten whole: it can't be rebased")}
	}
	theirs, err := jsonpatch.Diff(base, d.doc)
	if err != nil {
		return fault.In(d.name, err)
	}
	ours, err := f.ops(tx.lim)
	if err != nil {
		return fault.In(d.name, err)
	}
	for _, text := range f.Reads {
		p, err := jsonpatch.ParsePointer(text)
		if err != nil {
			return fault.In(d.name, err)
		}
		ours = append(ours, jsonpatch.Operation{Op: "test", Path: p}) // reads it, as a test does
	}
	if at, clash := jsonpatch.Clash(base, ours, theirs); clash {
		return &Error{Kind: ErrConflict, File: d.name, Pointer: at, Err: fmt.Errorf("somebody else changed %q since the transaction began", at)}
	}
	return tx.apply(d, ours[:len(ours)-len(f.Reads)])
}
