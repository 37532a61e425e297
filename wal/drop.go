package wal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/jtx-project/jtx/wal/fsys"
)

// DropBefore makes a new generation of the journal, which goes on from the record from:
// what is before it is dropped, and LSNs stay. What other journals may still ask of the
// dropped records is answered by facts, in a record in the place of the last one: asked
// tells, of one of several files, whether they may; nil says of all that they may.
// Where the record from has no image of its own it gets the one that is given.
//
// It takes little room: only what is left of the segment in which from is, and the last
// segment, which is appended to, are written. Those between are the same files under a
// second name, as long as both generations are there; where there are no hard links they
// are copied. All that is kept is read before, and checked. An error that says that there is
// no room says how much is needed.
//
// The new generation is complete and durable before it gets its name, and the old one
// is removed when that is durable: a crash at any step leaves one of them, whole. The
// caller holds the file's lock; nothing may be pending.
func (l *Log) DropBefore(from LSN, image []byte, asked func(*Record) bool) error {
	k := keeper{from: from, image: image}
	return l.replace(func(b *builder) error {
		k.builder = b
		if err := b.begin(from, asked); err != nil {
			return err
		}
		return k.keep()
	}, k.need)
}

// keeper builds a generation of what another one has from a record on.
type keeper struct {
	*builder
	from   LSN
	image  []byte
	copied bool // a link was refused
}

func (k *keeper) keep() error {
	l := k.log
	list, err := listJournal(l.fs, l.journal(), l.state.Gen)
	if err != nil {
		return err
	}
	first, last := list.holding(k.from), len(list.segments)-1
	if last < 0 || list.segments[last].first != l.state.Segment {
		return fmt.Errorf("%w: the last segment is not the one that begins at record %d", ErrCorrupt, l.state.Segment)
	}
	from := list.startOf(first)
	for i := first; i <= last; i++ {
		c, err := readSegment(l.fs, list.segments[i], from, list.limit(i))
		if err == nil {
			err = c.damage(l.state.Durable)
		}
		if err == nil {
			err = k.enter(c.seg.group)
		}
		if err == nil && first < i && i < last {
			err = k.link(c)
		} else if err == nil {
			err = k.rest(c, i == last)
		}
		if err != nil {
			return err
		}
		from = c.after()
	}
	return nil
}

// enter goes on in the group of that LSN.
func (k *keeper) enter(group LSN) error {
	if group == k.group {
		return nil
	}
	k.group, k.inGroup = group, 0
	return k.makeDir(groupDir(k.dir, group))
}

// rest writes anew what a segment has from the first record on that is kept.
func (k *keeper) rest(c *contents, tail bool) error {
	for _, e := range c.entries {
		if e.rec.LSN < k.from {
			continue
		}
		if e.rec.LSN == k.from {
			if err := k.makeFirst(e.rec); err != nil {
				return err
			}
		}
		if err := k.add(e.rec); err != nil {
			return err
		}
	}
	if tail || len(k.buf) == 0 {
		return nil
	}
	return k.pack()
}

// makeFirst makes a record one that a journal can begin with. The next one names the
// frame that it had.
func (k *keeper) makeFirst(rec *Record) error {
	if !rec.StandsAlone() && k.image != nil {
		rec.Kind, rec.Image = KindImage, k.image
		rec.Flags |= FlagRemade
		rec.Prev = k.crc
	}
	if !rec.StandsAlone() {
		return fmt.Errorf("%w: the journal can't go on from record %d", ErrInvalid, rec.LSN)
	}
	return nil
}

// link takes a whole segment over. Its second name is synced as the first one was: what
// counts a file's names is in the file.
func (k *keeper) link(c *contents) error {
	for _, e := range c.entries {
		k.count(e.rec, e.end-e.off)
	}
	l, path := k.log, filepath.Join(groupDir(k.dir, c.seg.group), filepath.Base(c.seg.path))
	err := l.fs.Link(c.seg.path, path)
	if fsys.Refused(err) || errors.Is(err, syscall.EMLINK) || errors.Is(err, syscall.EXDEV) {
		k.copied = true
		data, err := fsys.ReadAtMost(l.fs, c.seg.path, maxSegment)
		if err != nil {
			return err
		}
		return l.writeSynced(path, data)
	}
	if err != nil {
		return err
	}
	f, err := l.fs.OpenFile(path, os.O_RDWR|careful, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// need is how much room is needed besides, in bytes.
func (k *keeper) need(l *Log) (int64, error) {
	need, err := l.sizeFrom(k.from, !k.copied)
	return need + int64(len(k.image)), err
}

// sizeFrom is what the segments from that of a record on take, in bytes: of those that are
// not the same files in a new generation, or of all.
func (l *Log) sizeFrom(from LSN, linked bool) (size int64, err error) {
	list, err := listJournal(l.fs, l.journal(), l.state.Gen)
	if err != nil || len(list.segments) == 0 {
		return 0, err
	}
	first, last := list.holding(from), len(list.segments)-1
	for i := first; i <= last; i++ {
		if linked && first < i && i < last {
			continue
		}
		info, err := l.fs.Lstat(list.segments[i].path)
		if err != nil {
			return size, err
		}
		size += info.Size()
	}
	return size, nil
}
