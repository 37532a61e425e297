package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

const (
	frameMagic   = "jtxr"
	frameVersion = 1
	headerSize   = 44

	// Of every version of the frame the header keeps its size, and these keep
	// their places and meanings: so that a frame of a newer version can be told
	// from a damaged one.
	offVersion = 4
	offKind    = 5
	offFlags   = 6
	offLSN     = 8
	offUnit    = 16
	offLength  = 32
	offPrev    = 36
	offCRC     = 40
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// badFrame is a frame that does not check out, and why.
type badFrame string

func (b badFrame) Error() string        { return "bad frame: " + string(b) }
func (b badFrame) Is(target error) bool { return target == ErrCorrupt }

// header is a frame's first 44 bytes.
type header struct {
	version   uint8
	kind      Kind
	flags     Flags
	lsn       LSN
	unit      ID
	length    uint32
	prev, crc uint32
}

// Encode makes the frame of r, with r's LSN, Durable, Named and Prev, as the package
// documentation draws it.
func (r *Record) Encode() ([]byte, error) {
	head, err := r.encodeHead(r.sizeBound())
	if err != nil {
		return nil, err
	}
	return append(head, r.Image...), nil
}

// encodeHead is a frame without its image, in a slice of the given capacity.
func (r *Record) encodeHead(capacity int64) ([]byte, error) {
	if r.Flags &^= FlagClock; r.hasClock() {
		r.Flags |= FlagClock
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	if r.LSN == 0 || r.Durable >= r.LSN || r.Named >= r.LSN {
		return nil, fmt.Errorf("%w: lsn %d, durable %d, named %d", ErrInvalid, r.LSN, r.Durable, r.Named)
	}
	b := make([]byte, headerSize, capacity)
	copy(b, frameMagic)
	b[offVersion] = frameVersion
	b[offKind] = byte(r.Kind)
	binary.LittleEndian.PutUint16(b[offFlags:], uint16(r.Flags))
	binary.LittleEndian.PutUint64(b[offLSN:], uint64(r.LSN))
	copy(b[offUnit:], r.Unit[:])
	binary.LittleEndian.PutUint32(b[offPrev:], r.Prev)
	b = r.appendPayload(b)
	binary.LittleEndian.PutUint32(b[offLength:], uint32(len(b)-headerSize+len(r.Image)))
	binary.LittleEndian.PutUint32(b[offCRC:], crc32.Update(frameCRC(b), castagnoli, r.Image))
	return b, nil
}

// DecodeRecord reads a frame. The record's patches, splices and Image share frame's memory.
// A frame that doesn't check out gives an error that is ErrCorrupt; one that
// does, of a newer version, ErrVersion.
func DecodeRecord(frame []byte) (*Record, error) {
	h, err := parseHeader(frame)
	if err != nil {
		return nil, err
	}
	if uint64(len(frame)) != headerSize+uint64(h.length) {
		return nil, badFrame(fmt.Sprintf("%d bytes, its length says %d", len(frame), headerSize+uint64(h.length)))
	}
	if crc := frameCRC(frame); crc != h.crc {
		return nil, badFrame(fmt.Sprintf("crc is %08x, its bytes give %08x", h.crc, crc))
	}
	if err := h.supported(); err != nil {
		return nil, err
	}
	r := &Record{Kind: h.kind, Flags: h.flags, LSN: h.lsn, Unit: h.unit, Prev: h.prev, CRC: h.crc}
	if err := r.parsePayload(frame[headerSize:]); err != nil {
		return nil, err
	}
	return r, nil
}

func parseHeader(b []byte) (header, error) {
	if len(b) == 0 {
		return header{}, badFrame("empty entry")
	}
	if len(b) < headerSize {
		return header{}, badFrame(fmt.Sprintf("%d bytes, a header has %d", len(b), headerSize))
	}
	if string(b[:len(frameMagic)]) != frameMagic {
		return header{}, badFrame(fmt.Sprintf("magic is %q, expected %q", b[:len(frameMagic)], frameMagic))
	}
	h := header{
		version: b[offVersion],
		kind:    Kind(b[offKind]),
		flags:   Flags(binary.LittleEndian.Uint16(b[offFlags:])),
		lsn:     LSN(binary.LittleEndian.Uint64(b[offLSN:])),
		unit:    ID(b[offUnit:offLength]),
		length:  binary.LittleEndian.Uint32(b[offLength:]),
		prev:    binary.LittleEndian.Uint32(b[offPrev:]),
		crc:     binary.LittleEndian.Uint32(b[offCRC:]),
	}
	if h.lsn == 0 {
		return header{}, badFrame("lsn is 0")
	}
	return h, nil
}

// supported reports, of a frame whose bytes are right, whether this program may
// interpret them.
func (h header) supported() error {
	switch {
	case h.version != frameVersion:
		return fmt.Errorf("%w: frame version %d at record %d", ErrVersion, h.version, h.lsn)
	case h.kind < KindPatch || h.kind > lastKind:
		return fmt.Errorf("%w: kind %d at record %d", ErrVersion, h.kind, h.lsn)
	case h.flags&^knownFlags != 0:
		return fmt.Errorf("%w: flags %04x at record %d", ErrVersion, uint16(h.flags), h.lsn)
	}
	return nil
}

// frameCRC leaves out the four bytes where the checksum itself is kept.
func frameCRC(frame []byte) uint32 {
	crc := crc32.Update(0, castagnoli, frame[:offCRC])
	return crc32.Update(crc, castagnoli, frame[headerSize:])
}

// entrySize is what a frame of n bytes takes in a segment, its length included.
func entrySize(n int) int64 { return int64(uvarintLen(uint64(n)) + n) }

// maxPayload keeps a length in its 32 bits.
const maxPayload = math.MaxUint32

// maxSegment is more than any segment has, in bytes: one that is nearly full and then
// gets the largest record.
const maxSegment = maxPayload + 1<<30
