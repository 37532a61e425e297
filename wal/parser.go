package wal

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

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

func (p *parser) run() uint16 {
	run := p.uvarint()
	if run > math.MaxUint16 {
		p.fail("a run is out of range")
		return 0
	}
	return uint16(run)
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

func (p *parser) txn() Txn {
	t := Txn{
		ID: ID(p.take(16)), Time: p.time(), Actor: string(p.text()), Message: string(p.text()),
		Patch: p.text(), RequestID: string(p.text()),
	}
	end := uint64(0)
	for range p.count(minSplice) {
		gap, length := p.uvarint(), p.uvarint()
		if gap > math.MaxInt64-end || length > math.MaxInt64-end-gap {
			p.fail("a splice reaches too far")
			gap, length = 0, 0
		}
		t.Splices = append(t.Splices, Splice{Offset: int64(end + gap), Length: int64(length), Bytes: p.text()})
		end += gap + length
	}
	for range p.count(minOrigin) {
		t.Origins = append(t.Origins, Origin{
			Kind: OriginKind(p.take(1)[0]), Txn: ID(p.take(16)), Path: string(p.text()), Rev: p.uvarint(),
		})
	}
	return t
}

// uvarintLen is the length of v's shortest form.
func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
