package versions

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

// IsVersion tells whether a record is a revision of the file: one that was not
// taken back is, unless it only says how the one before was written.
func IsVersion(rec *wal.Record) bool {
	if rec.Kind == wal.KindInPlace {
		return len(rec.Txns) > 0
	}
	return rec.MakesVersion()
}

// Records yields every record of a journal from one LSN on, in order: those that were
// taken back, and those that took them back, too.
func (s *Source) Records(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return named(t, wal.Scan(s.FS, t.Dir, from))
}

// RecordsBack is records from one LSN down.
func (s *Source) RecordsBack(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return named(t, wal.ScanBack(s.FS, t.Dir, from))
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
func (s *Source) standing(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		if from == 0 {
			return
		}
		var aborted wal.ID // an abort stands directly behind what it takes back
		for rec, err := range s.RecordsBack(t, from) {
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

// Versions yields the file's revisions, newest first.
func (s *Source) Versions(t *workspace.Target, from wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for rec, err := range s.standing(t, from) {
			if err == nil && !IsVersion(rec) {
				continue
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// VersionAt is the newest revision at or below an LSN, nil where there is none.
func (s *Source) VersionAt(t *workspace.Target, from wal.LSN) (*wal.Record, error) {
	for rec, err := range s.Versions(t, from) {
		return rec, err
	}
	return nil, nil
}

// VersionsFrom yields the file's revisions, from one LSN up to another, oldest
// first.
func (s *Source) VersionsFrom(t *workspace.Target, from, to wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		var held *wal.Record // until it is certain that no abort follows
		for rec, err := range wal.Scan(s.FS, t.Dir, from) {
			if errors.Is(err, wal.ErrNotFound) {
				err = s.Dropped(t, to)
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
			if !YieldHeld(held, yield) {
				return
			}
			if held = nil; IsVersion(rec) {
				held = rec
			}
		}
		YieldHeld(held, yield)
	}
}

// YieldHeld yields the revisions of a record, if there is one.
func YieldHeld(held *wal.Record, yield func(*wal.Record, error) bool) bool {
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

// VersionsAfter yields the revisions behind one, oldest first.
func (s *Source) VersionsAfter(t *workspace.Target, rec *wal.Record, to wal.LSN) iter.Seq2[*wal.Record, error] {
	return s.VersionsAbove(t, rec.LSN, rec.Rev, to)
}

// VersionsAbove is VersionsFrom for revisions above one.
func (s *Source) VersionsAbove(t *workspace.Target, from wal.LSN, rev uint64, to wal.LSN) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		for next, err := range s.VersionsFrom(t, from, to) {
			if err == nil && next.Rev <= rev {
				continue
			}
			if !yield(next, err) {
				return
			}
		}
	}
}

// LastWhere is the newest LSN up to which early holds, of the records with
// transactions; early holds up to some revision and not from there on. Of a clash at
// that LSN it may hold for the first revision alone. Finding it costs no more however
// long the history is.
func (s *Source) LastWhere(h Head, early func(*wal.Record) bool) (wal.LSN, error) {
	begins := func(rec *wal.Record) bool { return early(recovery.Revisions(rec)[0]) }
	from, err := wal.Seek(s.FS, h.Target.Dir, begins)
	if err != nil {
		return 0, fault.In(h.Target.Name, err)
	}
	last := from - 1
	for rec, err := range s.Records(h.Target, from) {
		if err != nil {
			return 0, err
		}
		if rec.LSN > h.Last || len(rec.Txns) > 0 && !begins(rec) {
			break
		}
		last = rec.LSN
	}
	return last, nil
}

// LastVersionWhere is the newest revision for which early holds, nil where there is
// none; see LastWhere.
func (s *Source) LastVersionWhere(h Head, early func(*wal.Record) bool) (*wal.Record, error) {
	last, err := s.LastWhere(h, early)
	if err != nil {
		return nil, err
	}
	for rec, err := range s.Versions(h.Target, min(last, h.Last)) {
		if err != nil || early(rec) {
			return rec, err
		}
	}
	return nil, nil
}

// Content derives the bytes of the newest version at or below an LSN: nil where
// it is no file. It fails with ErrNotFound where retention has dropped it. It costs what lies between that version and the nearest image
// before it.
func (s *Source) Content(t *workspace.Target, lsn wal.LSN) (*jsonpatch.Document, error) {
	return s.ContentUpTo(t, lsn, math.MaxUint64)
}

// ContentOf derives the bytes of a version; see content. It fails with ErrNotFound, too,
// where the history was forgotten, and perhaps begun anew, since the record was read.
func (s *Source) ContentOf(t *workspace.Target, rec *wal.Record) (*jsonpatch.Document, error) {
	doc, err := s.ContentUpTo(t, rec.LSN, rec.Rev)
	if err == nil && doc == nil && rec.After.Exists {
		err = notKept(t, rec.LSN)
	}
	return doc, err
}

// ContentBefore derives the bytes of the version before one; see content.
func (s *Source) ContentBefore(t *workspace.Target, rec *wal.Record) (*jsonpatch.Document, error) {
	return s.ContentUpTo(t, rec.LSN, rec.Rev-1)
}

// ContentUpTo is content of a revision that is at most rev.
func (s *Source) ContentUpTo(t *workspace.Target, lsn wal.LSN, rev uint64) (*jsonpatch.Document, error) {
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
	if err := s.Dropped(t, lsn); err != nil || len(chain) == 0 {
		return nil, err
	}
	return nil, fault.In(t.Name, &wal.CorruptError{Path: t.Dir, LSN: chain[len(chain)-1].LSN, Reason: "no image to replay from"})
}

// Dropped is ErrNotFound where retention has dropped what is at or below an LSN,
// which can't be read any more.
func (s *Source) Dropped(t *workspace.Target, lsn wal.LSN) error {
	first, err := wal.First(s.FS, t.Dir)
	if err == nil && first > 1 {
		return notKept(t, lsn)
	}
	return fault.In(t.Name, err)
}

func notKept(t *workspace.Target, lsn wal.LSN) error {
	return &fault.Error{Kind: fault.ErrNotFound, File: t.Name, Err: fmt.Errorf("what was there up to record %d is not kept any more", lsn)}
}

// replay derives a version from a chain of records, newest first, that ends with
// one which needs none before it.
func (s *Source) replay(t *workspace.Target, chain []*wal.Record) (doc *jsonpatch.Document, err error) {
	for _, rec := range slices.Backward(chain) {
		if doc, err = recovery.Next(doc, rec, s.Limits); err != nil {
			return nil, fault.In(t.Name, err)
		}
	}
	return doc, nil
}

// IsAhead tells that a time that has been is still to come, by today's clock: the one
// that it is by was ahead.
func IsAhead(t time.Time) bool { return time.Until(t) > lockmgr.MaxSkew }

func HoldsTx(rec *wal.Record, id wal.ID) bool {
	return rec.Unit == id || slices.ContainsFunc(rec.Txns, func(t wal.Txn) bool { return t.ID == id })
}

// IdOf is the id by which a version is known: that of its last transaction.
func IdOf(rec *wal.Record) wal.ID {
	if n := len(rec.Txns); n > 0 {
		return rec.Txns[n-1].ID
	}
	return rec.Unit
}

// DecodePatch reads a record's patch; one that is not there does nothing.
func DecodePatch(text []byte, lim jsonpatch.Limits) (jsonpatch.Patch, error) {
	if len(text) == 0 {
		return nil, nil
	}
	return jsonpatch.DecodePatch(text, lim)
}

// MadeByJtx is the record with which a file was made, if that begins its history:
// before, it was not there, or blank. One that was made again, after what retention has
// dropped, is another case.
func (s *Source) MadeByJtx(h Head) (*wal.Record, error) {
	for first, err := range s.VersionsFrom(h.Target, 1, h.Last) {
		if err != nil || first.Rev != 1 || !MakesFile(first) || first.Flags&wal.FlagForeign != 0 {
			return nil, err
		}
		return first, nil
	}
	return nil, nil
}

// MakesFile tells that before a record there was no document: no file, or a blank one.
func MakesFile(rec *wal.Record) bool {
	return !rec.Before.Exists || rec.Flags&wal.FlagFound != 0 && BlankOf(rec.Before) != nil
}

// BlankOf is the white space that a file held, nil where it held none that touch, mktemp
// or echo leave.
func BlankOf(v wal.Version) []byte {
	for _, text := range []string{"", "\n", "\r\n", " ", "\n\n"} {
		if v == wal.VersionOf([]byte(text)) {
			return []byte(text)
		}
	}
	return nil
}
