package wal

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// noTime stands for the zero Time, which has no count of nanoseconds.
const noTime = math.MinInt64

const (
	minParticipant = 16 + 1 + 1 + 1
	minTxn         = 16 + 8 + 1 + 1 + 1
)

// appendPayload writes the part of a frame whose size varies, but for the image. uvarint is the
// base-128 number of encoding/binary in its shortest form; text and bytes are a
// uvarint length and that many bytes.
//
//	rev           uvarint
//	lag           uvarint    LSN - durable, at least 1
//	before        version    00, or 01 and uvarint size and 16 bytes of hash
//	after         version
//	participants  uvarint    how many; each:
//	                workspace 16 bytes, root text, path text, lsn uvarint
//	txns          uvarint    how many; each:
//	                id 16 bytes, time 8 bytes (ns since 1970, two's complement;
//	                the least number: none), actor text, message text, patch bytes
//	image         the rest, in kinds image and inplace; else there is no rest
func (r *Record) appendPayload(b []byte) []byte {
	b = binary.AppendUvarint(b, r.Rev)
	b = binary.AppendUvarint(b, uint64(r.LSN-r.Durable))
	b = appendVersion(b, r.Before)
	b = appendVersion(b, r.After)
	b = binary.AppendUvarint(b, uint64(len(r.Participants)))
	for _, p := range r.Participants {
		b = append(b, p.Workspace[:]...)
		b = appendText(b, p.Root)
		b = appendText(b, p.Path)
		b = binary.AppendUvarint(b, uint64(p.LSN))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Txns)))
	for _, t := range r.Txns {
		b = append(b, t.ID[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(nanos(t.Time)))
		b = appendText(b, t.Actor)
		b = appendText(b, t.Message)
		b = appendText(b, t.Patch)
	}
	return b
}

func appendVersion(b []byte, v Version) []byte {
	if !v.Exists {
		return append(b, 0)
	}
	b = binary.AppendUvarint(append(b, 1), uint64(v.Size))
	return append(b, v.Hash[:]...)
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}

// validate finds, before anything is written, what a reader would refuse.
func (r *Record) validate() error {
	h := header{version: frameVersion, kind: r.Kind, flags: r.Flags}
	if h.supported() != nil {
		return fmt.Errorf("%w: kind %d, flags %04x", ErrInvalid, r.Kind, uint16(r.Flags))
	}
	if why := r.brokenRule(); why != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, why)
	}
	for _, t := range r.Txns {
		if ns := nanos(t.Time); !t.Time.IsZero() && (ns == noTime || !time.Unix(0, ns).Equal(t.Time)) {
			return fmt.Errorf("%w: time %v is out of range", ErrInvalid, t.Time)
		}
	}
	if r.sizeBound()-headerSize > maxPayload {
		return fmt.Errorf("%w: about %d bytes, at most %d", ErrTooLarge, r.sizeBound(), int64(maxPayload))
	}
	return nil
}

// brokenRule names the rule that r breaks, of those that hold when it is written
// and when it is read.
func (r *Record) brokenRule() string {
	for _, v := range []Version{r.Before, r.After} {
		if v.Size < 0 || !v.Exists && v != (Version{}) {
			return "a version that does not exist has size or hash, or a size is negative"
		}
	}
	if !r.HasImage() && len(r.Image) > 0 {
		return "an image in a kind that has none"
	}
	if r.HasImage() && len(r.Image) == 0 && r.After.Size > 0 {
		return "an image is missing"
	}
	return ""
}

// sizeBound is at least the size of r's frame, by little.
func (r *Record) sizeBound() int64 {
	n := int64(headerSize + 2*binary.MaxVarintLen64 + 2*(1+binary.MaxVarintLen64+16) + 2*binary.MaxVarintLen32)
	for _, p := range r.Participants {
		n += int64(16 + len(p.Root) + len(p.Path) + 3*binary.MaxVarintLen64)
	}
	for _, t := range r.Txns {
		n += int64(24 + len(t.Actor) + len(t.Message) + len(t.Patch) + 3*binary.MaxVarintLen64)
	}
	return n + int64(len(r.Image))
}

// parsePayload is strict: what it accepts, appendPayload writes again byte for byte.
func (r *Record) parsePayload(b []byte) error {
	p := parser{rest: b}
	r.Rev = p.uvarint()
	lag := p.uvarint()
	if lag == 0 || lag > uint64(r.LSN) {
		p.fail("durable mark is out of range")
	}
	r.Durable = r.LSN - LSN(lag)
	r.Before = p.version()
	r.After = p.version()
	for range p.count(minParticipant) {
		r.Participants = append(r.Participants, Participant{
			Workspace: ID(p.take(16)), Root: string(p.text()), Path: string(p.text()), LSN: LSN(p.uvarint()),
		})
	}
	for range p.count(minTxn) {
		r.Txns = append(r.Txns, Txn{
			ID: ID(p.take(16)), Time: p.time(), Actor: string(p.text()), Message: string(p.text()), Patch: p.text(),
		})
	}
	if p.bad == "" && len(p.rest) > 0 {
		r.Image = p.rest
	}
	if p.bad == "" {
		p.bad = r.brokenRule()
	}
	if p.bad != "" {
		return badFrame("payload: " + p.bad)
	}
	return nil
}

// parser reads a payload. After the first fault it yields zeros, and bad says what
// that was; so the fault is looked at once, at the end.
type parser struct {
	rest []byte
	bad  string
}

func (p *parser) fail(why string) {
	if p.bad == "" {
		p.bad = why
	}
	p.rest = nil
}

// zeros is what take yields after a fault: IDs and times are made of it.
var zeros [16]byte

func (p *parser) take(n int) []byte {
	if n > len(p.rest) {
		p.fail("it ends too early")
		return zeros[:min(n, len(zeros))]
	}
	taken := p.rest[:n:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || n != uvarintLen(v) {
		p.fail("a number ends too early or is not in its shortest form")
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

// count reads how many items follow. There can't be more than fit into the rest,
// so a lie costs no memory.
func (p *parser) count(minSize int) int {
	n := p.uvarint()
	if n > uint64(len(p.rest)/minSize) {
		p.fail("more items than bytes")
		return 0
	}
	return int(n)
}

func (p *parser) text() []byte {
	n := p.uvarint()
	if n > uint64(len(p.rest)) {
		p.fail("a text is longer than the rest")
		return nil
	}
	if n == 0 {
		return nil
	}
	return p.take(int(n))
}

func (p *parser) time() time.Time {
	ns := int64(binary.LittleEndian.Uint64(p.take(8)))
	if ns == noTime {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

func (p *parser) version() Version {
	switch flag := p.take(1)[0]; flag {
	case 0:
		return Version{}
	case 1:
		v := Version{Exists: true, Size: int64(p.uvarint())}
		v.Hash = Hash(p.take(8))
		return v
	default:
		p.fail("a version is neither absent nor present")
		return Version{}
	}
}

// uvarintLen is the length of v's shortest form.
func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
