package wal

import (
	"errors"
	"fmt"
	"os"

	"github.com/jtx-project/jtx/wal/fsys"
)

// preflight finds the tail by reading it, in place of trusting the state; cuts it
// where it is torn; and refuses a journal that is damaged. l.state is what the
// state said, if hinted is true, and says the truth afterwards. With near, and
// within a boot, the state's position is believed and reading begins there.
func (l *Log) preflight(hinted, near bool) error {
	hint := l.state
	journal, gen, err := JournalDir(l.fs, l.dir)
	if err != nil {
		return err
	}
	list, err := listJournal(l.fs, journal, gen)
	if err != nil {
		return err
	}
	if err := list.missing(hint.had(l.opt.Boot)); err != nil {
		return err
	}
	if err := l.removeLeftovers(&list); err != nil {
		return err
	}
	l.state.Gen = gen
	if err := l.removeOld(); err != nil {
		return err
	}
	if len(list.segments) == 0 {
		l.setEmpty(0, !hint.Pending)
		return nil
	}
	return l.findTail(&list, hint, hinted, near && l.known)
}

// setEmpty is the state of a journal without records: that nothing was applied is
// certain, so it is known. Where the state on disk doesn't say that no commit is in
// progress somebody must still settle it, or readers would go on waiting for that.
func (l *Log) setEmpty(segment LSN, settled bool) {
	l.state = State{Boot: l.opt.Boot, Gen: l.state.Gen, Segment: segment, Seq: l.state.Seq}
	l.known, l.trusted = true, settled
}

// findTail reads up to the tail. A last segment without a record is removed: whoever
// made it may have failed to make its name durable, and the next one to need it
// makes it anew.
func (l *Log) findTail(list *listing, hint State, hinted, near bool) error {
	first, from := l.scanFrom(list, hint, near)
	var read []*contents
	for i := first; i < len(list.segments); i++ {
		c, err := readSegment(l.fs, list.segments[i], from, list.limit(i))
		if err != nil {
			return err
		}
		if err := c.damage(hint.Durable); err != nil {
			return err
		}
		read = append(read, c)
		from = c.after()
	}
	tail := read[len(read)-1]
	if tail.bad != nil {
		if err := l.cutTail(tail); err != nil {
			return err
		}
	}
	if tail.end == 0 && len(read) > 1 {
		read = read[:len(read)-1]
		if err := l.removeEmpty(tail, read[len(read)-1]); err != nil {
			return err
		}
	}
	l.adopt(read, tail.seg.first-1)
	if l.state.Last == 0 {
		l.setEmpty(tail.seg.first, hinted && !hint.Pending)
		return nil
	}
	l.suspect = l.state.Last > l.state.Durable
	list.segments = list.segments[:first+len(read)]
	return l.findHistory(list, hint, hinted, read)
}

// removeEmpty removes the last segment, and before that what the one before it may
// hold behind its end, which must not come alive.
func (l *Log) removeEmpty(last, before *contents) error {
	if before.start.offset+int64(len(before.data)) > before.end {
		if err := l.cutTail(before); err != nil {
			return err
		}
	}
	return l.fs.Remove(last.seg.path)
}

// scanFrom chooses where to begin. Within this boot the state's own position will
// do: what was there when it was written still is. Else it is the last segment but
// one, so that the chain into the last one is checked, and its end is known should
// the last one be empty.
func (l *Log) scanFrom(list *listing, hint State, near bool) (int, start) {
	last := len(list.segments) - 1
	i := list.holding(hint.Segment)
	next := list.limit(i)
	seg := list.segments[i]
	there := hint.Gen == l.state.Gen && hint.Offset > 0 && seg.first == hint.Segment && seg.group == hint.Group
	if near && there && (next == 0 || next > hint.Last) && l.reaches(seg.path, hint.Offset) {
		return i, start{offset: hint.Offset, next: hint.Last + 1, prev: hint.CRC, linked: true}
	}
	i = max(last-1, 0)
	return i, list.startOf(i)
}

