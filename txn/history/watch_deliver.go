package history

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/wal"
)

// flow brings what is new in several files into one order, the oldest first.
type flow struct {
	lanes []*newLane
	// damaged is told of a file what can't be read of what is new in it: that is passed
	// over.
	damaged func(versions.Head, error) error
}

// newLane is what is new in one file; rec is its oldest version that is not
// yielded yet, rev the revision before that.
type newLane struct {
	h    versions.Head
	rec  *wal.Record
	rev  uint64
	next func() (*wal.Record, error, bool)
	stop func()
}

// deliver yields what lies between the cursors and the heads, and moves the
// cursors there.
func (w *watch) deliver(heads []versions.Head, yield func(Entry, error) bool) error {
	f := flow{damaged: w.skip}
	defer f.stop()
	for _, h := range heads {
		at := w.cursors[h.Target.Real]
		if cursorOf(h) == at {
			continue
		}
		l := &newLane{h: h, rev: at.rev}
		l.next, l.stop = iter.Pull2(w.s.VersionsAbove(h.Target, at.last+1, at.rev, h.Last))
		f.lanes = append(f.lanes, l)
		err := w.s.follows(h, at)
		if err == nil {
			err = l.advance()
		}
		if err := f.passOver(l, err); err != nil {
			return err
		}
	}
	for unit, err := f.unit(); unit != nil || err != nil; unit, err = f.unit() {
		if err == nil {
			err = w.yieldUnit(unit, yield)
		}
		if err != nil {
			return err
		}
	}
	for _, h := range heads {
		w.cursors[h.Target.Real] = cursorOf(h)
	}
	return nil
}

// follows makes sure that a history still is the one that was followed: one that was
// begun anew, when it was forgotten, has only younger versions.
func (s past) follows(h versions.Head, at cursor) error {
	anew := h.Last < at.last
	if !anew && at.last > 0 {
		rec, err := s.VersionAt(h.Target, at.last)
		if err != nil {
			return err
		}
		anew = rec != nil && at.time.UnixNano() > 0 && rec.Time().After(at.time)
	}
	if anew {
		return &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: fmt.Errorf("its history was begun anew: it can't be followed from revision %d", at.rev)}
	}
	return nil
}

func (l *newLane) advance() error {
	rec, err, ok := l.next()
	l.rec = nil
	if err != nil || !ok {
		return err
	}
	if rec.Rev > l.rev+1 {
		return &txn.Error{Kind: txn.ErrNotFound, File: l.h.Target.Name, Err: fmt.Errorf("what follows revision %d is not kept any more: the oldest is %d", l.rev, rec.Rev)}
	}
	l.rec, l.rev = rec, rec.Rev
	return nil
}

func (f *flow) stop() {
	for _, l := range f.lanes {
		l.stop()
	}
}

// unit takes the oldest unit, nil where there is none left.
func (f *flow) unit() ([]located, error) {
	var oldest *newLane
	for _, l := range f.lanes {
		if l.rec != nil && (oldest == nil || later(oldest.rec, l.rec)) {
			oldest = l
		}
	}
	if oldest == nil {
		return nil, nil
	}
	id := oldest.rec.Unit
	var unit []located
	for _, l := range f.lanes {
		if l.rec == nil || l.rec.Unit != id {
			continue
		}
		unit = append(unit, located{l.h, l.rec})
		if err := f.passOver(l, l.advance()); err != nil {
			return nil, err
		}
	}
	return unit, nil
}

// passOver ends a lane in which there is damage.
func (f *flow) passOver(l *newLane, err error) error {
	err = fault.In(l.h.Target.Name, err)
	if !errors.Is(err, txn.ErrDamaged) {
		return err
	}
	l.rec = nil
	return f.damaged(l.h, err)
}

// yieldUnit yields the transactions of a unit, the first first.
func (w *watch) yieldUnit(unit []located, yield func(Entry, error) bool) error {
	var ids []wal.ID
	for _, at := range unit {
		for _, t := range at.rec.Txns {
			if !slices.Contains(ids, t.ID) {
				ids = append(ids, t.ID)
			}
		}
	}
	for _, id := range ids {
		e, err := w.s.entry(unit, id, w.o.Patches)
		if err != nil {
			return err
		}
		if !yield(e, nil) {
			return errLeft
		}
	}
	return nil
}
