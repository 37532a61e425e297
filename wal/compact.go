package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Rebuild makes a new generation of the journal as [Log.DropBefore] does, of which nothing
// is in any file of the old one: each record from the record from on is what rewrite
// returns, and the chain is made anew. Segments but the last are compressed. So it takes as
// much room again; an error that says that there is none says how much.
func (l *Log) Rebuild(from LSN, asked func(*Record) bool, rewrite func(*Record) (*Record, error)) error {
	return l.replace(func(b *builder) error {
		if err := b.begin(from, asked); err != nil {
			return err
		}
		return b.rewrite(from, rewrite)
	}, func(l *Log) (int64, error) { return l.sizeFrom(from, false) })
}

// replace puts a new generation, of the records that build adds, in the old one's place.
// need is how much room that takes, in bytes, for where there is none.
func (l *Log) replace(build func(*builder) error, need func(*Log) (int64, error)) error {
	if err := l.usable(); err != nil {
		return err
	}
	if err := l.Secure(); err != nil {
		return err
	}
	if l.state.Pending {
		return fmt.Errorf("%s: %w: a commit is pending", l.dir, ErrInvalid)
	}
	gen := l.state.Gen
	temp := journalDir(l.dir, gen+1) + genTemp
	b, err := l.buildGeneration(build)
	if err == nil {
		fsys.Step("compact.built")
		err = l.MarkPending()
	}
	if err == nil {
		err = l.switchTo(b)
	} else {
		err = errors.Join(err, fsys.RemoveTree(l.fs, temp))
	}
	if l.state.Gen == gen && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) {
		bytes, unknown := need(l)
		err = errors.Join(fmt.Errorf("up to %d bytes are needed until the old journal is removed: %w", bytes, err), unknown)
	}
	if err != nil {
		return fmt.Errorf("%s: making a new generation of the journal: %w", l.dir, err)
	}
	return nil
}

// packedSize is how many bytes of frames are compressed into one segment: reading
// one record costs unpacking that many.
const packedSize = 256 << 10

// builder writes a generation.
type builder struct {
	log  *Log
	gen  uint32
	dir  string
	dirs []string // made, to be synced

	group   LSN
	inGroup int
	first   LSN    // of buf
	buf     []byte // entries that are not written yet
	last    LSN
	image   LSN // the newest that is of use
	crc     uint32
	since   int64
}

func (l *Log) buildGeneration(build func(*builder) error) (*builder, error) {
	b := &builder{log: l, gen: l.state.Gen + 1}
	b.dir = journalDir(l.dir, b.gen) + genTemp
	if err := fsys.RemoveTree(l.fs, b.dir); err != nil {
		return nil, err
	}
	if err := b.makeDir(b.dir); err != nil {
		return nil, err
	}
	if err := build(b); err != nil {
		return nil, err
	}
	if b.last != l.state.Last {
		return nil, fmt.Errorf("%w: it ends at record %d, not %d", ErrCorrupt, b.last, l.state.Last)
	}
	return b, b.finish()
}

// begin writes the record that answers for those before from.
func (b *builder) begin(from LSN, asked func(*Record) bool) error {
	if from <= 1 {
		return nil
	}
	rec, err := b.log.beginFor(from, asked)
	if err != nil {
		return err
	}
	return b.add(rec)
}

func (b *builder) rewrite(from LSN, rewrite func(*Record) (*Record, error)) error {
	begun := false
	for rec, err := range Scan(b.log.fs, b.log.dir, from) {
		if err == nil {
			rec, err = b.rewritten(rec, rewrite)
		}
		if err == nil && !begun && (rec.LSN != from || !rec.StandsAlone()) {
			err = fmt.Errorf("%w: the journal can't go on from record %d", ErrInvalid, rec.LSN)
		}
		if err == nil {
			err = b.add(rec)
		}
		if err != nil {
			return err
		}
		begun = true
	}
	return nil
}

// rewritten keeps a record's place.
func (b *builder) rewritten(rec *Record, rewrite func(*Record) (*Record, error)) (*Record, error) {
	next, err := rewrite(rec)
	if err != nil {
		return nil, err
	}
	next.LSN, next.Durable, next.Named, next.Prev = rec.LSN, rec.Durable, rec.Named, b.crc
	return next, nil
}

func (b *builder) add(rec *Record) error {
	frame, err := rec.Encode()
	if err != nil {
		return err
	}
	size := entrySize(len(frame))
	if len(b.buf) > 0 && int64(len(b.buf))+size > packedSize {
		if err := b.pack(); err != nil {
			return err
		}
	}
	if len(b.buf) == 0 {
		b.first = rec.LSN
	}
	b.buf = appendEntry(b.buf, frame)
	b.count(rec, size)
	b.crc = frameCRC(frame)
	return nil
}

