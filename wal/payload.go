package wal

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// noTime stands for the zero Time, which has no count of nanoseconds.
const noTime = math.MinInt64

// The least sizes of what is counted, in bytes: a count can't promise more items than
// fit into the rest.
const (
	minParticipant = 16 + 1 + 1 + 1 + 1
	minTxn         = 16 + 8 + 1 + 1 + 1 + 1 + 1 + 1
	minSplice      = 1 + 1 + 1
	minOrigin      = 1 + 16 + 1 + 1
	minFact        = 16 + 1 + 1
)

// appendPayload writes the part of a frame whose size varies, but for the image, as
// the package documentation draws it.
func (r *Record) appendPayload(b []byte) []byte {
	b = binary.AppendUvarint(b, r.Rev)
	b = binary.AppendUvarint(b, uint64(r.LSN-r.Durable))
	b = binary.AppendUvarint(b, uint64(r.LSN-r.Named))
	b = binary.AppendUvarint(b, r.Staged)
	b = appendVersion(b, r.Before)
	b = appendVersion(b, r.After)
	b = binary.AppendUvarint(b, uint64(len(r.Participants)))
	for _, p := range r.Participants {
		b = append(b, p.Workspace[:]...)
		b = appendText(b, p.Root)
		b = appendText(b, p.Path)
		b = binary.AppendUvarint(b, uint64(p.LSN))
		b = binary.AppendUvarint(b, p.Count)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Txns)))
	for i := range r.Txns {
		b = r.Txns[i].appendTo(b)
	}
	if r.hasFacts() {
		b = binary.AppendUvarint(b, uint64(len(r.Facts)))
		for _, f := range r.Facts {
			b = append(b, f.Unit[:]...)
			b = binary.AppendUvarint(b, uint64(f.LSN))
			b = append(b, byte(f.Outcome))
		}
	}
	if r.Kind == KindBegin {
		b = binary.AppendUvarint(b, uint64(r.UnknownBelow))
	}
	if r.Flags&FlagClock != 0 {
		b = binary.AppendUvarint(b, uint64(r.Run))
		b = appendTime(b, r.Clock)
	}
	return b
}

func (t *Txn) appendTo(b []byte) []byte {
	b = append(b, t.ID[:]...)
	b = appendTime(b, t.Time)
	b = appendText(b, t.Actor)
	b = appendText(b, t.Message)
	b = appendText(b, t.Patch)
	b = appendText(b, t.RequestID)
	b = binary.AppendUvarint(b, uint64(len(t.Splices)))
	end := int64(0)
	for _, s := range t.Splices {
		b = binary.AppendUvarint(b, uint64(s.Offset-end))
		b = binary.AppendUvarint(b, uint64(s.Length))
		b = appendText(b, s.Bytes)
		end = s.Offset + s.Length
	}
	b = binary.AppendUvarint(b, uint64(len(t.Origins)))
	for _, o := range t.Origins {
		b = append(b, byte(o.Kind))
		b = append(b, o.Txn[:]...)
		b = appendText(b, o.Path)
		b = binary.AppendUvarint(b, o.Rev)
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

func appendTime(b []byte, t time.Time) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(nanos(t)))
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
		if outOfRange(t.Time) {
			return fmt.Errorf("%w: time %v is out of range", ErrInvalid, t.Time)
		}
	}
	if outOfRange(r.Clock) {
		return fmt.Errorf("%w: clock %v is out of range", ErrInvalid, r.Clock)
	}
	if r.sizeBound()-headerSize > maxPayload {
		return fmt.Errorf("%w: about %d bytes, at most %d", ErrTooLarge, r.sizeBound(), int64(maxPayload))
	}
	return nil
}

func outOfRange(t time.Time) bool {
	ns := nanos(t)
	return !t.IsZero() && (ns == noTime || !time.Unix(0, ns).Equal(t))
}

// hasFacts tells of the kinds whose payload has a place for facts.
func (r *Record) hasFacts() bool { return r.Kind == KindBegin || r.Kind == KindDecision }

