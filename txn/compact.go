package txn

import (
	"context"
	"errors"
	"fmt"
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

// Compact applies retention to the journals of files, or of every tracked file at
// or below the store's directory; the zero Retention keeps everything. What is
// kept is compressed.
func (s *Store) Compact(ctx context.Context, files []string, r Retention, opts ...Option) ([]Compaction, error) {
	targets, err := s.historyTargets(ctx, files)
	if err != nil {
		return nil, err
	}
	var list []Compaction
	var errs []error // of files that keep nobody from the others
	for _, t := range targets {
		if ctx.Err() != nil {
			return list, fault.Joined(append(errs, context.Cause(ctx)))
		}
		if err := s.mustBeTracked(t); err != nil {
			if len(files) == 0 && errors.Is(err, ErrNotFound) {
				continue // it has a lock, and nothing else yet
			}
			errs = append(errs, err)
			continue
		}
		c := s.newCall(opts)
		c.mendDamage = true
		done, err := s.compactFile(ctx, t, r, c)
		if done != nil {
			done.File = t.Name
			list = append(list, *done)
		}
		errs = append(errs, fault.In(t.Name, err))
	}
	return list, fault.Joined(errs)
}

func (s *Store) compactFile(ctx context.Context, t *workspace.Target, r Retention, c *call) (done *Compaction, err error) {
	if c.dryRun {
		h, err := s.tryHead(ctx, t.Real)
		if err != nil {
			return nil, err
		}
		return s.compact(ctx, h, r, true)
	}
	err = s.lockedFor(ctx, []string{t.Real}, c, func(ses *session) error {
		done, err = s.compact(ctx, headOf(ses.Targets[0]), r, false)
		return err
	})
	return done, err
}

// mustBeTracked keeps locks from being made for files that have no history.
func (s *Store) mustBeTracked(t *workspace.Target) error {
	if t.WS == nil {
		return noHistory(t)
	}
	known, err := s.src.Tracked(t)
	if err != nil || known {
		return fault.In(t.Name, err)
	}
	if err := s.src.WasTracked(t); err != nil {
		return fault.In(t.Name, err)
	}
	return noHistory(t)
}

// compact applies retention to one journal. Its lock is held, but for a dry run.
func (s *Store) compact(ctx context.Context, h head, r Retention, dryRun bool) (*Compaction, error) {
	t := h.t
	if h.last == 0 {
		return nil, nil
	}
	first, err := s.oldestKept(h)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil // the first change was withdrawn, and none came after it
	case err != nil:
		return nil, err
	}
	from, err := s.cut(ctx, h, r)
	if err != nil {
		return nil, err
	}
	done := &Compaction{Oldest: from.Rev, Dropped: from.Rev - first.Rev, Kept: h.rev - from.Rev + 1}
	if done.Before, _, err = wal.Usage(s.src.FS, t.Dir); err != nil {
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
	if err != nil {
		return nil, fault.In(t.Name, err)
	}
	if err := t.File.Log.Rebuild(from.LSN, s.mayAsk(ctx, t), beginning); err != nil {
		return nil, fault.In(t.Name, err)
	}
	done.After, _, err = wal.Usage(s.src.FS, t.Dir)
	return done, fault.In(t.Name, err)
}

// beginning makes an image of the version with which a journal is to begin; it is nil
// where that is one.
func (s *Store) beginning(t *workspace.Target, from *wal.Record) (func(*wal.Record) (*wal.Record, error), error) {
	if from.HasImage() {
		return nil, nil
	}
	doc, err := s.contentOf(t, from)
	if err != nil {
		return nil, err
	}
	return func(rec *wal.Record) (*wal.Record, error) {
		if rec.LSN != from.LSN {
			return rec, nil
		}
		image := *rec
		image.Kind, image.Image = wal.KindImage, doc.Bytes()
		return &image, nil
	}, nil
}

// oldestKept is the oldest version that the journal has.
func (s *Store) oldestKept(h head) (*wal.Record, error) {
	for rec, err := range s.versionsFrom(h.t, 1, h.last) {
		return rec, err
	}
	return nil, noHistory(h.t)
}

// cut finds the record with which the kept part of a history begins: the oldest
// version that is to be kept. Where the file was not there then, it is the one before,
// since a journal begins with an image.
func (s *Store) cut(ctx context.Context, h head, r Retention) (*wal.Record, error) {
	keep, err := s.keepFrom(h, r)
	if err != nil {
		return nil, err
	}
	from, err := s.contentAt(h.t, keep)
	if from != nil || err != nil {
		return from, err
	}
	return s.oldestKept(h)
}

// contentAt is the newest version at or below an LSN that is an image, or can be made
// one: in which the file was there. Of a clash, which is kept or dropped as a whole, it
// is the first revision.
func (s *Store) contentAt(t *workspace.Target, lsn wal.LSN) (found *wal.Record, err error) {
	for rec, err := range s.versions(t, lsn) {
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
func (s *Store) keepFrom(h head, r Retention) (wal.LSN, error) {
	keep := h.last
	if r == (Retention{}) || r.Age == 0 && r.Revs == 0 {
		keep = 1
	}
	if r.Age > 0 {
		rec, err := s.atTime(h, time.Now().UTC().Add(-r.Age)) // it was current then
		if err != nil {
			return 0, err
		}
		keep = 1
		if rec != nil {
			keep = rec.LSN
		}
	}
	if r.Revs > 0 {
		last, err := s.lastWhere(h, func(rec *wal.Record) bool { return rec.Rev <= h.rev && h.rev-rec.Rev >= r.Revs-1 })
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
func (s *Store) within(h head, most int64) (wal.LSN, error) {
	last := h.last
	for rec, err := range s.recordsBack(h.t, h.last) {
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

// mayAsk tells of a record in t's journal whether the journal of another file may still
// be asked about the record's unit, and then asks t's: as long as it is not durable that
// it has gone on behind it. No lock is taken for that: what is durable stays so. One that
// can't be looked at may always ask.
func (s *Store) mayAsk(ctx context.Context, t *workspace.Target) func(*wal.Record) bool {
	set := &workspace.FileSet{Site: s.src, Ctx: ctx, How: workspace.Lookup{Held: true}, Targets: []*workspace.Target{t}}
	return func(rec *wal.Record) bool {
		for _, p := range rec.Participants {
			if t.IsParticipant(p) {
				continue
			}
			other, err := set.ResolveParticipant(p)
			if err != nil {
				return true
			}
			_, st, ok, err := s.src.Stands(other)
			if err != nil || !ok || st.Durable <= p.LSN {
				return true
			}
		}
		return false
	}
}

// tidy keeps journals from growing without bound.
func (u *unit) tidy() {
	for _, f := range u.files {
		if !f.placed {
			continue
		}
		if err := u.ses.s.tidy(u.ses.Ctx, f.t, f.segment); err != nil {
			u.ses.spoiled = true
			u.warnings = append(u.warnings, fmt.Sprintf("%s: its history could not be compressed: %v", f.t.Name, err))
		}
	}
}

// tidy compresses what is old in a journal, and drops what is older than must be
// kept. It looks at one only when that has begun a segment after the one given, and
// compacts only where that drops at least half: so what it costs is in proportion to
// what was written.
func (s *Store) tidy(ctx context.Context, t *workspace.Target, segment wal.LSN) error {
	if t.File.Log.State().Segment == segment {
		return nil
	}
	if err := s.compactIfLarge(ctx, t); err != nil {
		return err
	}
	return t.File.Log.Pack()
}

func (s *Store) compactIfLarge(ctx context.Context, t *workspace.Target) error {
	size, _, err := wal.Usage(s.src.FS, t.Dir)
	if err != nil || size < s.compactionSize() {
		return err
	}
	h := headOf(t)
	keep, err := s.keepFrom(h, DefaultRetention)
	if err != nil {
		return err
	}
	kept, err := wal.UsageFrom(s.src.FS, t.Dir, keep)
	if err != nil || kept > size/2 {
		return err
	}
	_, err = s.compact(ctx, h, DefaultRetention, false)
	return err
}

func (s *Store) compactionSize() int64 {
	if size := s.opt.hooks.CompactionSize; size > 0 {
		return size
	}
	return CompactionSize
}
