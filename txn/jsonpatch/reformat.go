package jsonpatch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Format is how [Document.Format] lays a text out.
type Format struct {
	// Indent is one step of indentation. Empty means the document's own or, where it
	// shows none, two spaces.
	Indent string

	// Compact writes the document on one line without space.
	Compact bool

	// SortKeys brings the members of all objects into the order of their names.
	SortKeys bool
}

// Format lays the document out anew: members and elements on lines of their own, but
// arrays of scalars on one line of at most 80 columns. Comments stay with what they
// belong to, numbers and strings as they are spelt. On one line a comment has no place:
// then it fails with an error that wraps [ErrInvalid].
func (d *Document) Format(f Format, lim Limits) (Edited, error) {
	w := newWork(d, lim)
	w.editing, w.styledBy = &Style{Indent: f.Indent}, true
	if _, err := w.walk(nil); err != nil {
		return Edited{}, err
	}
	l := w.style()
	p := printer{w: w, f: f, newline: l.newline, unit: f.Indent}
	if p.unit == "" {
		p.unit = l.unit
	}
	if !f.Compact {
		l.colon, l.comma, l.padObject, l.padArray = ": ", " ", "", ""
	}
	lo, end := w.root.lo, w.root.end()
	prefix, suffix := d.raw[:lo], d.raw[end:]
	if f.Compact {
		if d.Syntax() == JSONC && hasComments(&value{src: w.src, lo: bomLength(d.raw), hi: len(d.raw)}) {
			return Edited{}, fmt.Errorf("%w: on one line comments have no place", ErrInvalid)
		}
		prefix, suffix = d.raw[:bomLength(d.raw)], nil
		if bytes.HasSuffix(d.raw, []byte("\n")) {
			suffix = []byte(p.newline)
		}
	}
	p.out = append(p.out, prefix...)
	p.value(w.root, "", 0)
	p.out = append(p.out, suffix...)
	if int64(len(p.out)) > w.lim.MaxBytes {
		return Edited{}, exceeded("the length of the result in bytes", int64(len(p.out)), w.lim.MaxBytes)
	}
	if bytes.Equal(p.out, d.raw) {
		return Edited{Doc: d}, nil
	}
	return Edited{Doc: Trusted(p.out, d.syntax), Splices: TextSplices(d.raw, p.out), Styled: true}, nil
}

// printer writes a document in a format.
type printer struct {
	w             *work
	f             Format
	newline, unit string
	out           []byte
}

func (p *printer) line(indent string) {
	p.out = append(append(p.out, p.newline...), indent...)
}

// value writes a value that begins col bytes behind the start of its line.
func (p *printer) value(v *value, indent string, col int) {
	if !v.isContainer() {
		p.out = append(p.out, v.text()...)
		return
	}
	b := v.enter()
	items := b.openAll()
	if p.f.SortKeys && b.kind == '{' {
		slices.SortStableFunc(items, func(x, y *item) int {
			return strings.Compare(unquote(x.slot.name.b), unquote(y.slot.name.b))
		})
	}
	if p.oneLine(v, b, items, col) {
		return
	}
	p.out = append(append(p.out, b.kind), trimRight(b.head.b[1:])...)
	inner := indent + p.unit
	for i, it := range items {
		s := it.slot
		p.comments(s.lead.b, inner, i > 0)
		p.line(inner)
		col := len(inner)
		if b.kind == '{' {
			p.out = append(append(p.out, s.name.b...), ": "...)
			col += len(s.name.b) + 2
		}
		p.value(s.val, inner, col)
		if i < len(items)-1 {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, ownTrail(s)...)
	}
	p.comments(b.tail.b, inner, len(items) > 0)
	p.line(indent)
	p.out = append(p.out, b.kind+2)
}

func trimRight(b []byte) []byte { return bytes.TrimRight(b, " \t\r\n") }

// oneLine writes a container on one line, where it is to stand so.
func (p *printer) oneLine(v *value, b *body, items []*item, col int) bool {
	switch {
	case p.f.Compact:
		p.out = append(p.out, b.kind)
		for i, it := range items {
			if i > 0 {
				p.out = append(p.out, ',')
			}
			if b.kind == '{' {
				p.out = append(append(p.out, it.slot.name.b...), ':')
			}
			p.value(it.slot.val, "", 0)
		}
		p.out = append(p.out, b.kind+2)
		return true
	case hasComments(v):
		return false
	case len(items) == 0:
		p.out = append(p.out, b.kind, b.kind+2)
		return true
	}
	text := v.text()
	if b.kind == '{' || holdsContainer(text) {
		return false
	}
	line := p.w.writeLine(text)
	if col+len(line) >= maxLine {
		return false
	}
	p.out = append(p.out, line...)
	return true
}

// comments writes the comments of trivia on lines of their own. A blank line before
// them, or before what follows, stays one.
func (p *printer) comments(trivia []byte, indent string, within bool) {
	for i := 0; i < len(trivia); {
		end := skipSpace(trivia, i)
		if n, _ := breaks(trivia[i:end]); n > 1 && within {
			p.out = append(p.out, p.newline...)
		}
		if i = end; i >= len(trivia) {
			return
		}
		within = true
		end = skipComment(trivia, i)
		p.line(indent)
		p.out = append(p.out, reindent(trivia[i:end], indent)...)
		i = end
	}
}
