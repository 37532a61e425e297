package wal

import (
	"cmp"
	"slices"

	"github.com/jtx-project/jtx/wal/fsys"
)

// A unit of several files is committed when the journal of each holds its record, and so
// the others' journals are asked as long as one of them ends with it. What a journal
// drops must still be answered for: by facts, in the record with which the next generation
// begins. What has none is unknown.

// mayBeAsked tells of a record that the journals of other files may be asked about: one
// of a unit of several files; and one that took an LSN which a unit that was cut off may
// have been meant to have, so that its own journal can contradict it.
func (r *Record) mayBeAsked() bool {
	return r.MakesVersion() && (len(r.Participants) > 0 || r.Flags&FlagResumed != 0)
}

// resumedReach is how far behind a commit that was cut off its unit's record would have
// been: an image of the file may come before it.
const resumedReach = 2

// beginFor is the record that answers for all before from, in the place of the last of
// them.
func (l *Log) beginFor(from LSN, asked func(*Record) bool) (*Record, error) {
	begin := &Record{Kind: KindBegin, LSN: from - 1, Durable: from - 2, Unit: NewID()}
	for rec, err := range Scan(l.fs, l.dir, 1) {
		if err != nil {
			return nil, err
		}
		if rec.LSN >= from {
			break
		}
		begin.Rev, begin.Named = rec.Rev, min(rec.Named, from-2)
		if rec.Kind == KindBegin {
			// That it has the LSN of the record itself tells that the generation before
			// was damaged, which it was not.
			begin.UnknownBelow = min(rec.UnknownBelow, begin.LSN-1)
		}
		begin.Facts = rec.appendFacts(begin.Facts, asked)
	}
	begin.Facts = sortedFacts(begin.Facts)
	return begin, nil
}

// appendFacts appends what must still be known when the record has been dropped. An abort
// stands directly behind the record that it takes back.
func (r *Record) appendFacts(facts []Fact, asked func(*Record) bool) []Fact {
	switch last := len(facts) - 1; {
	case r.hasFacts():
		return append(facts, r.Facts...)
	case r.Kind == KindAbort && last >= 0 && facts[last].LSN == r.LSN-1 && facts[last].Unit == r.Unit:
		facts[last].Outcome = OutcomeDiscarded
	case r.mayBeAsked() && (asked == nil || r.Flags&FlagResumed != 0 || asked(r)):
		return append(facts, Fact{Unit: r.Unit, LSN: r.LSN, Outcome: OutcomeCommitted})
	}
	return facts
}

// Fate is what a journal says of a unit whose record it should hold at an LSN that it
// has dropped. known is false where it says nothing.
func (l *Log) Fate(unit ID, lsn LSN) (f Fact, known bool, err error) {
	return ReadFate(l.fs, l.dir, unit, lsn)
}

// ReadFate is [Log.Fate] of the journal of the file directory dir, without a lock.
func ReadFate(fsy fsys.FS, dir string, unit ID, lsn LSN) (f Fact, known bool, err error) {
	begin, err := ReadBegin(fsy, dir)
	if begin == nil || err != nil {
		return Fact{}, false, err
	}
	for _, f := range begin.Facts {
		if f.LSN == lsn || f.Unit == unit {
			return f, true, nil
		}
	}
	return Fact{}, false, nil
}

// ReadBegin is the record with which a journal begins where others were dropped before
// it; nil where none were.
func ReadBegin(fsy fsys.FS, dir string) (*Record, error) {
	for rec, err := range Scan(fsy, dir, 1) {
		if err != nil {
			return nil, err
		}
		if rec.Kind == KindBegin {
			return rec, nil
		}
		break
	}
	return nil, nil
}

// sortedFacts orders facts by LSN and drops repetitions. A unit that was decided by a
// person keeps that beside what its journal says.
func sortedFacts(facts []Fact) []Fact {
	slices.SortFunc(facts, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.LSN, b.LSN), slices.Compare(a.Unit[:], b.Unit[:]), cmp.Compare(a.Outcome, b.Outcome))
	})
	return slices.Compact(facts)
}
