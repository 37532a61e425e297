package history

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// merge brings the histories of several files into one order. Of most files nothing is
// read until their turn comes, and of few anything is kept: it does for very many.
type merge struct {
	s     past
	ctx   context.Context
	o     LogOptions
	since since
	lanes lanes
	known map[string]bool // the files with a lane, by real path
	open  int             // lanes that are being read
	errs  []error         // of files whose history ends early; told when the others have ended
}

// lane is one file's history. It comes where its newest version belongs that is not
// yielded yet.
type lane struct {
	h    versions.Head
	at   int       // its place among the lanes, as the files were asked for
	time time.Time // of that version; while it is not looked for, none of them is later
	unit wal.ID    // of that version, zero while it is not looked for
	lsn  wal.LSN   // of that version's record, and its revision
	rev  uint64
	rec  *wal.Record // that version, nil where it is not kept
	next func() (*wal.Record, error, bool)
	stop func()
}

// maxOpenLanes is how many histories are read at once: what is kept of one that is being
// read is as large as a segment.
const maxOpenLanes = 128

// lanes is a heap: the newest version is first. A history whose newest version is not
// looked for yet comes before one whose version has the same time, and else units that
// share a time, which only files that no transaction joins can do, by their ids.
type lanes []*lane

func (l lanes) Len() int      { return len(l) }
func (l lanes) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *lanes) Push(x any)   { *l = append(*l, x.(*lane)) }

func (l *lanes) Pop() any {
	last := (*l)[len(*l)-1]
	(*l)[len(*l)-1] = nil
	*l = (*l)[:len(*l)-1]
	return last
}

func (l lanes) Less(i, j int) bool {
	a, b := l[i], l[j]
	if c := a.time.Compare(b.time); c != 0 {
		return c > 0
	}
	if a.unit.IsZero() != b.unit.IsZero() {
		return a.unit.IsZero()
	}
	return cmp.Or(-bytes.Compare(a.unit[:], b.unit[:]), cmp.Compare(a.at, b.at)) < 0
}

func (m *merge) add(h versions.Head) {
	if m.known == nil {
		m.known = map[string]bool{}
	}
	m.known[h.Target.Real] = true
	if h.Last == 0 || h.Time.Before(m.since.time) {
		return
	}
	heap.Push(&m.lanes, &lane{h: h, at: len(m.known), time: h.Time, lsn: h.Last, rev: h.Rev})
}

// addUnrecorded adds the history of the file that one without history was before another
// program moved it.
func (m *merge) addUnrecorded(h versions.Head) error {
	f, err := m.s.FormerName(h.Target)
	if err != nil {
		return fault.In(h.Target.Name, err)
	}
	if f == nil {
		return h.NoHistory()
	}
	m.s.Mark(txn.Mark{File: h.Target.Name, Kind: txn.MarkMoved, Rev: f.Rev, From: f.T.Real})
	m.addFormer(f)
	return nil
}

// addFormer adds the history of a file up to the version in which it was moved away,
// unless it is told anyhow.
func (m *merge) addFormer(f *versions.Former) {
	if m.known[f.T.Real] {
		return
	}
	for _, h := range m.heads([]*workspace.Target{f.T}, versions.Looking{Silent: true}) {
		if h.Last == 0 {
			continue // it is not kept any more
		}
		upTo := func(rec *wal.Record) bool { return rec.Rev <= f.Rev }
		last, err := m.s.LastWhere(h, upTo)
		if err != nil {
			m.errs = append(m.errs, err)
			continue
		}
		h.Last, h.Rev = min(last, h.Last), f.Rev
		m.add(h)
	}
}

// advance looks for the version of a lane that comes next, and puts the lane where that
// belongs. A lane without one ends.
func (m *merge) advance(l *lane, before *wal.Record) {
	if l.next == nil {
		m.begin(l)
	}
	rec, err, ok := l.next()
	for ok && err == nil && before != nil && rec.Rev >= before.Rev {
		rec, err, ok = l.next()
	}
	switch {
	case err != nil:
		m.errs = append(m.errs, err)
	case ok && !m.since.isAfter(rec):
		l.rec, l.time, l.unit, l.lsn, l.rev = rec, rec.Time(), rec.Unit, rec.LSN, rec.Rev
		if m.open > maxOpenLanes {
			m.shut(l)
			l.rec = nil
		}
		heap.Push(&m.lanes, l)
		return
	case !ok:
		if f := m.s.FormerOf(l.h.Target, before); f != nil {
			m.addFormer(f)
		}
	}
	m.shut(l)
}

// begin reads a lane from the version on that comes next.
func (m *merge) begin(l *lane) {
	l.next, l.stop = iter.Pull2(m.s.Versions(l.h.Target, l.lsn))
	m.open++
}

func (m *merge) shut(l *lane) {
	if l.next != nil {
		l.stop()
		l.next, l.stop = nil, nil
		m.open--
	}
}

func (m *merge) stop() {
	for _, l := range m.lanes {
		m.shut(l)
	}
}

// newest takes the lane whose version comes next off the heap, nil where there is none.
func (m *merge) newest() *lane {
	for len(m.lanes) > 0 {
		l := heap.Pop(&m.lanes).(*lane)
		switch {
		case l.rec != nil:
			return l
		case l.unit.IsZero():
			m.advance(l, nil)
		case m.again(l):
			return l
		}
	}
	return nil
}

// again reads the version of a lane that was not kept.
func (m *merge) again(l *lane) bool {
	m.begin(l)
	for {
		rec, err, ok := l.next()
		if err != nil {
			m.errs = append(m.errs, err)
		}
		if err != nil || !ok {
			m.shut(l)
			return false
		}
		if rec.Rev <= l.rev {
			l.rec = rec
			return true
		}
	}
}

// later tells which of two versions comes first in a history, the newest first.
func later(a, b *wal.Record) bool {
	if c := a.Time().Compare(b.Time()); c != 0 {
		return c > 0
	}
	return bytes.Compare(a.Unit[:], b.Unit[:]) > 0
}

func (m *merge) run(yield func(Entry, error) bool) {
	for {
		best := m.newest()
		if err := m.ctx.Err(); err != nil {
			if best != nil {
				m.shut(best)
			}
			yield(Entry{}, context.Cause(m.ctx))
			return
		}
		if best == nil {
			if err := errors.Join(m.errs...); err != nil {
				yield(Entry{}, err)
			}
			return
		}
		more, err := m.s.yieldUnit(m.unitOf(best), m.o, yield)
		if err != nil {
			m.errs = append(m.errs, err)
		}
		if !more {
			return
		}
	}
}

// unitOf takes the versions of a unit, of which one is the next, from their lanes.
func (m *merge) unitOf(best *lane) (unit []located) {
	taken := []*lane{best}
	id := best.rec.Unit
	for len(m.lanes) > 0 && m.lanes[0].time.Equal(best.time) {
		l := m.newest()
		if l == nil {
			break
		}
		if l.rec.Unit != id {
			heap.Push(&m.lanes, l)
			break
		}
		taken = append(taken, l)
	}
	slices.SortFunc(taken, func(a, b *lane) int { return cmp.Compare(a.at, b.at) })
	for _, l := range taken {
		unit = append(unit, located{l.h, l.rec})
	}
	for _, l := range taken {
		rec := l.rec
		l.rec = nil
		m.advance(l, rec)
	}
	return unit
}