// brokenRule names the rule that r breaks, of those that hold when it is written
// and when it is read.
func (r *Record) brokenRule() string {
	for _, v := range []Version{r.Before, r.After} {
		if v.Size < 0 || !v.Exists && v != (Version{}) {
			return "a version that does not exist has size or hash, or a size is negative"
		}
	}
	for _, p := range r.Participants {
		if p.Count == 0 {
			return "a participant has no record"
		}
	}
	for i := range r.Txns {
		if why := r.Txns[i].brokenRule(); why != "" {
			return why
		}
	}
	if why := r.brokenImage(); why != "" {
		return why
	}
	return r.brokenFacts()
}

func (r *Record) brokenImage() string {
	switch {
	case r.HasImage():
		if len(r.Image) == 0 && r.After.Size > 0 {
			return "an image is missing"
		}
	case r.Kind == KindIntent:
		if !r.Before.Exists || r.Before.Size != int64(len(r.Image)) {
			return "what was found is not as long as its version"
		}
	case r.Kind == KindClash:
		if len(r.Image) == 0 || len(r.Txns) != 2 {
			return "a clash has no text that was found, or is not of two transactions"
		}
	case len(r.Image) > 0:
		return "an image in a kind that has none"
	}
	return ""
}

func (r *Record) brokenFacts() string {
	if len(r.Facts) > 0 && !r.hasFacts() || r.UnknownBelow > 0 && r.Kind != KindBegin {
		return "facts in a kind that has none"
	}
	if r.Kind == KindDecision && len(r.Facts) != 1 {
		return "a decision is not of one unit"
	}
	for _, f := range r.Facts {
		if f.Outcome != OutcomeCommitted && f.Outcome != OutcomeDiscarded {
			return "an outcome is neither committed nor discarded"
		}
	}
	return ""
}

func (t *Txn) brokenRule() string {
	if len(t.RequestID) > MaxRequestID {
		return "a request id is too long"
	}
	end := int64(0)
	for _, s := range t.Splices {
		if s.Offset < end || s.Length < 0 || s.Offset > math.MaxInt64-s.Length {
			return "splices are not in order"
		}
		end = s.Offset + s.Length
	}
	for _, o := range t.Origins {
		if o.Kind == 0 {
			return "an origin has no kind"
		}
	}
	return ""
}

// sizeBound is at least the size of r's frame, by little.
func (r *Record) sizeBound() int64 {
	const number = binary.MaxVarintLen64
	n := int64(headerSize + 4*number + 2*(1+number+8) + 4*number + 8 + number*len(r.Participants))
	for _, p := range r.Participants {
		n += int64(16 + len(p.Root) + len(p.Path) + 3*number)
	}
	for i := range r.Txns {
		t := &r.Txns[i]
		n += int64(24 + len(t.Actor) + len(t.Message) + len(t.Patch) + len(t.RequestID) + 6*number)
		for _, s := range t.Splices {
			n += int64(len(s.Bytes) + 3*number)
		}
		for _, o := range t.Origins {
			n += int64(17 + len(o.Path) + 2*number)
		}
	}
	return n + int64(len(r.Facts)*(17+number)) + int64(len(r.Image))
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
	unnamed := p.uvarint()
	if unnamed == 0 || unnamed > uint64(r.LSN) {
		p.fail("named mark is out of range")
	}
	r.Named = r.LSN - LSN(unnamed)
	r.Staged = p.uvarint()
	r.Before = p.version()
	r.After = p.version()
	for range p.count(minParticipant) {
		r.Participants = append(r.Participants, Participant{
			Workspace: ID(p.take(16)), Root: string(p.text()), Path: string(p.text()),
			LSN: LSN(p.uvarint()), Count: p.uvarint(),
		})
	}
	for range p.count(minTxn) {
		r.Txns = append(r.Txns, p.txn())
	}
	if r.hasFacts() {
		for range p.count(minFact) {
			r.Facts = append(r.Facts, Fact{Unit: ID(p.take(16)), LSN: LSN(p.uvarint()), Outcome: Outcome(p.take(1)[0])})
		}
	}
	if r.Kind == KindBegin {
		r.UnknownBelow = LSN(p.uvarint())
	}
	if r.Flags&FlagClock != 0 {
		if r.Run, r.Clock = p.run(), p.time(); !r.hasClock() {
			p.fail("a clock that says nothing")
		}
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
