package txn

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/jtx-project/jtx/recover"
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
func (s *Store) Undo(ctx context.Context, id wal.ID, opts ...Option) (Result, error) {
	return s.UndoAll(ctx, []wal.ID{id}, opts...)
}

// UndoAll is Undo of several transactions as one, the newest first.
func (s *Store) UndoAll(ctx context.Context, ids []wal.ID, opts ...Option) (Result, error) {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b wal.ID) int { return bytes.Compare(b[:], a[:]) })
	ids = slices.Compact(ids)
	units := map[wal.ID][]located{}
	var names []string
	for _, id := range ids {
		unit, err := s.findTx(ctx, id)
		if err != nil {
			return Result{}, err
		}
		if missing := others(unit); len(missing) > 0 {
			return Result{}, &Error{Kind: ErrNotFound, File: missing[0], Err: fmt.Errorf("its part of transaction %s is not kept, or can't be looked at", id)}
		}
		for _, at := range unit {
			if name := at.h.Target.Real; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		units[id] = unit
	}
	// Commits of one moment have ids in no order: a revision tells.
	slices.SortStableFunc(ids, func(a, b wal.ID) int { return compareUnits(units[b], units[a]) })
	opts = append(slices.Clone(opts), WithParents(), func(c *call) {
		c.message, c.bringsBack = undoMessage(c.message, ids), true
		for _, id := range ids {
			c.origins = append(c.origins, wal.Origin{Kind: wal.OriginUndone, Txn: id})
		}
	})
	return s.Do(ctx, names, func(tx *Tx) error {
		for _, d := range tx.drafts {
			var undone []wal.ID
			for _, id := range ids {
				if !slices.ContainsFunc(units[id], func(at located) bool { return at.h.Target.Real == d.t.Real }) {
					continue
				}
				if err := s.undoDraft(ctx, tx, d, id, undone); err != nil {
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
func (s *Store) Since(ctx context.Context, id wal.ID) ([]Entry, error) {
	first, err := s.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for e, err := range s.History(ctx, nil, HistoryOptions{Since: first.Time}) {
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if e.ID == id {
			return list, nil
		}
	}
	return nil, &Error{Kind: ErrNotFound, Err: fmt.Errorf("no transaction %s in the files below %s", id, s.src.Dir)}
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

// undoMessage says for people which transactions are undone, besides what the caller
// says.
func undoMessage(message string, ids []wal.ID) string {
	text := "undo " + ids[len(ids)-1].String()
	if n := len(ids); n > 1 {
		text = fmt.Sprintf("undo %d transactions from %s on", n, ids[n-1])
	}
	if message == "" {
		return text
	}
	return message + " (" + text + ")"
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
func (s *Store) undoDraft(ctx context.Context, tx *Tx, d *draft, id wal.ID, undone []wal.ID) error {
	h := versions.HeadOf(d.t)
	rec, err := s.recordOf(h, id)
	if err != nil {
		return err
	}
	if rec == nil {
		return &Error{Kind: ErrNotFound, File: d.name, Err: fmt.Errorf("transaction %s is not kept any more", id)}
	}
	u := &undoRun{s: s, ctx: ctx, tx: tx, d: d, h: h, rec: rec, id: id, lim: tx.lim, undone: undone}
	if err := u.read(); err != nil {
		return err
	}
	if sameBytes(d.doc, u.after) {
		if u.before == nil {
			d.remove()
			d.blank = versions.BlankOf(u.rec.Before)
			return nil
		}
		return d.replace(u.before, tx.lim)
	}
	if u.before == nil || u.after == nil || d.doc == nil {
		return u.explain(u.wholeFile())
	}
	return u.explain(fault.In(d.name, u.run()))
}

func sameBytes(a, b *jsonpatch.Document) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.Bytes(), b.Bytes())
}

// undoRun undoes one transaction in one file.
type undoRun struct {
	s      *Store
	ctx    context.Context
	tx     *Tx
	d      *draft
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
		if u.before, err = u.s.src.ContentBefore(u.d.t, u.rec); err != nil {
			return err
		}
	}
	if u.rec.After.Exists {
		if u.after, err = u.s.src.ContentOf(u.d.t, u.rec); err != nil {
			return err
		}
	}
	if len(u.rec.Txns) < 2 || u.before == nil || u.after == nil {
		return nil
	}
	doc := u.before
	for i := range u.rec.Txns {
		one := &wal.Record{Txns: u.rec.Txns[i : i+1]}
		next, err := recovery.ApplyRecord(doc, one, u.lim)
		if err != nil {
			return fault.In(u.d.name, err)
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
	case u.d.doc == nil:
		c.LaterOp = "remove it"
	}
	newest, err := u.s.src.VersionAt(u.d.t, u.h.Last)
	if err != nil {
		return err
	}
	if newest != nil {
		c.Later = versions.IdOf(newest)
		c.Undone = slices.ContainsFunc(newest.Txns, func(t wal.Txn) bool { return slices.Contains(undoneBy(t), u.id) })
	}
	return fault.In(u.d.name, c)
}

// explain adds to a conflict the version that can be brought back instead.
func (u *undoRun) explain(err error) error {
	var c *UndoConflict
	if errors.As(err, &c) && u.rec.Rev > 1 {
		c.File, c.Rev = u.d.name, u.rec.Rev-1
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
		if err := u.takeBack(wal.ID{}, u.undone, u.d.ops); err != nil {
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
	if err := u.tx.apply(u.d, patch); err != nil {
		return err
	}
	u.restoreBytes()
	return u.comeHome()
}

// comeHome gives the file the bytes of a former version where everything since then
// is taken back, and the value is the same: whatever the order was in which that was
// done.
func (u *undoRun) comeHome() error {
	u.walk.cancel(u.id, wal.ID{})
	for id := range u.walk.seen {
		if _, gone := u.walk.cancelled[id]; !gone && len(u.walk.undoes[id]) == 0 {
			return nil
		}
	}
	base := u.rec
	for rec, err := range u.s.src.Versions(u.d.t, u.rec.LSN) {
		if err != nil {
			return err
		}
		if rec.Rev >= u.rec.Rev {
			continue
		}
		if !u.isCancelled(rec) {
			break
		}
		base = rec
	}
	if versions.MakesFile(base) {
		return nil
	}
	home, err := u.s.src.ContentBefore(u.d.t, base)
	if err != nil || home == nil || !home.SameValue(u.d.doc) {
		return ignoreNotFound(err)
	}
	u.d.doc, u.d.whole = home, true
	return nil
}

// isCancelled tells whether all that a record did is taken back by now, or took back
// what is.
func (u *undoRun) isCancelled(rec *wal.Record) bool {
	for _, t := range rec.Txns {
		if _, gone := u.walk.cancelled[t.ID]; !gone && len(undoneBy(t)) == 0 {
			return false
		}
	}
	return len(rec.Txns) > 0
}

// ignoreNotFound is for what retention may have dropped.
func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// begin carries the walk through the transaction, and the others behind it in its
// record.
func (u *undoRun) begin() error {
	u.walk = undoing{
		shape: shapeOf(u.before), tx: u.id,
		seen: map[wal.ID]bool{u.id: true}, undoes: map[wal.ID][]wal.ID{}, undone: map[wal.ID]bool{}, cancelled: map[wal.ID]wal.ID{},
		graves: map[*node][]*node{}, restored: map[*node]bool{},
	}
	u.walk.slots = u.slotOf(u.walk.shape.root.src)
	for _, id := range u.undone {
		u.walk.undone[id] = true
	}
	for rec, err := range u.since() {
		if err != nil {
			return err
		}
		for _, t := range rec.Txns {
			for _, id := range undoneBy(t) {
				u.walk.undoes[t.ID] = append(u.walk.undoes[t.ID], id)
				u.walk.undone[id] = true
			}
		}
	}
	patch, err := u.s.patchOf(located{u.h, u.rec}, u.place)
	if err != nil {
		return err
	}
	for _, op := range patch {
		a, err := u.walk.do(op)
		if err != nil {
			return err
		}
		u.walk.actions = append(u.walk.actions, a)
	}
	u.splices, u.bytes = jsonpatch.TextSplices(u.after.Bytes(), u.before.Bytes()), len(u.undone) == 0
	if u.place == len(u.rec.Txns)-1 || len(u.rec.Txns) == 0 {
		return nil
	}
	rest := *u.rec
	rest.Txns = u.rec.Txns[u.place+1:]
	if err := u.follow(&rest, u.place+1); err != nil {
		return err
	}
	last, err := u.s.src.ContentOf(u.d.t, u.rec)
	if err == nil {
		u.shift(jsonpatch.TextSplices(u.after.Bytes(), last.Bytes()))
		u.after = last
	}
	return err
}

// slotOf finds how a node stood in the text before the transaction.
func (u *undoRun) slotOf(src *nodeText) func(*node) *jsonpatch.Slot {
	known := map[int]map[int]*jsonpatch.Slot{} // by where the container begins
	return func(n *node) *jsonpatch.Slot {
		if n.src != src || n.home == nil {
			return nil
		}
		slots, ok := known[n.home.lo]
		if !ok {
			slots = u.before.SlotsIn(n.home.lo)
			known[n.home.lo] = slots
		}
		return slots[n.lo]
	}
}

// follow carries the walk through the transactions of a record, the first of which is
// its i-th.
func (u *undoRun) follow(rec *wal.Record, i int) error {
	whole := *rec
	if rec.LSN == u.rec.LSN && rec.Rev == u.rec.Rev {
		whole = *u.rec
	}
	for n, t := range rec.Txns {
		patch, err := u.s.patchOf(located{u.h, &whole}, i+n)
		if err != nil {
			return err
		}
		u.walk.seen[t.ID] = true
		// What was undone before the walk began is a change like any other.
		undone := undoneBy(t)
		for _, id := range undone {
			if !u.walk.seen[id] {
				u.walk.cancel(id, t.ID)
			}
		}
		if len(undone) > 0 && !slices.ContainsFunc(undone, func(id wal.ID) bool { return !u.walk.seen[id] }) {
			if err := u.takeBack(t.ID, undone, patch); err != nil {
				return err
			}
			continue
		}
		for _, op := range patch {
			if err := u.walk.follow(t.ID, op); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBack carries the walk through a transaction that took others back.
func (u *undoRun) takeBack(by wal.ID, undone []wal.ID, patch jsonpatch.Patch) error {
	for _, op := range patch {
		if err := u.walk.takesBack(op); err != nil {
			return err
		}
	}
	for _, id := range undone {
		u.walk.cancel(id, by)
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
		if !rec.After.Exists || versions.MakesFile(rec) {
			return &UndoConflict{Tx: u.id, Change: "change the file", Later: versions.IdOf(rec), LaterOp: "make or remove it"}
		}
		if err := u.follow(rec, 0); err != nil {
			return err
		}
		if !u.bytes {
			continue
		}
		next, err := recovery.Next(doc, rec, u.lim)
		if err != nil {
			return err
		}
		u.shift(jsonpatch.TextSplices(doc.Bytes(), next.Bytes()))
		doc = next
	}
	return nil
}

// since yields what came after the transaction. In a dry run an edit from outside
// may be there that has no record yet, and gets one.
func (u *undoRun) since() iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for rec, err := range u.s.src.VersionsAfter(u.d.t, u.rec, u.h.Last) {
			if !yield(rec, err) {
				return
			}
		}
		if u.d.t.Plan == nil {
			return
		}
		rec, err := u.d.t.Plan.Coming()
		if err != nil {
			yield(nil, err)
		}
		if rec != nil {
			rec.LSN = u.h.Last + 1
		}
		versions.YieldHeld(rec, yield)
	}
}

// shift moves the splices to where their text is after later ones, if none of
// those meets them.
func (u *undoRun) shift(later []jsonpatch.Splice) {
	for i := range u.splices {
		s := &u.splices[i]
		by, end := 0, s.Offset+len(s.Old)
		for _, l := range later {
			switch {
			case l.Offset == s.Offset && len(l.Old)+len(s.Old) == 0:
				u.bytes = false // which of them comes first, nobody knows
				return
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
	if u.d.doc.Syntax() == jsonpatch.Strict && u.before.Syntax() == jsonpatch.Strict {
		parse = jsonpatch.ParseStrict
	}
	doc, err := parse(text, u.lim)
	if err != nil {
		return
	}
	u.d.doc, u.d.whole = doc, true
}
