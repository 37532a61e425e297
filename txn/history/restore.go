package history

import (
	"context"
	"fmt"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/wal"
)

// bringingBack lets a transaction go on with a damaged file, whose bytes have been
// set aside, in order to replace it, and with one that is gone, with its directory
// perhaps.
var bringingBack = doors.Asked{MendDamage: true, BringsBack: true}

// Restore brings versions of files back as they were, byte for byte, in one new
// transaction. The zero Point is the last good version: what a file held before
// it was deleted or damaged. Damaged bytes are set aside first, and stay there.
// A version in which a file was not there removes it.
func Restore(ctx context.Context, store *txn.Store, files []string, p Point, opts ...txn.Option) (txn.Result, error) {
	s := of(store)
	if p.kind == pointTx {
		// Its time is looked up before the files are locked.
		targets, err := s.Targets(ctx, files)
		if err != nil {
			return txn.Result{}, err
		}
		heads, err := s.Heads(ctx, targets, versions.Looking{Silent: true})
		if err != nil {
			return txn.Result{}, err
		}
		if p, err = s.fixed(ctx, heads, p); err != nil {
			return txn.Result{}, err
		}
	}
	for _, f := range files {
		t, err := s.Resolve(ctx, s.Abs(f))
		if err != nil {
			return txn.Result{}, err
		}
		if t.WS == nil {
			return txn.Result{}, versions.NoHistory(t) // and nothing is made to keep one
		}
	}
	return s.store.Do(ctx, files, func(tx *txn.Tx) error {
		p, err := s.fixed(ctx, headsOf(tx), p)
		if err != nil {
			return err
		}
		for _, d := range txn.Drafts(tx) {
			if err := s.restoreDraft(d, p); err != nil {
				return err
			}
		}
		return nil
	}, append(opts, txn.Asking(bringingBack))...)
}

// headsOf are the heads of the files that a transaction has locked.
func headsOf(tx *txn.Tx) (heads []versions.Head) {
	for _, d := range txn.Drafts(tx) {
		heads = append(heads, versions.HeadOf(d.Target()))
	}
	return heads
}

// RestoreAll brings every tracked file at or below the store's directory to its
// state at a point: a time or a transaction. A file that was made later is
// removed; one whose history does not reach back so far is left as it is.
func RestoreAll(ctx context.Context, store *txn.Store, p Point, opts ...txn.Option) (txn.Result, error) {
	s := of(store)
	sc, err := s.Scope(ctx, nil)
	if err != nil {
		return txn.Result{}, err
	}
	if p.kind == pointTx {
		heads, err := s.Heads(ctx, sc.Files, versions.Looking{Silent: true, Each: true})
		if err != nil {
			return txn.Result{}, err
		}
		if p, err = s.fixed(ctx, heads, p); err != nil {
			return txn.Result{}, err
		}
	}
	if p.kind != pointTime && p.kind != pointMoment {
		return txn.Result{}, &txn.Error{Kind: txn.ErrInvalid, Err: fmt.Errorf("all files have a state in common only at a time or a transaction")}
	}
	var names []string
	for _, t := range sc.Files {
		names = append(names, t.Real)
	}
	if len(names) == 0 {
		return txn.Result{}, nil
	}
	var young []string
	bringBack := func(tx *txn.Tx) error {
		young = nil
		p, err := s.fixed(ctx, headsOf(tx), p)
		if err != nil {
			return err
		}
		for _, d := range txn.Drafts(tx) {
			reached, err := s.restoreOld(d, p)
			if err != nil {
				return err
			}
			if !reached {
				young = append(young, d.Name())
			}
		}
		if len(young) == len(txn.Drafts(tx)) {
			return &txn.Error{Kind: txn.ErrNotFound, File: young[0], Err: fmt.Errorf("has no version so old, and no other file has one")}
		}
		return nil
	}
	res, err := doors.TheRest(names, func(names []string) (txn.Result, error) {
		return s.store.Do(ctx, names, bringBack, append(opts, txn.Asking(bringingBack))...)
	})
	for _, name := range young {
		res.Warnings = append(res.Warnings, name+": has no version so old, and is left as it is")
	}
	return res, err
}

func (s past) restoreDraft(d doors.Draft, p Point) error {
	h := versions.HeadOf(d.Target())
	if h.Last == 0 {
		return versions.NoHistory(d.Target())
	}
	var rec *wal.Record
	var err error
	switch {
	case p.kind == pointCurrent && h.Ahead && d.Document() != nil:
		return nil // an edit from outside, not recorded yet, is the last good one
	case p.kind == pointCurrent:
		rec, err = s.lastGood(h)
	default:
		rec, err = s.locate(h, p)
	}
	if err != nil {
		return err
	}
	if rec == nil {
		return &txn.Error{Kind: txn.ErrNotFound, File: d.Name(), Err: fmt.Errorf("has no version so old")}
	}
	return s.bringBack(d, rec)
}

// lastGood is the newest version in which the file was there.
func (s past) lastGood(h versions.Head) (*wal.Record, error) {
	for rec, err := range s.Versions(h.Target, h.Last) {
		if err != nil || rec.After.Exists {
			return rec, err
		}
	}
	return nil, nil
}

// restoreOld brings one of all files back. It is false where the file's history
// does not reach back so far.
func (s past) restoreOld(d doors.Draft, p Point) (bool, error) {
	h := versions.HeadOf(d.Target())
	if h.Last == 0 {
		return false, nil
	}
	rec, err := s.AtMoment(h, p.moment)
	if err != nil || rec != nil {
		if err == nil {
			err = s.bringBack(d, rec)
		}
		return true, err
	}
	first, err := s.MadeByJtx(h)
	if first == nil || err != nil {
		return false, err
	}
	d.Remove() // later
	d.Blank(versions.BlankOf(first.Before))
	return true, nil
}

// bringBack makes a draft the version of a record.
func (s past) bringBack(d doors.Draft, rec *wal.Record) error {
	doc, err := s.ContentOf(d.Target(), rec)
	if err != nil {
		return err
	}
	if doc == nil {
		if d.Document() != nil || d.Found().Err != nil {
			d.Remove()
		}
		return nil
	}
	return d.Replace(doc)
}
