package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

// readTries is how often a reader looks again when what it finds is damaged or
// gone. It holds no lock, so it may have met a tail while that was cut and
// written anew, or a journal while compaction replaced it.
const readTries = 5

// vanishTries is readTries where a name is gone. That shows that a writer goes on, one
// that compresses segment after segment say, and not that something is wrong.
const vanishTries = 50

// lookAgain tells whether what a reader has met for the so many-th time, without getting
// on, may be a race. If so it waits a little.
func lookAgain(try int, err error) bool {
	most := readTries
	if errors.Is(err, fs.ErrNotExist) {
		most = vanishTries
	}
	if try >= most || !mayBeRace(err) {
		return false
	}
	time.Sleep(time.Duration(min(try, readTries)) * time.Millisecond)
	return true
}

// Scan yields the records of dir's journal from LSN from on, in order, without a
// lock and without a write. It ends at the tail: a record that is only half there
// was never durable, and isn't reported. Damage is yielded as a *CorruptError,
// after the whole records before it, and ends the scan; so does any other error, as
// ErrNotFound where compaction dropped what comes next while the scan went on.
func Scan(fsy fsys.FS, dir string, from LSN) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		s := scanner{fsy: orOS(fsy), dir: dir, next: max(from, 1), yield: yield}
		s.run(s.forward)
	}
}

// ScanBack yields the records from LSN from down to the first; 0 begins at the
// newest. It reads no more segments than the caller's loop asks for.
func ScanBack(fsy fsys.FS, dir string, from LSN) iter.Seq2[*Record, error] {
	if from == 0 {
		from = math.MaxUint64
	}
	return func(yield func(*Record, error) bool) {
		s := scanner{fsy: orOS(fsy), dir: dir, next: from, yield: yield}
		s.run(s.backward)
	}
}

// ReadRecord reads one record. It costs about as much as reading its segment.
func ReadRecord(fsy fsys.FS, dir string, lsn LSN) (*Record, error) {
	for rec, err := range Scan(fsy, dir, lsn) {
		if err != nil {
			return nil, err
		}
		if rec.LSN == lsn {
			return rec, nil
		}
		break
	}
	return nil, fmt.Errorf("%s: record %d: %w", dir, lsn, ErrNotFound)
}

func orOS(fsy fsys.FS) fsys.FS {
	if fsy == nil {
		return fsys.OS
	}
	return fsy
}

// view is a reader's picture of a journal at one moment.
type view struct {
	listing
	gen     uint32
	state   State
	stateOK bool
}

// look reads the state before the names: what the state calls durable must then be
// among what the names lead to.
func look(fsy fsys.FS, dir string) (v view, err error) {
	if v.state, v.stateOK, err = ReadState(fsy, dir); err != nil {
		return v, err
	}
	journal, gen, err := JournalDir(fsy, dir)
	if err != nil {
		return v, err
	}
	v.gen = gen
	if v.listing, err = listJournal(fsy, journal, gen); err != nil {
		return v, err
	}
	if again, _, err := JournalDir(fsy, dir); err != nil || again != journal {
		return v, errors.Join(err, fmt.Errorf("%s is no longer the journal: %w", journal, fs.ErrNotExist))
	}
	return v, v.missing(v.state.Durable)
}

// missing reports a journal that has no segment at all, though it had records up to had.
func (l *listing) missing(had LSN) error {
	if len(l.segments) > 0 || had == 0 {
		return nil
	}
	return &CorruptError{Path: l.dir, LSN: 1, Reason: fmt.Sprintf("the journal is gone: there is no segment, and there were records up to %d", had)}
}

// had is how far a journal must have gone of which s is the state. Within the boot no
// record goes by itself; a power cut takes those that were not durable.
func (s *State) had(boot [16]byte) LSN {
	if s.Boot == boot {
		return max(s.Durable, s.Last)
	}
	return s.Durable
}

// scanner is one run of Scan or ScanBack.
type scanner struct {
	fsy     fsys.FS
	dir     string
	next    LSN // the record to yield next
	yield   func(*Record, error) bool
	begun   bool // a record was yielded
	stopped bool // the caller's loop has ended
}

// run repeats pass, which goes on at s.next, while what it finds may be a race.
func (s *scanner) run(pass func(view) error) {
	for try := 1; ; try++ {
		begun := s.next
		v, err := look(s.fsy, s.dir)
		if err == nil {
			err = pass(v)
		}
		if err == nil || s.stopped {
			return
		}
		if s.next != begun {
			try = 1
		}
		if !lookAgain(try, err) {
			s.yield(nil, err)
			return
		}
	}
}

func mayBeRace(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, fs.ErrNotExist)
}

func (s *scanner) forward(v view) error {
	if len(v.segments) == 0 {
		return nil
	}
	first := v.holding(s.next)
	if oldest := v.segments[first].first; s.begun && oldest > s.next {
		return fmt.Errorf("%s: record %d: %w: the oldest that is kept is %d", s.dir, s.next, ErrNotFound, oldest)
	}
	from := v.startOf(first)
	for i := first; i < len(v.segments); i++ {
		c, err := readSegment(s.fsy, v.segments[i], from, v.limit(i))
		if err != nil {
			return err
		}
		for _, e := range c.entries {
			if e.rec.LSN >= s.next && !s.emit(e.rec, e.rec.LSN+1) {
				return nil
			}
		}
		if err := c.damage(v.state.Durable); err != nil {
			return err
		}
		from = c.after()
	}
	return nil
}

func (s *scanner) backward(v view) error {
	if len(v.segments) == 0 {
		return nil
	}
	var later *contents
	for i := v.holding(s.next); i >= 0; i-- {
		c, err := readSegment(s.fsy, v.segments[i], v.startOf(i), v.limit(i))
		// What is wanted may be whole though something behind it is damaged.
		if behind := later == nil && err == nil && s.next < c.next; err == nil && !behind {
			err = c.damage(v.state.Durable)
		}
		if err == nil && later != nil {
			err = later.linksTo(c)
		}
		if err != nil {
			return err
		}
		for _, e := range slices.Backward(c.entries) {
			if e.rec.LSN <= s.next && !s.emit(e.rec, e.rec.LSN-1) {
				return nil
			}
		}
		later = c
	}
	return nil
}

// emit hands a record to the caller's loop.
func (s *scanner) emit(rec *Record, next LSN) bool {
	s.next, s.begun = next, true
	s.stopped = !s.yield(rec, nil)
	return !s.stopped
}

// linksTo checks the chain across the bound of two segments.
func (c *contents) linksTo(before *contents) error {
	if len(c.entries) == 0 {
		return nil
	}
	if err := follows(c.entries[0].rec, before.next, before.prev, before.linked); err != nil {
		return &CorruptError{Path: c.seg.path, LSN: c.seg.first, Reason: err.Error()}
	}
	return nil
}
