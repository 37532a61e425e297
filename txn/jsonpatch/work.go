package jsonpatch

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// An edit works on a tree that is made of the text itself and grows only where
// operations look: a container that nobody enters stays one stretch of text,
// and an entered one is a list of the entered members with stretches of
// untouched ones between them. Nothing behind the last place looked at is
// scanned. So a one-field edit reads the text once, up to the field, and keeps
// a handful of nodes, whatever the size of the document; and a patch of many
// operations neither copies nor scans the document for each.

// source is text that values lie in: the document, or the value of an operation.
type source struct {
	raw   []byte
	blank []byte // raw with comments and trailing commas blanked
	doc   bool   // whether it is the document that is edited

	repeats bool // whether an object in it may have a name more than once
}

// frag is a piece of text. If off isn't negative, it is the piece of the
// document at that offset, which the result keeps at its place.
type frag struct {
	b   []byte
	off int
}

func newFrag(text string) frag { return frag{[]byte(text), -1} }

// frag is the piece of text from lo to hi. In text that was trusted wrongly the
// places may contradict each other; then the piece is empty.
func (s *source) frag(lo, hi int) frag {
	lo = min(lo, len(s.raw))
	hi = max(lo, min(hi, len(s.raw)))
	if s.doc {
		return frag{s.raw[lo:hi], lo}
	}
	return frag{s.raw[lo:hi], -1}
}

// value is a JSON value of the working tree.
type value struct {
	src  *source
	lo   int
	hi   int   // -1 while nobody had to know it
	body *body // set once an operation entered the container
}

// end returns the place behind the value in its source.
func (v *value) end() int {
	if v.hi < 0 {
		if v.body != nil {
			v.body.scanAll()
			v.hi = v.body.closeAt + 1
		} else {
			v.hi = skipValue(v.src.blank, v.lo)
		}
	}
	return v.hi
}

func (v *value) kind() byte { return byteAt(v.src.blank, v.lo) }

func (v *value) isContainer() bool { return v.kind() == '{' || v.kind() == '[' }

// enter returns the body of a container.
func (v *value) enter() *body {
	if v.body == nil {
		start := restOfLine(v.src.raw, v.lo+1)
		v.body = &body{
			src:   v.src,
			kind:  v.kind(),
			head:  v.src.frag(v.lo, start),
			start: start,
			scan:  start,
		}
	}
	return v.body
}

// text returns the value as it is now.
func (v *value) text() []byte {
	if v.body == nil {
		return v.src.raw[v.lo:v.end()]
	}
	v.end()
	var out render
	out.value(v, v.hi)
	return out.bytes()
}

// slot is a member or element with everything that goes along with it. The
// parts follow each other in the text in this order.
type slot struct {
	lead frag // space and comments that start it
	name frag // with quotes; empty in an array
	mid  frag // colon and space, in an array empty
	val  *value
	post frag // what follows up to the comma, or else up to the line end
	// comma is empty for the last slot of a container without trailing comma.
	comma frag
	trail frag // the blanks and comments behind the comma up to the line end

	// partial says that what follows the value is not known yet, because
	// nobody had to know where the value ends. Only the last slot of a body
	// can be so.
	partial bool
}

func (s *slot) hasComma() bool { return len(s.comma.b) > 0 }

// after is what follows the value, but for the comma.
func (s *slot) after() []byte {
	if len(s.post.b) == 0 {
		return s.trail.b
	}
	if len(s.trail.b) == 0 {
		return s.post.b
	}
	return append(bytes.Clone(s.post.b), s.trail.b...)
}

// place is where a slot lies in its source.
type place struct {
	lead, name, nameEnd, val, valEnd int
	comma                            int // -1 where there is none
	post                             int // where post ends
	next                             int // behind the slot
}

// errBroken is what wrongly trusted text leads to.
var errBroken = &narrower{ErrInvalid, "the text was trusted to be valid and isn't"}

// locate finds the parts of the slot at p, up to the start of its value. It
// reports false where the container ends instead.
func (b *body) locate(p int) (place, bool) {
	t := b.src.blank
	at := skipSpace(t, p)
	pl := place{lead: p, name: at, nameEnd: at, val: at}
	c := byteAt(t, at)
	if b.kind == '[' {
		return pl, at < len(t) && !endsScalar[c]
	}
	if c != '"' {
		return pl, false
	}
	pl.nameEnd = skipString(t, at)
	colon := skipSpace(t, pl.nameEnd)
	pl.val = skipSpace(t, colon+1)
	return pl, byteAt(t, colon) == ':' && pl.val < len(t) && !endsScalar[t[pl.val]]
}

