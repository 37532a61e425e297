package txn

import (
	"context"
	"iter"
	"regexp"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Undo takes a transaction back, in all its files, by a new transaction. It need
// not be the newest: what other transactions changed since stays. The message says
// which was undone, so that it is not undone twice, unless the undo was undone. Where
// one of the later ones changed a place that this one had changed, or something around or in it,
// Undo fails with ErrConflict and an *UndoConflict in the chain, and nothing is
// changed. Elements that have moved since, in their array or with what contains
// them, are followed. While the text around the change is as it was then, Undo
// gives back the very bytes.
func (s *Store) Undo(ctx context.Context, id wal.ID, opts ...Option) (Result, error) {
	unit, err := s.findTx(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if missing := others(unit); len(missing) > 0 {
		return Result{}, &Error{Kind: ErrNotFound, File: missing[0], Err: errorf("its part of transaction %s is not kept, or can't be looked at", id)}
	}
	var names []string
	for _, at := range unit {
		names = append(names, at.h.t.real)
	}
	opts = append(slices.Clone(opts), WithParents(), func(c *call) { c.message = undoMessage(c.message, id) })
	return s.Do(ctx, names, func(tx *Tx) error {
		for _, d := range tx.drafts {
			if err := s.undoDraft(ctx, tx, d, id); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
}

// undoMessage says which transaction is undone, besides what the caller says.
func undoMessage(message string, id wal.ID) string {
	if message == "" {
		return "undo " + id.String()
	}
	return message + " (undo " + id.String() + ")"
}

var undoForm = regexp.MustCompile(`(?:^|\()undo ([0-9A-Z]{26})\)?$`)

// undoes is the transaction that one says it has undone.
func undoes(t wal.Txn) (wal.ID, bool) {
	m := undoForm.FindStringSubmatch(t.Message)
	if m == nil {
		return wal.ID{}, false
	}
	id, err := wal.ParseID(m[1])
	return id, err == nil
}

// notUndone fails where the transaction was undone, by one that was not undone
// itself.
func (s *Store) notUndone(h head, rec *wal.Record, id wal.ID) error {
	type undo struct{ of, by wal.ID }
	var undos []undo
	for rec, err := range s.versionsAfter(h.t, rec, h.last) {
		if err != nil {
			return err
		}
		for _, t := range rec.Txns {
			if of, ok := undoes(t); ok {
				undos = append(undos, undo{of, t.ID})
			}
		}
	}
	undone := map[wal.ID]bool{}
	for _, u := range slices.Backward(undos) { // what undid one came after it
		if undone[u.by] {
			continue
		}
		if undone[u.of] = true; u.of == id {
			return &UndoConflict{Tx: id, Later: u.by, Undone: true}
		}
	}
	return nil
}

// undoDraft takes the transaction's change to one file back.
func (s *Store) undoDraft(ctx context.Context, tx *Tx, d *draft, id wal.ID) error {
	h := d.t.head()
	rec, err := s.recordOf(h, id)
	if err != nil {
		return err
	}
	if rec == nil {
		return &Error{Kind: ErrNotFound, File: d.name, Err: errorf("transaction %s is not kept any more", id)}
	}
	if err := s.notUndone(h, rec, id); err != nil {
		return fail(d.name, err)
	}
	var before *jsonpatch.Document
	if rec.Before.Exists {
		if before, err = s.contentBefore(d.t, rec); err != nil {
			return err
		}
	}
	u := &undoRun{s: s, ctx: ctx, tx: tx, d: d, h: h, rec: rec, id: id, lim: tx.lim}
	if before == nil || !rec.After.Exists {
		return u.wholeFile(before)
	}
	return fail(d.name, u.run(before))
}

// undoRun undoes one transaction in one file.
type undoRun struct {
	s   *Store
	ctx context.Context
	tx  *Tx
	d   *draft
	h   head
	rec *wal.Record
	id  wal.ID
	lim jsonpatch.Limits

	walk undoing
	// splices lead from the document after the transaction back to the one
	// before, in the text as it now is, while bytes is true: until a later change
	// meets them.
	splices []jsonpatch.Splice
	bytes   bool
}

// wholeFile undoes the making or removing of the file, if that was the last that
// happened to it.
func (u *undoRun) wholeFile(before *jsonpatch.Document) error {
	newest, err := u.s.versionAt(u.d.t, u.h.last)
	if err == nil && newest == nil {
		err = u.s.dropped(u.d.t, u.h.last)
	}
	if err != nil {
		return err
	}
	if newest.LSN != u.rec.LSN || newest.Rev != u.rec.Rev || u.h.ahead {
		c := &UndoConflict{Tx: u.id, Change: "make the file", Later: idOf(newest), LaterOp: "change it"}
		if before != nil {
			c.Change = "remove the file"
		}
		return fail(u.d.name, c)
	}
	if before == nil {
		u.d.remove()
		return nil
	}
	return u.d.replace(before, u.lim)
}

func (u *undoRun) run(before *jsonpatch.Document) error {
	after, err := u.forth(before)
	if err != nil {
		return err
	}
	if err := u.onward(after); err != nil {
		return err
	}
	patch, err := u.walk.back()
	if err != nil {
		return err
	}
	if err := u.tx.apply(u.d, patch); err != nil {
		return err
	}
	u.restoreBytes()
	return nil
}

// forth carries the walk through the transaction, and the others of its record,
// and returns the document that the record made.
func (u *undoRun) forth(doc *jsonpatch.Document) (*jsonpatch.Document, error) {
	for i, t := range u.rec.Txns {
		patch, err := u.s.patchOf(located{u.h, u.rec}, i)
		if err != nil {
			return nil, err
		}
		next, splices, err := doc.Apply(patch, u.lim)
		if err != nil {
			return nil, err
		}
		switch {
		case t.ID == u.id || len(u.rec.Txns) == 1:
			u.splices, u.bytes = jsonpatch.ReverseSplices(splices), true
			err = u.own(doc, patch)
		case u.walk.shape != nil:
			err = u.follow(t.ID, patch)
			u.shift(splices)
		}
		if err != nil {
			return nil, err
		}
		doc = next
	}
	after, err := u.s.contentOf(u.d.t, u.rec)
	if err != nil {
		return nil, err
	}
	if string(doc.Bytes()) != string(after.Bytes()) {
		start, err := u.s.contentBefore(u.d.t, u.rec)
		if err != nil {
			return nil, err
		}
		u.splices = []jsonpatch.Splice{spliceBetween(after.Bytes(), start.Bytes())}
	}
	return after, nil
}

// own begins the walk with the patch that is to be undone.
func (u *undoRun) own(doc *jsonpatch.Document, patch jsonpatch.Patch) error {
	shape, err := newShape(jsonpatch.Compact(doc.Bytes()), 0)
	if err != nil {
		return err
	}
	u.walk = undoing{shape: shape, tx: u.id}
	for i := range patch {
		if err := u.walk.do(doc, patch[i]); err != nil {
			return err
		}
		if i < len(patch)-1 {
			if doc, _, err = doc.Apply(patch[i:i+1], u.lim); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *undoRun) follow(by wal.ID, patch jsonpatch.Patch) error {
	for _, op := range patch {
		if err := u.walk.follow(by, op); err != nil {
			return err
		}
	}
	return nil
}

// onward carries the walk through everything that was changed since.
func (u *undoRun) onward(doc *jsonpatch.Document) error {
	for rec, err := range u.since() {
		if err != nil {
			return err
		}
		if u.ctx.Err() != nil {
			return context.Cause(u.ctx)
		}
		if !rec.After.Exists || !rec.Before.Exists {
			return &UndoConflict{Tx: u.id, Change: "change the file", Later: idOf(rec), LaterOp: "make or remove it"}
		}
		next, err := recovery.Next(doc, rec, u.lim)
		if err != nil {
			return err
		}
		if err := u.through(doc, next, rec); err != nil {
			return err
		}
		doc = next
	}
	return nil
}

// since yields what came after the transaction. In a dry run an edit from outside
// may be there that has no record yet, and gets one.
func (u *undoRun) since() iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for rec, err := range u.s.versionsAfter(u.d.t, u.rec, u.h.last) {
			if !yield(rec, err) {
				return
			}
		}
		if u.d.t.plan == nil {
			return
		}
		rec, err := u.d.t.plan.Coming()
		if err != nil {
			yield(nil, err)
		}
		if rec != nil {
			rec.LSN = u.h.last + 1
		}
		yieldHeld(rec, yield)
	}
}

func (u *undoRun) through(doc, next *jsonpatch.Document, rec *wal.Record) error {
	var all jsonpatch.Patch
	for i, t := range rec.Txns {
		patch, err := u.s.patchOf(located{u.h, rec}, i)
		if err != nil {
			return err
		}
		if err := u.follow(t.ID, patch); err != nil {
			return err
		}
		all = append(all, patch...)
	}
	if !u.bytes {
		return nil
	}
	made, splices, err := doc.Apply(all, u.lim)
	if err != nil || string(made.Bytes()) != string(next.Bytes()) {
		splices = []jsonpatch.Splice{spliceBetween(doc.Bytes(), next.Bytes())}
	}
	u.shift(splices)
	return nil
}

// spliceBetween is the one splice that leads from a text to another: all between
// their common beginning and their common end.
func spliceBetween(a, b []byte) jsonpatch.Splice {
	start, end := 0, 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return jsonpatch.Splice{Offset: start, Old: a[start : len(a)-end], New: b[start : len(b)-end]}
}

// shift moves the splices to where their text is after later ones, if none of
// those meets them.
func (u *undoRun) shift(later []jsonpatch.Splice) {
	for i := range u.splices {
		s := &u.splices[i]
		by, end := 0, s.Offset+len(s.Old)
		for _, l := range later {
			switch {
			case l.Offset+len(l.Old) <= s.Offset:
				by += len(l.New) - len(l.Old)
			case l.Offset < end || l.Offset == s.Offset:
				u.bytes = false
				return
			}
		}
		s.Offset += by
	}
}

// restoreBytes gives back the very bytes where that makes the same document.
func (u *undoRun) restoreBytes() {
	if !u.bytes || u.d.doc == nil {
		return
	}
	text, err := jsonpatch.ApplySplices(u.d.found.Data, u.splices)
	if err != nil || string(text) == string(u.d.doc.Bytes()) || !jsonpatch.Equal(text, u.d.doc.Bytes()) {
		return
	}
	// A comma that a later change has made the last one is read where comments are
	// allowed: plain JSON must stay plain.
	parse := jsonpatch.Parse
	if _, err := jsonpatch.ParseStrict(u.d.doc.Bytes(), u.lim); err == nil {
		parse = jsonpatch.ParseStrict
	}
	doc, err := parse(text, u.lim)
	if err != nil {
		return
	}
	u.d.doc, u.d.whole = doc, true
}
