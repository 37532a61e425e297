package history

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Undo takes a transaction back, in all its files, by a new transaction, whose origin
// says so. It need not be the newest. Where a file is byte for byte what the transaction
// left, it becomes what it was before, byte for byte. Else what other transactions
// changed since stays: where one of them, that was not taken back itself, changed a
// place that this one had changed, or something around or in it, Undo fails with
// ErrConflict and an *UndoConflict in the chain, and nothing is changed. Elements that
// have moved since, in their array or with what contains them, are followed; what
// comes back has its old text, with its comments, at its old neighbours.
func Undo(ctx context.Context, store *txn.Store, id wal.ID, opts ...txn.Option) (txn.Result, error) {
	s := of(store)
	return UndoAll(ctx, s.store, []wal.ID{id}, opts...)
}

// UndoAll is Undo of several transactions as one, the newest first.
func UndoAll(ctx context.Context, store *txn.Store, ids []wal.ID, opts ...txn.Option) (txn.Result, error) {
	s := of(store)
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b wal.ID) int { return bytes.Compare(b[:], a[:]) })
	ids = slices.Compact(ids)
	units := map[wal.ID][]located{}
	var names []string
	for _, id := range ids {
		unit, err := s.findTx(ctx, id)
		if err != nil {
			return txn.Result{}, err
		}
		if missing := others(unit); len(missing) > 0 {
			return txn.Result{}, &txn.Error{Kind: txn.ErrNotFound, File: missing[0], Err: fmt.Errorf("its part of transaction %s is not kept, or can't be looked at", id)}
		}
		for _, at := range unit {
			if name := at.h.Target.Real; !slices.Contains(names, name) {
				names = append(names, name)
			}
			// The rest of the record would keep its whole segment in memory.
			units[id] = append(units[id], located{at.h, &wal.Record{Rev: at.rec.Rev}})
		}
	}
	// Commits of one moment have ids in no order: a revision tells.
	slices.SortStableFunc(ids, func(a, b wal.ID) int { return compareUnits(units[b], units[a]) })
	asked := doors.Asked{Note: undoNote(ids), BringsBack: true}
	for _, id := range ids {
		asked.Origins = append(asked.Origins, wal.Origin{Kind: wal.OriginUndone, Txn: id})
	}
	opts = append(slices.Clone(opts), txn.WithParents(), txn.Asking(asked))
	return s.store.Do(ctx, names, func(tx *txn.Tx) error {
		for _, d := range txn.Drafts(tx) {
			var undone []wal.ID
			for _, id := range ids {
				if !slices.ContainsFunc(units[id], func(at located) bool { return at.h.Target.Real == d.Target().Real }) {
					continue
				}
				if err := s.undoDraft(ctx, d, id, undone); err != nil {
					return err
				}
				undone = append(undone, id)
			}
		}
		return nil
	}, opts...)
}

// Since lists a transaction and all that were committed after it in the files below
// the store's directory, newest first.
func Since(ctx context.Context, store *txn.Store, id wal.ID) ([]Entry, error) {
	s := of(store)
	first, err := Show(ctx, s.store, id)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for e, err := range Log(ctx, s.store, nil, LogOptions{Since: AtTx(first.ID)}) {
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if e.ID == id {
			return list, nil
		}
	}
	return nil, &txn.Error{Kind: txn.ErrNotFound, Err: fmt.Errorf("no transaction %s in the files below %s", id, s.Dir)}
}

// compareUnits orders transactions by the revisions that they made of a file of both.
func compareUnits(a, b []located) int {
	for _, x := range a {
		for _, y := range b {
			if x.h.Target.Real == y.h.Target.Real {
				return cmp.Compare(x.rec.Rev, y.rec.Rev)
			}
		}
	}
	return 0
}

// undoNote says for people which transactions are undone.
func undoNote(ids []wal.ID) string {
	if n := len(ids); n > 1 {
		return fmt.Sprintf("undo %d transactions from %s on", n, ids[n-1])
	}
	return "undo " + ids[0].String()
}

// undoneBy are the transactions that one takes back.
func undoneBy(t wal.Txn) (ids []wal.ID) {
	for _, o := range t.Origins {
		if o.Kind == wal.OriginUndone {
			ids = append(ids, o.Txn)
		}
	}
	return ids
}