// count notes a record of the generation, which takes so many bytes of a segment.
func (b *builder) count(rec *Record, size int64) {
	b.last, b.crc = rec.LSN, rec.CRC
	if b.since += size; rec.HasImage() && b.image == 0 || rec.LSN == b.log.state.Image {
		b.image, b.since = rec.LSN, 0
	}
}

// pack writes what is gathered as a compressed segment.
func (b *builder) pack() error {
	packed, err := pack(b.buf)
	if err == nil {
		err = b.makeRoom()
	}
	if err != nil {
		return err
	}
	b.buf = b.buf[:0]
	return b.log.writeSynced(packedPath(b.dir, b.group, b.first, b.last), packed)
}

// makeRoom begins a new group where the one before is full.
func (b *builder) makeRoom() error {
	if b.inGroup == groupSegments {
		b.group, b.inGroup = b.first, 0
		if err := b.makeDir(groupDir(b.dir, b.group)); err != nil {
			return err
		}
	}
	b.inGroup++
	return nil
}

func (b *builder) makeDir(path string) error {
	b.dirs = append(b.dirs, path)
	return b.log.makeDir(path)
}

// finish writes the tail, as it is: it will be appended to.
func (b *builder) finish() error {
	if err := b.makeRoom(); err != nil {
		return err
	}
	if err := b.log.writeSynced(segmentPath(b.dir, b.group, b.first), b.buf); err != nil {
		return err
	}
	for _, dir := range b.dirs {
		if err := fsys.SyncDir(b.log.fs, dir); err != nil {
			return err
		}
	}
	return nil
}

// switchTo makes the new generation the journal. The state was marked pending
// before: it names the old one's tail, which must not be believed any more when the
// new one has its name. It is settled when the old one is gone: so whoever opens the
// journal after a crash in between removes it.
func (l *Log) switchTo(b *builder) error {
	fsys.Step("compact.pending")
	l.releaseTail()
	l.last = nil // its place in the chain is another one
	if err := l.fs.Rename(b.dir, journalDir(l.dir, b.gen)); err != nil {
		return l.fail(err)
	}
	fsys.Step("compact.switched")
	s := &l.state
	s.Gen, s.Group, s.Segment, s.Offset, s.CRC = b.gen, b.group, b.first, int64(len(b.buf)), b.crc
	s.Image, s.SinceImage, s.LastSize = b.image, b.since, 0
	if err := l.removeOld(); err != nil {
		return l.fail(err)
	}
	s.Pending = false
	return l.writeState()
}

// removeOld removes every other generation, when it is durable that this one is the
// journal: the one before, or one whose building a crash cut off.
func (l *Log) removeOld() error {
	old, err := l.others()
	if err != nil || len(old) == 0 {
		return err
	}
	if l.state.Gen > 0 {
		if err := fsys.SyncDir(l.fs, l.dir); err != nil {
			return err
		}
	}
	fsys.Step("compact.durable")
	kept, err := l.mustKeep()
	if err != nil {
		return err
	}
	if kept != "" {
		return l.moveOld(old, kept)
	}
	for _, path := range old {
		if err := fsys.RemoveTree(l.fs, path); err != nil {
			return err
		}
		fsys.Step("compact.removed")
	}
	return nil
}

// mustKeep is where former generations are kept, which is so where this one has taken
// the place of a damaged one.
func (l *Log) mustKeep() (string, error) {
	if l.state.Gen == 0 {
		return "", nil
	}
	list, err := listJournal(l.fs, l.journal(), l.state.Gen)
	if err != nil || len(list.segments) == 0 {
		return "", err
	}
	first := list.segments[0]
	c, err := readSegment(l.fs, first, list.startOf(0), first.first+1)
	if err != nil || len(c.entries) == 0 {
		return "", err
	}
	if rec := c.entries[0].rec; rec.Kind == KindBegin && rec.UnknownBelow == rec.LSN {
		return keptPath(l.dir, rec.Unit), nil
	}
	return "", nil
}

// others are the paths of what belongs to other generations than this one.
func (l *Log) others() (paths []string, err error) {
	entries, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return nil, ignoreNotExist(err)
	}
	for _, e := range entries {
		gen, is := parseGen(e.Name())
		switch {
		case is && gen != l.state.Gen, isUnfinished(e.Name()), l.state.Gen > 0 && isSegment(e.Name()):
			paths = append(paths, filepath.Join(l.dir, e.Name()))
		}
	}
	return paths, nil
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
