package wal

import (
	"sort"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Seek finds where to begin reading for what is ordered as the LSNs are, such as a
// time or a revision: at the first record of the last segment that begins early.
// early is asked about records with transactions, since others have neither; it
// must hold up to some record and not from there on. Only a few segments are
// looked into, however many there are. In a journal without records it is 1.
func Seek(fsy fsys.FS, dir string, early func(*Record) bool) (LSN, error) {
	for try := 1; ; try++ {
		at, err := seek(orOS(fsy), dir, early)
		if err == nil || !lookAgain(try, err) {
			return at, err
		}
	}
}

func seek(fsy fsys.FS, dir string, early func(*Record) bool) (LSN, error) {
	v, err := look(fsy, dir)
	if err != nil || len(v.segments) == 0 {
		return 1, err
	}
	late := sort.Search(len(v.segments), func(i int) bool {
		if err != nil {
			return true
		}
		var is bool
		is, err = v.beginsEarly(fsy, i, early)
		return !is
	})
	return v.segments[max(late-1, 0)].first, err
}

// beginsEarly asks about the first record of a segment that has a transaction. A
// segment without one does not begin early: then reading begins before it.
func (v *view) beginsEarly(fsy fsys.FS, i int, early func(*Record) bool) (bool, error) {
	// Most segments begin with one, and then the rest needs no decoding.
	seg := v.segments[i]
	c, err := readSegment(fsy, seg, v.startOf(i), seg.first+1)
	if err == nil && (len(c.entries) == 0 || len(c.entries[0].rec.Txns) == 0) {
		c, err = readSegment(fsy, seg, v.startOf(i), v.limit(i))
	}
	if err != nil {
		return false, err
	}
	for _, e := range c.entries {
		if len(e.rec.Txns) > 0 {
			return early(e.rec), nil
		}
	}
	return false, c.damage(v.state.Durable)
}
