package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Append writes the records, each as one entry of tidwall/wal, and sets their LSN,
// Prev, CRC, Durable and Named. They are not durable before Sync. An error sticks: the
// caller must Reopen, to see which of them the journal holds and to abort those.
// Only a record that is not valid leaves everything as it was.
func (l *Log) Append(recs ...*Record) error {
	if err := l.usable(); err != nil {
		return err
	}
	for _, r := range recs {
		if err := r.validate(); err != nil {
			return err
		}
	}
	if l.suspect {
		if err := l.Secure(); err != nil {
			return err
		}
	}
	if disk, ok, _ := decodeState(l.onDisk[:]); !ok || !disk.Pending {
		if err := l.MarkPending(); err != nil {
			return err
		}
	}
	for _, r := range recs {
		if err := l.appendOne(r); err != nil {
			return l.fail(fmt.Errorf("append: %w", err))
		}
	}
	if err := l.makeRoom(); err != nil {
		return l.fail(err)
	}
	return nil
}

func (l *Log) appendOne(r *Record) error {
	if err := l.openTail(); err != nil {
		return err
	}
	r.LSN, r.Durable, r.Named, r.Prev = l.state.Last+1, l.state.Durable, l.state.Named, l.state.CRC
	l.countRun(r)
	r.Flags &^= FlagResumed
	if r.LSN <= l.state.Resumed {
		r.Flags |= FlagResumed
	}
	write := l.writeEntry
	if len(r.Image) >= l.opt.SegmentSize || l.appender == nil && l.run == 0 {
		write = l.writeDirectly
	}
	size, err := write(r)
	if err != nil {
		return err
	}
	l.state.Last, l.state.CRC, l.state.Rev = r.LSN, r.CRC, r.Rev
	l.state.LastSize = size
	l.state.Offset += l.state.LastSize
	l.takeRoom(l.state.LastSize)
	l.noteTime(r)
	l.last = nil
	if !r.HasImage() {
		l.last = r
	}
	return l.noteImage(r, l.state.LastSize)
}

// writeEntry writes a record as tidwall/wal's next entry, and returns the entry's
// size in bytes.
func (l *Log) writeEntry(r *Record) (int64, error) {
	if err := l.openAppender(); err != nil {
		return 0, err
	}
	frame, err := r.Encode()
	if err != nil {
		return 0, err
	}
	r.CRC = binary.LittleEndian.Uint32(frame[offCRC:])
	return entrySize(len(frame)), l.appender.append(r.LSN, frame)
}

// writeDirectly writes the same bytes without tidwall/wal: a large image, which that would
// copy twice, and keep; and the first record under a lock, since most sessions write no
// other one, and to open tidwall/wal takes a quarter of the system calls of a command.
func (l *Log) writeDirectly(r *Record) (int64, error) {
	if err := l.counted(); err != nil {
		return 0, err
	}
	frame, err := r.encodeHead(headerSize)
	if err != nil {
		return 0, err
	}
	r.CRC = binary.LittleEndian.Uint32(frame[offCRC:])
	size := len(frame) + len(r.Image)
	head, rest := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+len(frame)), uint64(size)), r.Image
	if head = append(head, frame...); size < l.opt.SegmentSize {
		head, rest = append(head, rest...), nil
	}
	if _, err := l.tail.WriteAt(head, l.state.Offset); err != nil {
		return 0, err
	}
	l.appender.drop()
	l.appender = nil
	if len(rest) == 0 {
		return entrySize(size), nil
	}
	return entrySize(size), fsys.WriteOut(l.tail, rest, l.state.Offset+int64(len(head)))
}

// counted makes sure that the lengths in the tail segment lead to where the next record
// goes, and past as many records as the state says. tidwall/wal, where it is open, has.
func (l *Log) counted() error {
	if l.appender != nil || l.state.Offset == 0 {
		return nil
	}
	text := make([]byte, l.state.Offset)
	if _, err := l.tail.ReadAt(text, 0); err != nil {
		return err
	}
	next := l.state.Segment
	for len(text) > 0 {
		n, width := binary.Uvarint(text)
		if width <= 0 || n > uint64(len(text)-width) {
			return l.miscounted(fmt.Errorf("the length of record %d leads beyond the last one", next))
		}
		text = text[width+int(n):]
		next++
	}
	if next != l.state.Last+1 {
		return l.miscounted(fmt.Errorf("there are records up to %d, expected %d", next-1, l.state.Last))
	}
	return nil
}