func (l *Log) reaches(path string, size int64) bool {
	info, err := l.fs.Lstat(path)
	return err == nil && info.Size() >= size
}

// cutTail removes what is behind the last whole record, and makes that durable
// before anything is appended: else an older frame could come alive behind a new
// one after a power cut. Behind zeros there is none; and where they are room, the
// sync of this very file may be what failed.
func (l *Log) cutTail(c *contents) error {
	f, err := l.fs.OpenFile(c.seg.path, os.O_RDWR|careful, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		l.cut = CutReport{Path: c.seg.path, Offset: c.end, Bytes: info.Size() - c.end, First: c.next, Blank: c.isBlank()}
		err = f.Truncate(c.end)
	}
	unsynced := l.cut.Blank && c.end > 0
	if err == nil && !unsynced {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cutting the torn tail: %w", err)
	}
	if unsynced {
		return nil
	}
	return fsys.SyncDir(l.fs, groupDir(l.journal(), c.seg.group))
}

// adopt takes over the position of the tail, and the durable mark that the journal
// itself proves: a record names what was durable before it, and a segment is only
// begun once the one before is durable, up to sealed here.
func (l *Log) adopt(read []*contents, sealed LSN) {
	tail := read[len(read)-1]
	s := &l.state
	s.Group, s.Segment, s.Offset = tail.seg.group, tail.seg.first, tail.end
	s.Last, s.CRC, s.LastSize = tail.next-1, tail.prev, 0
	if n := len(tail.entries); n > 0 {
		s.LastSize = tail.entries[n-1].end - tail.entries[n-1].off
	}
	s.Durable = max(s.Durable, sealed)
	s.Named = min(s.Named, s.Last)
	for _, c := range read {
		for _, e := range c.entries {
			s.Durable = max(s.Durable, e.rec.Durable)
			s.Named = max(s.Named, e.rec.Named)
		}
	}
}

// findHistory brings Rev, Image and SinceImage up to the last record: from where
// the state left them, if it is of this journal and all that followed was read.
func (l *Log) findHistory(list *listing, hint State, hinted bool, read []*contents) error {
	newest, behind, aborts := LSN(0), int64(0), false
	for _, c := range read {
		for _, e := range c.entries {
			l.state.Rev = e.rec.Rev
			l.noteTime(e.rec)
			if e.rec.LSN <= hint.Last {
				continue
			}
			behind += e.end - e.off
			if e.rec.HasImage() {
				newest, behind = e.rec.LSN, 0
			}
			aborts = aborts || e.rec.Kind == KindAbort
		}
	}
	covered := hint.Last >= read[0].start.next-1 && hint.Last <= l.state.Last
	// After a power cut other records may have taken the place of those that were
	// never durable.
	same := hint.Gen == l.state.Gen && (l.known || hint.Last <= hint.Durable)
	if !hinted || !same || !covered || aborts {
		return l.searchImage(list)
	}
	if newest > 0 {
		l.state.Image, l.state.SinceImage = newest, behind
	} else {
		l.state.SinceImage += behind
	}
	return nil
}

// searchImage goes back through the journal to the newest image whose unit was not
// aborted behind it.
func (l *Log) searchImage(list *listing) error {
	l.state.Image, l.state.SinceImage = 0, 0
	aborted := map[ID]bool{}
	for i := len(list.segments) - 1; i >= 0; i-- {
		c, err := readSegment(l.fs, list.segments[i], list.startOf(i), list.limit(i))
		if err != nil {
			return err
		}
		if err := c.damage(0); err != nil {
			return err
		}
		if l.imageIn(c, aborted) {
			return nil
		}
	}
	return nil
}

func (l *Log) imageIn(c *contents, aborted map[ID]bool) bool {
	for i := len(c.entries) - 1; i >= 0; i-- {
		e := c.entries[i]
		if e.rec.Kind == KindAbort {
			aborted[e.rec.Unit] = true
		}
		if e.rec.HasImage() && !aborted[e.rec.Unit] {
			l.state.Image = e.rec.LSN
			return true
		}
		l.state.SinceImage += e.end - e.off
	}
	return false
}