// undoDraft takes the transaction's change to one file back. Those of undone, which
// came later, were taken back in the same transaction.
func (s past) undoDraft(ctx context.Context, d doors.Draft, id wal.ID, undone []wal.ID) error {
	h := versions.HeadOf(d.Target())
	rec, err := s.recordOf(h, id)
	if err != nil {
		return err
	}
	if rec == nil {
		return &txn.Error{Kind: txn.ErrNotFound, File: d.Name(), Err: fmt.Errorf("transaction %s is not kept any more", id)}
	}
	u := &undoRun{s: s, ctx: ctx, d: d, h: h, rec: detached(rec), id: id, lim: s.Limits, undone: undone}
	if err := u.read(); err != nil {
		return err
	}
	if sameBytes(d.Document(), u.after) {
		if u.before == nil {
			d.Remove()
			d.Blank(versions.BlankOf(u.rec.Before))
			return nil
		}
		return d.Replace(u.before)
	}
	if u.before == nil || u.after == nil || d.Document() == nil {
		return u.explain(u.wholeFile())
	}
	return u.explain(fault.In(d.Name(), u.run()))
}

// detached is a record that keeps nothing of its segment in memory, which may hold
// images of other versions too. It shares its own image.
func detached(rec *wal.Record) *wal.Record {
	if rec.HasImage() {
		return rec
	}
	r := *rec
	r.Image, r.Txns = bytes.Clone(rec.Image), slices.Clone(rec.Txns)
	for i := range r.Txns {
		t := &r.Txns[i]
		t.Patch, t.Splices = bytes.Clone(t.Patch), slices.Clone(t.Splices)
		for j := range t.Splices {
			t.Splices[j].Bytes = bytes.Clone(t.Splices[j].Bytes)
		}
	}
	return &r
}

func sameBytes(a, b *jsonpatch.Document) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.Bytes(), b.Bytes())
}

// undoRun undoes one transaction in one file.
type undoRun struct {
	s      past
	ctx    context.Context
	d      doors.Draft
	h      versions.Head
	rec    *wal.Record
	id     wal.ID
	lim    jsonpatch.Limits
	undone []wal.ID

	// The file as the transaction found and left it, nil for no file.
	before, after *jsonpatch.Document
	place         int // of the transaction in its record

	walk undoing
	// splices lead from the document after the transaction back to the one
	// before, in the text as it now is, while bytes is true: until a later change
	// meets them.
	splices []jsonpatch.Splice
	bytes   bool
}

// read derives the two versions.
func (u *undoRun) read() (err error) {
	if !versions.MakesFile(u.rec) {
		if u.before, err = u.s.ContentBefore(u.d.Target(), u.rec); err != nil {
			return err
		}
	}
	switch found := u.d.Found(); {
	case !u.rec.After.Exists:
	case found.Doc != nil && found.Version == u.rec.After:
		u.after = found.Doc
	case u.before != nil:
		u.after, err = recovery.Next(u.before, u.rec, u.lim)
	default:
		u.after, err = u.s.ContentOf(u.d.Target(), u.rec)
	}
	if err != nil {
		return fault.In(u.d.Name(), err)
	}
	if len(u.rec.Txns) < 2 || u.before == nil || u.after == nil {
		return nil
	}
	doc := u.before
	for i := range u.rec.Txns {
		one := &wal.Record{Txns: u.rec.Txns[i : i+1]}
		next, err := recovery.ApplyRecord(doc, one, u.lim)
		if err != nil {
			return fault.In(u.d.Name(), err)
		}
		if u.rec.Txns[i].ID == u.id {
			u.before, u.place = doc, i
			if i < len(u.rec.Txns)-1 {
				u.after = next
			}
			return nil
		}
		doc = next
	}
	return nil
}

// wholeFile is the conflict of a transaction that made or removed the file, which was
// changed since.
func (u *undoRun) wholeFile() error {
	c := &UndoConflict{Tx: u.id, Change: "change the file", LaterOp: "change it"}
	switch {
	case u.before == nil:
		c.Change = "make the file"
	case u.after == nil:
		c.Change = "remove the file"
	case u.d.Document() == nil:
		c.LaterOp = "remove it"
	}
	newest, err := u.s.VersionAt(u.d.Target(), u.h.Last)
	if err != nil {
		return err
	}
	if newest != nil {
		c.Later = versions.IdOf(newest)
		c.Undone = slices.ContainsFunc(newest.Txns, func(t wal.Txn) bool { return slices.Contains(undoneBy(t), u.id) })
	}
	return fault.In(u.d.Name(), c)
}

