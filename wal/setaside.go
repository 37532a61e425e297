package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// lostGap is how far behind the greatest LSN that is seen in a damaged journal its
// successor begins: so that no LSN which anybody may remember of it comes again.
const lostGap = 1 << 20

// SetAside gives a file whose journal is damaged a new one, and moves the damaged one
// into the directory that it returns, below damaged/ in the file directory dir. The new
// one goes on behind the greatest LSN and the greatest revision that are seen in the
// damaged one, and what of units of several files could still be read is known in it: of
// all else nothing is, whatever anybody asks.
//
// It is a switch to a new generation: killed in between, the journal is the damaged one
// or its successor, and whoever opens that goes on with the moving. The caller holds the
// file's lock.
func SetAside(dir string, opt Options) (kept string, err error) {
	opt = opt.withDefaults()
	l := &Log{dir: dir, opt: opt, fs: opt.FS}
	defer l.release()
	begin, err := l.salvage()
	if err != nil {
		return "", err
	}
	if err := l.buildBegin(begin); err != nil {
		return "", errors.Join(err, fsys.RemoveTree(l.fs, l.journal()+genTemp))
	}
	fsys.Step("setaside.built")
	if err := l.doubtState(); err != nil {
		return "", err
	}
	fsys.Step("setaside.pending")
	if err := l.fs.Rename(l.journal()+genTemp, l.journal()); err != nil {
		return "", err
	}
	fsys.Step("setaside.switched")
	return keptPath(dir, begin.Unit), l.removeOld()
}

func keptPath(dir string, unit ID) string {
	return filepath.Join(dir, damagedName, "journal."+unit.String())
}

// buildBegin builds the generation of l's state, with one record.
func (l *Log) buildBegin(begin *Record) error {
	temp := l.journal() + genTemp
	if err := fsys.RemoveTree(l.fs, temp); err != nil {
		return err
	}
	if err := l.makeDir(temp); err != nil {
		return err
	}
	frame, err := begin.Encode()
	if err != nil {
		return err
	}
	if err := l.writeSynced(segmentPath(temp, 0, begin.LSN), appendEntry(nil, frame)); err != nil {
		return err
	}
	return fsys.SyncDir(l.fs, temp)
}

// doubtState marks the state pending where it is one: it names the tail of another
// generation than the one that is about to be the journal.
func (l *Log) doubtState() error {
	gen := l.state.Gen
	state, ok, err := l.readState()
	if err != nil {
		return err
	}
	l.state = state
	if ok {
		err = l.MarkPending()
	}
	l.state.Gen = gen
	return err
}

// moveOld moves what belongs to former generations to where it is kept. The way there is
// durable first: else a power cut could take the directories, and leave the moves.
func (l *Log) moveOld(old []string, kept string) error {
	for _, dir := range []string{filepath.Dir(kept), kept} {
		err := l.makePrivate(dir)
		if err == nil {
			err = fsys.SyncDir(l.fs, filepath.Dir(dir))
		}
		if err != nil {
			return err
		}
	}
	for _, path := range old {
		if isUnfinished(filepath.Base(path)) {
			if err := fsys.RemoveTree(l.fs, path); err != nil {
				return err
			}
			continue
		}
		if err := l.fs.Rename(path, filepath.Join(kept, filepath.Base(path))); err != nil {
			return err
		}
		fsys.Step("setaside.moved")
	}
	for _, dir := range []string{kept, l.dir} {
		if err := fsys.SyncDir(l.fs, dir); err != nil {
			return err
		}
	}
	return nil
}

// makePrivate makes a directory for the file's owner alone.
func (l *Log) makePrivate(dir string) error {
	opt := l.opt
	defer func() { l.opt = opt }()
	l.opt.DirPerm = 0o700
	return l.makeDir(dir)
}

// salvage is the record with which the successor of a damaged journal begins. It sets
// the generation that this will be.
func (l *Log) salvage() (*Record, error) {
	_, gen, err := JournalDir(l.fs, l.dir)
	if err != nil {
		return nil, err
	}
	s := salvager{fs: l.fs, at: map[LSN]*remains{}}
	st, ok, err := ReadState(l.fs, l.dir)
	if err != nil {
		return nil, err // of a newer version, too: whoever wrote that knows what is damaged
	}
	if ok {
		s.last, s.rev = max(st.Last, st.Durable), st.Rev
	}
	if err := s.lookInto(journalDir(l.dir, gen)); err != nil {
		return nil, err
	}
	if s.last > 1<<63 {
		return nil, fmt.Errorf("%s: %w: record %d", l.dir, ErrTooLarge, s.last)
	}
	l.state = State{Gen: gen + 1}
	lsn := s.last + lostGap
	return &Record{
		Kind: KindBegin, LSN: lsn, Durable: lsn - 1, Rev: s.rev, Unit: NewID(),
		Facts: s.facts(), UnknownBelow: lsn,
	}, nil
}

// salvager looks for whole records in whatever is left of a journal.
type salvager struct {
	fs   fsys.FS
	last LSN // the greatest that is seen
	rev  uint64
	at   map[LSN]*remains
	told []Fact // by the begins of former generations
}

// remains is what must be known of one LSN to tell a unit's outcome.
type remains struct {
	unit    ID
	kind    Kind
	fact    bool // others may ask for it
	twofold bool // two records claim the LSN
}

// lookInto reads every segment of a directory, and its groups.
func (s *salvager) lookInto(dir string) error {
	entries, err := s.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case !isSegment(e.Name()):
		case e.IsDir():
			err = s.lookInto(path)
		case e.Type().IsRegular():
			err = s.read(path, e.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *salvager) read(path, name string) error {
	first, last := segmentBounds(name)
	s.last = max(s.last, first, last)
	data, err := readFrom(s.fs, path, 0)
	if errors.Is(err, ErrCorrupt) {
		return nil // what can't be unpacked has nothing to tell
	}
	if err != nil {
		return err
	}
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte(frameMagic))
		if i < 0 {
			return nil
		}
		at += i
		if rec, err := frameAt(data, at); err == nil {
			s.note(rec)
		}
	}
}

func (s *salvager) note(rec *Record) {
	s.last, s.rev = max(s.last, rec.LSN), max(s.rev, rec.Rev)
	if rec.Kind == KindBegin || rec.Kind == KindDecision {
		s.told = append(s.told, rec.Facts...)
	}
	r := &remains{unit: rec.Unit, kind: rec.Kind, fact: rec.mayBeAsked()}
	if other := s.at[rec.LSN]; other != nil && (other.unit != r.unit || other.kind != r.kind) {
		r.twofold = true
	}
	s.at[rec.LSN] = r
}

// facts are the outcomes that can still be told: of records that others may ask for,
// where the record behind shows whether an abort took them back.
func (s *salvager) facts() []Fact {
	facts := s.told
	for lsn, r := range s.at {
		next := s.at[lsn+1]
		if !r.fact || r.twofold || next == nil || next.twofold {
			continue
		}
		f := Fact{Unit: r.unit, LSN: lsn, Outcome: OutcomeCommitted}
		if next.kind == KindAbort && next.unit == r.unit {
			f.Outcome = OutcomeDiscarded
		}
		facts = append(facts, f)
	}
	return sortedFacts(facts)
}
