package versions

import (
	"context"
	"errors"
	"time"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// Retention says what of a history is kept. The newest version always is, and
// whatever it takes to derive what is kept.
type Retention struct {
	// Age keeps the versions that were current within it, 0: says nothing.
	Age time.Duration
	// Revs keeps the newest so many revisions, 0: says nothing. A version is kept
	// that either of them keeps.
	Revs uint64
	// Bytes bounds what is kept, in bytes of the journal before compression and but
	// for one image of the file: what is beyond is dropped, whatever Age and Revs say.
	// 0: no bound.
	Bytes int64
}

// DefaultRetention is applied to a journal that has grown beyond
// CompactionSize. Below that everything is kept.
var DefaultRetention = Retention{Age: 90 * 24 * time.Hour, Revs: 100}

// CompactionSize is the size of a journal, in bytes, from which commits compact it
// by DefaultRetention, where that at least halves it.
const CompactionSize = 64 << 20

// Compaction is what was done to one journal.
type Compaction struct {
	File          string
	Before, After int64  // its size in bytes
	Oldest        uint64 // the oldest revision that is kept
	Dropped, Kept uint64 // how many revisions are not any more, and are
}

// Compact applies retention to one journal. Its lock is held, but for a dry run.
func (s *Source) Compact(ctx context.Context, h Head, r Retention, dryRun bool) (*Compaction, error) {
	t := h.Target
	if h.Last == 0 {
		return nil, nil
	}
	first, err := s.OldestKept(h)
	switch {
	case errors.Is(err, fault.ErrNotFound):
		return nil, nil // the first change was withdrawn, and none came after it
	case err != nil:
		return nil, err
	}
	from, err := s.cut(h, r)
	if err != nil {
		return nil, err
	}
	done := &Compaction{Oldest: from.Rev, Dropped: from.Rev - first.Rev, Kept: h.Rev - from.Rev + 1}
	if done.Before, _, err = wal.Usage(s.FS, t.Dir); err != nil {
		return nil, fault.In(t.Name, err)
	}
	done.After = done.Before
	if dryRun || from.LSN == first.LSN { // there is nothing to drop: a rewrite would win nothing
		return done, nil
	}
	beginning, err := s.beginning(t, from)
	if err == nil {
		err = t.File.SyncDir() // see recovery: what is dropped can't come back
	}
	if err == nil {
		err = t.File.Log.DropBefore(from.LSN, beginning, s.MayAsk(ctx, t))
	}
	if err != nil {
		return nil, fault.In(t.Name, err)
	}
	done.After, _, err = wal.Usage(s.FS, t.Dir)
	return done, fault.In(t.Name, err)
}

// beginning is the text of the version with which a journal is to begin; nil where its
// record is an image.
func (s *Source) beginning(t *workspace.Target, from *wal.Record) ([]byte, error) {
	if from.HasImage() {
		return nil, nil
	}
	doc, err := s.ContentOf(t, from)
	if err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// OldestKept is the oldest version that the journal has.
func (s *Source) OldestKept(h Head) (*wal.Record, error) {
	for rec, err := range s.VersionsFrom(h.Target, 1, h.Last) {
		return rec, err
	}
	return nil, NoHistory(h.Target)
}

// cut finds the record with which the kept part of a history begins: the oldest
// version that is to be kept. Where the file was not there then, it is the one before,
// since a journal begins with an image.
func (s *Source) cut(h Head, r Retention) (*wal.Record, error) {
	keep, err := s.keepFrom(h, r)
	if err != nil {
		return nil, err
	}
	from, err := s.contentAt(h.Target, keep)
	if from != nil || err != nil {
		return from, err
	}
	return s.OldestKept(h)
}

// contentAt is the newest version at or below an LSN that is an image, or can be made
// one: in which the file was there. Of a clash, which is kept or dropped as a whole, it
// is the first revision.
func (s *Source) contentAt(t *workspace.Target, lsn wal.LSN) (found *wal.Record, err error) {
	for rec, err := range s.Versions(t, lsn) {
		switch {
		case err != nil:
			return nil, err
		case found != nil && rec.LSN == found.LSN:
			return rec, nil
		case found != nil:
			return found, nil
		case rec.After.Exists && (rec.HasImage() || rec.Kind == wal.KindPatch):
			found = rec
		}
	}
	return found, nil
}

// keepFrom is the LSN of the oldest version that retention keeps.
func (s *Source) keepFrom(h Head, r Retention) (wal.LSN, error) {
	keep := h.Last
	if r == (Retention{}) || r.Age == 0 && r.Revs == 0 {
		keep = 1
	}
	if r.Age > 0 {
		rec, err := s.AtMoment(h, &Moment{made: time.Now().UTC().Add(-r.Age)}) // it was current then
		if err != nil {
			return 0, err
		}
		keep = 1
		if rec != nil {
			keep = rec.LSN
		}
	}
	if r.Revs > 0 {
		last, err := s.LastWhere(h, func(rec *wal.Record) bool { return rec.Rev <= h.Rev && h.Rev-rec.Rev >= r.Revs-1 })
		if err != nil {
			return 0, err
		}
		keep = min(keep, max(last, 1))
	}
	if r.Bytes > 0 {
		within, err := s.within(h, r.Bytes)
		if err != nil {
			return 0, err
		}
		keep = max(keep, within)
	}
	return keep, nil
}

// within is the LSN from which the journal's records take at most so many bytes.
func (s *Source) within(h Head, most int64) (wal.LSN, error) {
	last := h.Last
	for rec, err := range s.RecordsBack(h.Target, h.Last) {
		if err != nil {
			return 0, err
		}
		if most -= rec.Size(); most < 0 {
			break
		}
		last = rec.LSN
	}
	return last, nil
}

// MayAsk tells of a record in t's journal whether the journal of another file may still
// be asked about the record's unit, and then asks t's: as long as it is not durable that
// it has gone on behind it. No lock is taken for that: what is durable stays so. One that
// can't be looked at may always ask.
func (s *Source) MayAsk(ctx context.Context, t *workspace.Target) func(*wal.Record) bool {
	set := &workspace.FileSet{Site: s.Site, Ctx: ctx, How: workspace.Lookup{Held: true}, Targets: []*workspace.Target{t}}
	return func(rec *wal.Record) bool {
		for _, p := range rec.Participants {
			if t.IsParticipant(p) {
				continue
			}
			other, err := set.ResolveParticipant(p)
			if err != nil {
				return true
			}
			_, st, ok, err := s.Stands(other)
			if err != nil || !ok || st.Durable <= p.LSN {
				return true
			}
		}
		return false
	}
}

// Tidy compresses what is old in a journal, and drops what is older than must be
// kept. It looks at one only when that has begun a segment after the one given, and
// compacts only where that drops at least half: so what it costs is in proportion to
// what was written.
func (s *Source) Tidy(ctx context.Context, t *workspace.Target, segment wal.LSN) error {
	if t.File.Log.State().Segment == segment {
		return nil
	}
	if err := s.compactIfLarge(ctx, t); err != nil {
		return err
	}
	return t.File.Log.Pack()
}

func (s *Source) compactIfLarge(ctx context.Context, t *workspace.Target) error {
	size, _, err := wal.Usage(s.FS, t.Dir)
	if err != nil || size < s.LargeJournal {
		return err
	}
	h := HeadOf(t)
	keep, err := s.keepFrom(h, DefaultRetention)
	if err != nil {
		return err
	}
	kept, err := wal.UsageFrom(s.FS, t.Dir, keep)
	if err != nil || kept > size/2 {
		return err
	}
	_, err = s.Compact(ctx, h, DefaultRetention, false)
	return err
}