// complete finds the parts of a slot behind its value, which ends at valEnd.
func (b *body) complete(pl *place, valEnd int) {
	pl.valEnd, pl.comma = valEnd, -1
	at := skipSpace(b.src.blank, valEnd)
	if byteAt(b.src.blank, at) != ',' {
		// The end of the container: a trailing comma has been blanked.
		at = skipTrivia(b.src.raw, valEnd)
		if byteAt(b.src.raw, at) != ',' {
			pl.post = endOfRemarks(b.src.raw, valEnd)
			pl.next = pl.post
			return
		}
	}
	pl.comma, pl.post = at, at
	pl.next = restOfLine(b.src.raw, at+1)
}

// slotAt makes the slot of a place; if partial, only up to its value.
func (b *body) slotAt(pl place, partial bool) *slot {
	s := &slot{
		lead:    b.src.frag(pl.lead, pl.name),
		name:    b.src.frag(pl.name, pl.nameEnd),
		mid:     b.src.frag(pl.nameEnd, pl.val),
		val:     &value{src: b.src, lo: pl.val, hi: -1},
		partial: partial,
	}
	if !partial {
		s.val.hi = pl.valEnd
		b.fill(s, pl)
	}
	return s
}

// fill sets the parts behind the value.
func (b *body) fill(s *slot, pl place) {
	s.partial = false
	s.post = b.src.frag(pl.valEnd, pl.post)
	if pl.comma >= 0 {
		s.comma = b.src.frag(pl.comma, pl.comma+1)
		s.trail = b.src.frag(pl.comma+1, pl.next)
	}
}

// work is one application of a patch.
type work struct {
	doc    *Document
	src    *source
	root   *value
	prefix frag // what stands before the root
	suffix frag // what stands behind a root that was replaced
	lim    Limits
	copied int64
	layout *layout // of the document, once somebody asked

	editing  *Style  // nil: plainly
	styledBy bool    // a rule of style had a say
	comments bool    // the result may have comments though the document has none
	repeats  bool    // likewise names that are repeated
	habits   *habits // of the document, once somebody asked
}

func newWork(d *Document, lim Limits) *work {
	src := d.source()
	lo := skipSpace(src.blank, bomLength(src.raw))
	return &work{
		doc:    d,
		src:    src,
		root:   &value{src: src, lo: lo, hi: -1},
		prefix: src.frag(0, lo),
		lim:    lim.orDefault(),

		repeats: src.repeats,
	}
}

// spot is where a pointer led to.
type spot struct {
	val    *value
	in     *body  // the container that holds val, nil for the root
	it     *item  // val's item within it
	indent string // of the line on which val starts
	inline bool   // val starts on the line of the container that holds it
	unit   string // the step of indentation that led here, "" where none did
}

// walk goes to the value that p points to.
func (w *work) walk(p Pointer) (spot, error) {
	at := spot{val: w.root, indent: lineIndent(w.prefix.b)}
	if c := w.root.kind(); c == 0 || endsScalar[c] {
		return at, errBroken
	}
	for i, token := range p {
		next, err := at.step(token)
		if err != nil {
			return at, notFoundAt(p[:i], err)
		}
		at = next
	}
	return at, nil
}

// step goes to a member or element.
func (at spot) step(token string) (spot, error) {
	it, err := at.val.child(token)
	if err != nil {
		return at, err
	}
	next := spot{
		val:    it.slot.val,
		in:     at.val.body,
		it:     it,
		indent: at.indent,
		inline: !hasNewline(it.slot.lead.b),
		unit:   at.unit,
	}
	if !next.inline {
		next.indent = lineIndent(it.slot.lead.b)
		if unit, ok := deeper(next.indent, at.indent); ok {
			next.unit = unit
		}
	}
	return next, nil
}

// child returns the item of the member or element that token names.
func (v *value) child(token string) (*item, error) {
	switch v.kind() {
	case '{':
		it := v.enter().named(token)
		if it == nil {
			return nil, v.body.missing(fmt.Errorf("no member %s", strconv.Quote(Printable(token))))
		}
		if v.body.repeated[token] {
			return nil, errRepeated(token)
		}
		return it, nil
	case '[':
		i, ok := arrayIndex(token)
		if !ok {
			return nil, fmt.Errorf("%q is not an array index", token)
		}
		it := v.enter().at(i)
		if it == nil {
			return nil, v.body.missing(fmt.Errorf("index %d is not in the array of %d", i, v.body.n))
		}
		return it, nil
	}
	return nil, fmt.Errorf("%s has no members", kindName(v.kind()))
}

// missing is err, unless the container has no proper end.
func (b *body) missing(err error) error {
	if b.broken {
		return errBroken
	}
	return err
}

func notFoundAt(p Pointer, err error) error {
	if errors.Is(err, ErrInvalid) {
		return err
	}
	return fmt.Errorf("%w: at %q: %v", ErrNotFound, p.String(), err)
}

func kindName(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