// miscounted tells of a length in the tail segment that has rotted since the state was
// written: the scanner says which.
func (l *Log) miscounted(found error) error {
	for _, scanned := range Scan(l.fs, l.dir, l.state.Segment) {
		if scanned != nil {
			return scanned
		}
	}
	return &CorruptError{Path: l.tailPath(), LSN: l.state.Last, Offset: l.state.Offset, Reason: found.Error()}
}

func (l *Log) noteImage(r *Record, size int64) error {
	if r.HasImage() {
		l.state.Image, l.state.SinceImage = r.LSN, 0
		return nil
	}
	l.state.SinceImage += size
	if r.Kind != KindAbort || l.state.Image == 0 {
		return nil
	}
	image, err := l.Read(l.state.Image)
	if err != nil || image.Unit != r.Unit {
		return err
	}
	list, err := listJournal(l.fs, l.journal(), l.state.Gen)
	if err != nil {
		return err
	}
	return l.searchImage(&list)
}

// openTail makes sure that there is a segment with room, and our handle on it.
func (l *Log) openTail() error {
	switch {
	case l.state.Segment == 0:
		if err := l.makeDir(l.journal()); err != nil {
			return err
		}
		if err := l.newSegment(0); err != nil {
			return err
		}
	case l.state.Offset >= int64(l.opt.SegmentSize):
		if err := l.rollOver(); err != nil {
			return err
		}
	}
	return l.openSegment()
}

// openSegment opens the tail segment before anything is written to it, so that a
// failing write-back is reported to this descriptor.
func (l *Log) openSegment() error {
	if l.tail != nil {
		return nil
	}
	f, err := l.fs.OpenFile(l.tailPath(), os.O_RDWR|careful, 0)
	if err != nil {
		return err
	}
	l.tail = f
	return nil
}

// openAppender opens tidwall/wal, which must count as many records as we do.
func (l *Log) openAppender() error {
	if l.appender != nil {
		return nil
	}
	a, err := openAppender(l.groupDir(), &l.opt)
	if err == nil {
		last, lastErr := a.last()
		if lastErr == nil && last == l.state.Last {
			l.appender = a
			return nil
		}
		a.drop()
		err = errors.Join(lastErr, fmt.Errorf("tidwall/wal finds %d as the last record, expected %d", last, l.state.Last))
	}
	return l.miscounted(err)
}

// rollOver begins a new segment. The old one is durable before, and the new one's
// name before its first record.
func (l *Log) rollOver() error {
	if err := l.Sync(); err != nil {
		return err
	}
	l.releaseTail()
	group, err := l.groupWithRoom()
	if err != nil {
		return err
	}
	if err := l.newSegment(group); err != nil {
		return err
	}
	return fsys.SyncDir(l.fs, l.groupDir())
}

// groupWithRoom is the tail's directory, or a new one where that is full.
func (l *Log) groupWithRoom() (LSN, error) {
	here := listing{dir: l.journal()}
	if err := here.add(l.fs, l.state.Group); err != nil {
		return 0, err
	}
	n := 0
	for _, s := range here.segments {
		if s.group == l.state.Group {
			n++
		}
	}
	if n < groupSegments {
		return l.state.Group, nil
	}
	group := l.state.Last + 1
	if err := l.makeDir(groupDir(l.journal(), group)); err != nil {
		return 0, err
	}
	return group, fsys.SyncDir(l.fs, l.journal())
}

func (l *Log) newSegment(group LSN) error {
	f, err := l.create(segmentPath(l.journal(), group, l.state.Last+1), os.O_EXCL)
	if err != nil {
		return err
	}
	l.tail = f
	l.state.Group, l.state.Segment, l.state.Offset = group, l.state.Last+1, 0
	return nil
}

// makeDir makes a directory with exactly DirPerm. One that is there already was
// left by a process that died here.
func (l *Log) makeDir(path string) error {
	err := l.fs.Mkdir(path, l.opt.DirPerm.Perm())
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := l.fs.OpenFile(path, os.O_RDONLY|careful, 0)
	if err != nil {
		return err
	}
	err = fsys.InheritOwner(l.fs, d, filepath.Dir(path))
	if err == nil {
		err = d.Chmod(l.opt.DirPerm)
	}
	return errors.Join(err, d.Close())
}
