package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jtx-project/jtx/wal/fsys"
)

// entry is one record and where it is in its segment, length included.
type entry struct {
	rec      *Record
	off, end int64
}

// start is where the reading of a segment begins.
type start struct {
	offset int64
	next   LSN    // of the entry there
	prev   uint32 // what that entry's frame must name as the one before,
	linked bool   // if that is known
}

// contents is what one segment holds from a start on.
type contents struct {
	seg     segment
	start   start
	limit   LSN    // the next segment's first LSN, 0 in the last segment
	data    []byte // from start.offset on
	entries []entry
	end     int64 // behind the last entry that checks out, and where the bad one begins
	next    LSN   // the LSN behind the last entry
	prev    uint32
	linked  bool  // the next record must name prev as the one before
	bad     error // why the entry at end does not check out; nil at a clean end
}

// readSegment reads and checks a segment's entries up to limit. Behind that its
// bytes don't count: a copied tail has taken their place. The error is of the file
// system, or ErrVersion; a frame that does not check out is only noted.
func readSegment(fsy fsys.FS, seg segment, from start, limit LSN) (*contents, error) {
	data, err := readFrom(fsy, seg.path, from.offset)
	if err != nil {
		return nil, err
	}
	c := &contents{seg: seg, start: from, limit: limit, data: data, end: from.offset, next: from.next, prev: from.prev, linked: from.linked}
	for limit == 0 || c.next < limit {
		rest := data[c.end-from.offset:]
		if len(rest) == 0 {
			break
		}
		rec, size, err := nextEntry(rest)
		if err == nil {
			err = follows(rec, c.next, c.prev, c.linked)
		}
		if errors.Is(err, ErrVersion) {
			return nil, fmt.Errorf("%s: byte %d: %w", seg.path, c.end, err)
		}
		if err != nil {
			c.bad = err
			break
		}
		c.entries = append(c.entries, entry{rec: rec, off: c.end, end: c.end + size})
		c.end += size
		c.next++
		c.prev, c.linked = rec.CRC, rec.Kind != KindBegin && rec.Flags&FlagRemade == 0
	}
	return c, nil
}

func readFrom(fsy fsys.FS, path string, offset int64) ([]byte, error) {
	if isPacked(path) {
		return readPacked(fsy, path, offset)
	}
	f, err := fsy.OpenFile(path, os.O_RDONLY|careful, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > maxSegment {
		return nil, &CorruptError{Path: path, Reason: fmt.Sprintf("%d bytes are more than a segment can have", st.Size())}
	}
	if offset == 0 {
		return fsys.ReadAll(f)
	}
	buf := make([]byte, max(st.Size()-offset, 0))
	n, err := f.ReadAt(buf, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return buf[:n], nil
}

// nextEntry reads the entry at the start of b: tidwall/wal's uvarint length, and
// that many bytes of frame. size counts both.
func nextEntry(b []byte) (rec *Record, size int64, err error) {
	n, width := binary.Uvarint(b)
	if width != uvarintLen(n) { // nor is it where Uvarint finds none, which it says by 0 and less
		return nil, 0, badFrame("the entry's length is cut short or malformed")
	}
	if n > uint64(len(b)-width) {
		return nil, 0, badFrame(fmt.Sprintf("the entry's length is %d, %d bytes are there", n, len(b)-width))
	}
	end := width + int(n)
	rec, err = DecodeRecord(b[width:end:end])
	return rec, int64(end), err
}

// follows checks a record's place in the chain.
func follows(rec *Record, next LSN, prev uint32, linked bool) error {
	if rec.LSN != next {
		return badFrame(fmt.Sprintf("record %d in the place of %d", rec.LSN, next))
	}
	if linked && rec.Prev != prev {
		return badFrame(fmt.Sprintf("it follows a record of crc %08x, the one before has %08x", rec.Prev, prev))
	}
	return nil
}

// startOf is the start of a segment that is read from its first byte. Record 1
// follows nothing, and says so with a zero; where compaction has dropped it, what
// the first record that is left follows can't be checked any more.
func (l *listing) startOf(i int) start {
	first := l.segments[i].first
	return start{next: first, linked: first == 1}
}

// after is the start of the segment that follows c.
func (c *contents) after() start { return start{next: c.next, prev: c.prev, linked: c.linked} }

// damage tells a torn tail, for which it returns nil, from corruption: a record that
// was durable, by the mark or by what a later record says of it, and isn't there.
func (c *contents) damage(durable LSN) error {
	switch {
	case c.bad != nil && c.limit != 0:
		return c.corrupt(c.bad.Error() + ", and a later segment exists")
	case c.limit != 0 && c.next < c.limit:
		return c.corrupt(fmt.Sprintf("the segment ends, the next one begins at record %d", c.limit))
	case c.limit != 0:
		return nil
	case c.bad != nil && c.next <= durable:
		return c.corrupt(fmt.Sprintf("%v; records up to %d are durable", c.bad, durable))
	case c.bad != nil && c.claimedDurable():
		return c.corrupt(c.bad.Error() + "; a later record says it was durable")
	case c.next <= durable:
		return c.corrupt(fmt.Sprintf("the journal ends, records up to %d are durable", durable))
	}
	return nil
}

// isBlank tells whether nothing but zeros is behind the last entry that checks out.
func (c *contents) isBlank() bool {
	return len(bytes.TrimLeft(c.data[c.end-c.start.offset:], "\x00")) == 0
}

func (c *contents) corrupt(reason string) error {
	return &CorruptError{Path: c.seg.path, LSN: c.next, Offset: c.end, Reason: reason}
}

// claimedDurable looks behind the bad frame for a whole one that says it was
// durable. Entries' bounds are lost there, so frames are found by their magic; and
// an entry's length must stand before it, so that bytes in an image don't count.
func (c *contents) claimedDurable() bool {
	rest := c.data[c.end-c.start.offset:]
	for at := 1; ; {
		i := bytes.Index(rest[at:], []byte(frameMagic))
		if i < 0 {
			return false
		}
		at += i
		rec, err := frameAt(rest, at)
		if err == nil && rec.LSN > c.next && rec.Durable >= c.next {
			return true
		}
		at++
	}
}

// frameAt decodes the frame at b[at:] if the entry's length before it agrees.
func frameAt(b []byte, at int) (*Record, error) {
	h, err := parseHeader(b[at:])
	if err != nil {
		return nil, err
	}
	size := headerSize + uint64(h.length)
	width := uvarintLen(size)
	if width > at || size > uint64(len(b)-at) {
		return nil, badFrame("no room")
	}
	if n, got := binary.Uvarint(b[at-width : at]); got != width || n != size {
		return nil, badFrame("no entry's length before it")
	}
	return DecodeRecord(b[at : at+int(size)])
}
