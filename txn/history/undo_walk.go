package history

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// begin carries the walk through the transaction, and the others behind it in its
// record.
func (u *undoRun) begin() error {
	u.walk = undoing{
		shape: shapeOf(u.before), tx: u.id,
		seen: map[wal.ID]bool{u.id: true}, undoes: map[wal.ID][]wal.ID{}, undone: map[wal.ID]bool{}, cancelled: map[wal.ID]wal.ID{},
		graves: map[grave][]*node{}, fresh: map[*node][]*node{}, seed: maphash.MakeSeed(), restored: map[*node]bool{},
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
	last, err := u.s.ContentOf(u.d.Target(), u.rec)
	if err == nil {
		u.shift(jsonpatch.TextSplices(u.after.Bytes(), last.Bytes()))
		u.after = last
	}
	return err
}

// slotOf finds how a node stood in the text before the transaction.
func (u *undoRun) slotOf(src *nodeText) func(*node) *jsonpatch.Slot {
	known := map[int]*jsonpatch.Slots{} // of large containers, by where they begin
	return func(n *node) *jsonpatch.Slot {
		if n.src != src || n.home == nil {
			return nil
		}
		slots := known[n.home.lo]
		if slots == nil {
			if slots = u.before.SlotsIn(n.home.lo); slots == nil {
				return nil
			}
			if n.home.hi-n.home.lo > 4096 {
				known[n.home.lo] = slots
			}
		}
		return slots.At(n.lo)
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
		for rec, err := range u.s.VersionsAfter(u.d.Target(), u.rec, u.h.Last) {
			if !yield(rec, err) {
				return
			}
		}
		if u.d.Target().Plan == nil {
			return
		}
		rec, err := u.d.Target().Plan.Coming()
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
