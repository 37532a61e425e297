package tail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// ErrCorrupt is returned when a record that was durable, and is in no journal, is
// missing or does not check out.
var ErrCorrupt = errors.New("shared log is damaged")

const (
	magic      = "jtxt"
	headerSize = 36
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is what the shared log consists of: the records of one unit, or none.
// Little-endian:
//
//	 0        4        8      16       24       32     36
//	+--------+--------+------+--------+--------+------+---------
//	| "jtxt" | length | seq  | copied | synced | crc  | payload …
//	+--------+--------+------+--------+--------+------+---------
//
// No seq is written twice, so that it tells a frame from an older one that was in the
// same place before. length counts the payload; crc is the CRC32C of all but itself. The payload has,
// for each record, the file's name and the frame that package wal makes of it, each
// as a uvarint length and that many bytes.
type frame struct {
	seq     uint64 // counts frames, from 1 in a new log
	copied  uint64 // the journals durably have what is in the frames up to this one
	synced  uint64 // the frames up to this one were durable when this one was written
	payload []byte
}

// size is what a frame with a payload of n bytes takes.
func size(n int) int64 { return headerSize + int64(n) }

// appendTo appends the frame's bytes.
func (f *frame) appendTo(buf []byte) []byte {
	start := len(buf)
	buf = append(buf, magic...)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(f.payload)))
	for _, n := range []uint64{f.seq, f.copied, f.synced} {
		buf = binary.LittleEndian.AppendUint64(buf, n)
	}
	buf = binary.LittleEndian.AppendUint32(buf, checksum(buf[start:], f.payload))
	return append(buf, f.payload...)
}

func checksum(header, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, payload)
}

// parse reads the frame with which b begins, if it is whole.
func parse(b []byte) (f frame, whole bool) {
	if len(b) < headerSize || string(b[:4]) != magic {
		return frame{}, false
	}
	n := int64(binary.LittleEndian.Uint32(b[4:]))
	if n > int64(len(b)-headerSize) {
		return frame{}, false
	}
	f = frame{
		seq: binary.LittleEndian.Uint64(b[8:]), copied: binary.LittleEndian.Uint64(b[16:]), synced: binary.LittleEndian.Uint64(b[24:]),
		payload: b[headerSize : headerSize+n],
	}
	return f, binary.LittleEndian.Uint32(b[32:]) == checksum(b[:32], f.payload)
}

// segment is what one of the two files holds.
type segment struct {
	frames []frame // from the start on, each following the one before
	synced uint64  // the highest that any whole frame says, also one behind those
}

func readSegment(data []byte) (s segment) {
	off := int64(0)
	for {
		f, whole := parse(data[off:])
		if !whole || len(s.frames) > 0 && f.seq != s.frames[len(s.frames)-1].seq+1 {
			break
		}
		s.frames = append(s.frames, f)
		s.synced = max(s.synced, f.synced)
		off += size(len(f.payload))
	}
	for rest := data[off:]; ; rest = rest[1:] {
		i := bytes.Index(rest, []byte(magic))
		if i < 0 {
			return s
		}
		rest = rest[i:]
		if f, whole := parse(rest); whole {
			s.synced = max(s.synced, f.synced)
		}
	}
}

// join puts the segments in order and returns the frames that the journals may not
// have. What is torn at the end was never durable, and is not there.
func join(a, b segment) ([]frame, error) {
	if len(a.frames) > 0 && len(b.frames) > 0 && a.frames[0].seq > b.frames[0].seq {
		a, b = b, a
	}
	all := slices.Concat(a.frames, b.frames)
	var last frame
	if len(all) > 0 {
		last = all[len(all)-1]
	}
	if synced := max(a.synced, b.synced); synced > last.seq {
		return nil, fmt.Errorf("%w: it ends at %d, and %d was durable", ErrCorrupt, last.seq, synced)
	}
	live := slices.DeleteFunc(all, func(f frame) bool { return f.seq <= last.copied })
	for i := range live {
		if live[i].seq != last.copied+1+uint64(i) {
			return nil, fmt.Errorf("%w: what stands before %d is not there", ErrCorrupt, live[i].seq)
		}
	}
	return live, nil
}