// explain adds to a conflict the version that can be brought back instead.
func (u *undoRun) explain(err error) error {
	var c *UndoConflict
	if errors.As(err, &c) && u.rec.Rev > 1 {
		c.File, c.Rev = u.d.Name(), u.rec.Rev-1
	}
	return err
}

func (u *undoRun) run() error {
	if err := u.begin(); err != nil {
		return err
	}
	if err := u.onward(u.after); err != nil {
		return err
	}
	if len(u.undone) > 0 { // by what this very transaction has done so far
		if err := u.takeBack(wal.ID{}, u.undone, u.d.Ops()); err != nil {
			return err
		}
	}
	if by, done := u.walk.cancelled[u.id]; done {
		return &UndoConflict{Tx: u.id, Later: by, Undone: true}
	}
	patch, err := u.walk.back()
	if err != nil {
		return err
	}
	if err := u.d.Apply(patch); err != nil {
		return err
	}
	u.restoreBytes()
	return u.comeHome()
}

// comeHome gives the file the bytes of a former version where everything since then
// is taken back: whatever the order was in which that was done. Where an element came
// back beside the place of another that was gone as well, only that version tells
// which of them is the first.
func (u *undoRun) comeHome() error {
	u.walk.cancel(u.id, wal.ID{})
	// pending were taken back by what was walked over, and are further back.
	pending := map[wal.ID]bool{}
	for id := range u.walk.seen {
		if _, gone := u.walk.cancelled[id]; gone {
			continue
		}
		if len(u.walk.undoes[id]) == 0 {
			return nil
		}
		for _, undone := range u.walk.undoes[id] {
			if !u.walk.seen[undone] {
				pending[undone] = true
			}
		}
	}
	var base *wal.Record
	if len(pending) == 0 {
		base = u.rec
	}
	for rec, err := range u.s.Versions(u.d.Target(), u.rec.LSN) {
		if err != nil {
			return err
		}
		if rec.Rev >= u.rec.Rev {
			continue
		}
		if !u.isCancelled(rec, pending) {
			break
		}
		if len(pending) == 0 {
			base = rec
		}
	}
	if base == nil || versions.MakesFile(base) {
		return nil
	}
	home, err := u.s.ContentBefore(u.d.Target(), base)
	if err != nil || home == nil {
		return ignoreNotFound(err)
	}
	if !home.SameValue(u.d.Document()) {
		return u.d.Replace(home)
	}
	u.d.Rewrite(home)
	return nil
}

// isCancelled tells whether all that a record did is taken back by now, or took back
// what is pending then.
func (u *undoRun) isCancelled(rec *wal.Record, pending map[wal.ID]bool) bool {
	for _, t := range slices.Backward(rec.Txns) {
		_, gone := u.walk.cancelled[t.ID]
		undone := undoneBy(t)
		if !gone && !pending[t.ID] && len(undone) == 0 {
			return false
		}
		if !gone && !pending[t.ID] {
			for _, id := range undone {
				pending[id] = true
			}
		}
		delete(pending, t.ID)
	}
	return len(rec.Txns) > 0
}

// ignoreNotFound is for what retention may have dropped.
func ignoreNotFound(err error) error {
	if errors.Is(err, txn.ErrNotFound) {
		return nil
	}
	return err
}

// restoreBytes gives back the very bytes where that makes the same document.
func (u *undoRun) restoreBytes() {
	if !u.bytes || u.d.Document() == nil {
		return
	}
	text, err := jsonpatch.ApplySplices(u.d.Found().Data, u.splices)
	if err != nil || string(text) == string(u.d.Document().Bytes()) || !jsonpatch.Equal(text, u.d.Document().Bytes()) {
		return
	}
	// A comma that a later change has made the last one is read where comments are
	// allowed: plain JSON must stay plain.
	parse := jsonpatch.Parse
	if u.d.Document().Syntax() == jsonpatch.Strict && u.before.Syntax() == jsonpatch.Strict {
		parse = jsonpatch.ParseStrict
	}
	doc, err := parse(text, u.lim)
	if err != nil {
		return
	}
	u.d.Rewrite(doc)
}
