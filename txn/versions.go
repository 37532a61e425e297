package txn

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// isVersion tells whether a record is a revision of the file: one that was not
// taken back is, unless it only says how the one before was written.
func isVersion(rec *wal.Record) bool {
	if rec.Kind == wal.KindInPlace {
		return len(rec.Txns) > 0
	}
	return rec.MakesVersion()
}

// records yields every record of a journal from one LSN on, in order: those that were
// taken back, and those that took them back, too.
func (s *Store) records(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return named(t, wal.Scan(s.src.FS, t.Dir, from))
}

// recordsBack is records from one LSN down.
func (s *Store) recordsBack(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return named(t, wal.ScanBack(s.src.FS, t.Dir, from))
}

func named(t *workspace.Target, records iter.Seq2[*wal.Record, error]) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for rec, err := range records {
			if !yield(rec, fault.In(t.Name, err)) {
				return
			}
		}
	}
}

// standing yields the records from one LSN down to the first that give the file
// content and were not taken back: of a clash, each of its two revisions.
func (s *Store) standing(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		if from == 0 {
			return
		}
		var aborted wal.ID // an abort stands directly behind what it takes back
		for rec, err := range s.recordsBack(t, from) {
			switch {
			case err != nil:
				yield(nil, err)
				return
			case rec.Kind == wal.KindAbort:
				aborted = rec.Unit
				continue
			case !rec.MakesVersion(), rec.Unit == aborted && !aborted.IsZero():
				continue
			}
			for _, one := range slices.Backward(recovery.Revisions(rec)) {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// versions yields the file's revisions, newest first.
func (s *Store) versions(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for rec, err := range s.standing(t, from) {
			if err == nil && !isVersion(rec) {
				continue
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// versionAt is the newest revision at or below an LSN, nil where there is none.
func (s *Store) versionAt(t *workspace.Target, from wal.LSN) (*wal.Record, error) {
	for rec, err := range s.versions(t, from) {
		return rec, err
	}
	return nil, nil
}

// versionsFrom yields the file's revisions, from one LSN up to another, oldest
// first.
func (s *Store) versionsFrom(t *workspace.Target, from, to wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		var held *wal.Record // until it is certain that no abort follows
		for rec, err := range wal.Scan(s.src.FS, t.Dir, from) {
			if errors.Is(err, wal.ErrNotFound) {
				err = s.dropped(t, to)
			}
			if err != nil {
				yield(nil, fault.In(t.Name, err))
				return
			}
			if rec.LSN > to {
				break
			}
			if rec.Kind == wal.KindAbort {
				held = nil
				continue
			}
			if !yieldHeld(held, yield) {
				return
			}
			if held = nil; isVersion(rec) {
				held = rec
			}
		}
		yieldHeld(held, yield)
	}
}

// yieldHeld yields the revisions of a record, if there is one.
func yieldHeld(held *wal.Record, yield func(*wal.Record, error) bool) bool {
	if held == nil {
		return true
	}
	for _, one := range recovery.Revisions(held) {
		if !yield(one, nil) {
			return false
		}
	}
	return true
}

// versionsAfter yields the revisions behind one, oldest first.
func (s *Store) versionsAfter(t *workspace.Target, rec *wal.Record, to wal.LSN) iter.Seq2[*wal.Record, error] {
	return s.versionsAbove(t, rec.LSN, rec.Rev, to)
}

// versionsAbove is versionsFrom for revisions above one.
func (s *Store) versionsAbove(t *workspace.Target, from wal.LSN, rev uint64, to wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for next, err := range s.versionsFrom(t, from, to) {
			if err == nil && next.Rev <= rev {
				continue
			}
			if !yield(next, err) {
				return
			}
		}
	}
}

// lastWhere is the newest LSN up to which early holds, of the records with
// transactions; early holds up to some revision and not from there on. Of a clash at
// that LSN it may hold for the first revision alone. Finding it costs no more however
// long the history is.
func (s *Store) lastWhere(h head, early func(*wal.Record) bool) (wal.LSN, error) {
	begins := func(rec *wal.Record) bool { return early(recovery.Revisions(rec)[0]) }
	from, err := wal.Seek(s.src.FS, h.t.Dir, begins)
	if err != nil {
		return 0, fault.In(h.t.Name, err)
	}
	last := from - 1
	for rec, err := range s.records(h.t, from) {
		if err != nil {
			return 0, err
		}
		if rec.LSN > h.last || len(rec.Txns) > 0 && !begins(rec) {
			break
		}
		last = rec.LSN
	}
	return last, nil
}

// lastVersionWhere is the newest revision for which early holds, nil where there is
// none; see lastWhere.
func (s *Store) lastVersionWhere(h head, early func(*wal.Record) bool) (*wal.Record, error) {
	last, err := s.lastWhere(h, early)
	if err != nil {
		return nil, err
	}
	for rec, err := range s.versions(h.t, min(last, h.last)) {
		if err != nil || early(rec) {
			return rec, err
		}
	}
	return nil, nil
}

// atTime is the version that was current at a time, nil where the file has none
// so old.
func (s *Store) atTime(h head, at time.Time) (*wal.Record, error) {
	return s.lastVersionWhere(h, func(rec *wal.Record) bool { return !rec.Time().After(at) })
}

// content derives the bytes of the newest version at or below an LSN: nil where
// it is no file. It fails with ErrNotFound where retention has dropped it. It costs what lies between that version and the nearest image
// before it.
func (s *Store) content(t *workspace.Target, lsn wal.LSN) (*jsonpatch.Document, error) {
	return s.contentUpTo(t, lsn, math.MaxUint64)
}

// contentOf derives the bytes of a version; see content.
func (s *Store) contentOf(t *workspace.Target, rec *wal.Record) (*jsonpatch.Document, error) {
	return s.contentUpTo(t, rec.LSN, rec.Rev)
}

// contentBefore derives the bytes of the version before one; see content.
func (s *Store) contentBefore(t *workspace.Target, rec *wal.Record) (*jsonpatch.Document, error) {
	return s.contentUpTo(t, rec.LSN, rec.Rev-1)
}

// contentUpTo is content of a revision that is at most rev.
func (s *Store) contentUpTo(t *workspace.Target, lsn wal.LSN, rev uint64) (*jsonpatch.Document, error) {
	var chain []*wal.Record
	for rec, err := range s.standing(t, lsn) {
		if err != nil {
			return nil, err
		}
		if rec.Rev > rev {
			continue
		}
		chain = append(chain, rec)
		if rec.HasImage() || !rec.After.Exists {
			return s.replay(t, chain)
		}
	}
	if err := s.dropped(t, lsn); err != nil || len(chain) == 0 {
		return nil, err
	}
	return nil, fault.In(t.Name, &wal.CorruptError{Path: t.Dir, LSN: chain[len(chain)-1].LSN, Reason: "no image to replay from"})
}

// dropped is ErrNotFound where retention has dropped what is at or below an LSN,
// which can't be read any more.
func (s *Store) dropped(t *workspace.Target, lsn wal.LSN) error {
	first, err := wal.First(s.src.FS, t.Dir)
	if err == nil && first > 1 {
		return &Error{Kind: ErrNotFound, File: t.Name, Err: fmt.Errorf("what was there up to record %d is not kept any more", lsn)}
	}
	return fault.In(t.Name, err)
}

// replay derives a version from a chain of records, newest first, that ends with
// one which needs none before it.
func (s *Store) replay(t *workspace.Target, chain []*wal.Record) (doc *jsonpatch.Document, err error) {
	for _, rec := range slices.Backward(chain) {
		if doc, err = recovery.Next(doc, rec, s.opt.Limits); err != nil {
			return nil, fault.In(t.Name, err)
		}
	}
	return doc, nil
}

// isAhead tells that a time that has been is still to come, by today's clock: the one
// that it is by was ahead.
func isAhead(t time.Time) bool { return time.Until(t) > lockmgr.MaxSkew }
