package wal

import (
	"errors"
	"io/fs"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Usage is the size of a journal, in bytes, and the number of its segments. It
// reads names and sizes only.
func Usage(fsy fsys.FS, dir string) (bytes int64, segments int, err error) {
	fsy = orOS(fsy)
	journal, gen, err := JournalDir(fsy, dir)
	if err != nil {
		return 0, 0, err
	}
	l, err := listJournal(fsy, journal, gen)
	if err != nil {
		return 0, 0, err
	}
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
