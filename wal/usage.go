package wal

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Usage is the size of a journal, in bytes, and the number of its segments. It
// reads names and sizes only.
func Usage(fsy fsys.FS, dir string) (bytes int64, segments int, err error) {
	return usage(fsy, dir, 1)
}

// UsageFrom is the size of the segments that hold a record and those behind it.
func UsageFrom(fsy fsys.FS, dir string, lsn LSN) (int64, error) {
	bytes, _, err := usage(fsy, dir, lsn)
	return bytes, err
}

func usage(fsy fsys.FS, dir string, from LSN) (bytes int64, segments int, err error) {
	fsy = orOS(fsy)
	journal, gen, err := JournalDir(fsy, dir)
	if err != nil {
		return 0, 0, err
	}
	l, err := listJournal(fsy, journal, gen)
	if err != nil {
		return 0, 0, err
	}
	if len(l.segments) == 0 {
		return 0, 0, nil
	}
	l.segments = l.segments[l.holding(from):]
	for _, seg := range l.segments {
		info, err := fsy.Stat(seg.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // compacted meanwhile
		}
		if err != nil {
			return 0, 0, err
		}
		bytes += info.Size()
	}
	return bytes, len(l.segments), nil
}

// Exists tells whether the file directory dir has a journal at all, be it whole or not.
func Exists(fsy fsys.FS, dir string) (bool, error) {
	fsy = orOS(fsy)
	journal, gen, err := JournalDir(fsy, dir)
	if err != nil || gen > 0 {
		return gen > 0, err
	}
	entries, err := fsy.ReadDir(journal)
	if err != nil {
		return false, ignoreNotExist(err)
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return isSegment(e.Name()) }), nil
}

// Gone is a [*CorruptError] where the file directory dir had a journal that is not there
// any more: s, its state, says so; or the lock is gone too, which is made with the
// directory. It is nil where there is a journal, or never was one.
func Gone(fsy fsys.FS, dir string, s State, boot [16]byte) error {
	fsy = orOS(fsy)
	if s.Last > 0 {
		if _, err := fsy.Lstat(segmentPath(journalDir(dir, s.Gen), s.Group, s.Segment)); err == nil {
			return nil
		}
	}
	known, err := Exists(fsy, dir)
	if known || err != nil {
		return err
	}
	none := listing{dir: dir}
	if err := none.missing(s.had(boot)); err != nil {
		return err
	}
	if _, err := fsy.Lstat(dir); err != nil {
		return ignoreNotExist(err)
	}
	if _, err := fsy.Lstat(StatePath(dir)); errors.Is(err, fs.ErrNotExist) {
		return &CorruptError{Path: dir, LSN: 1, Reason: "the journal is gone, and its lock"}
	}
	return nil
}

// First is the oldest record that a journal has, as the names of its segments say;
// 0 where it has none.
func First(fsy fsys.FS, dir string) (LSN, error) {
	for try := 1; ; try++ {
		v, err := look(orOS(fsy), dir)
		if err == nil && len(v.segments) > 0 {
			return v.segments[0].first, nil
		}
		if err == nil || !lookAgain(try, err) {
			return 0, err
		}
	}
}
