package jsonpatch

import "bytes"

// maxLine is how many columns an array of scalars may take on one line, where the
// document does not say.
const maxLine = 80

// A pen writes a new value as the document's author would have.
type pen struct {
	w     *work
	text  []byte // what is written, strict JSON
	lo    int    // where text begins in what takes is about
	takes takes
	unit  string
	out   []byte
	limit int // of out: beyond it, indents would make the text grow too much
}

// exemplar is a container of the document that another is written like: text[at] is
// its bracket. Nil stands for none.
type exemplar struct {
	text []byte // with comments blanked, and cut to a sample
	at   int
}

// exemplarOf is a value as an exemplar, nil where it is no filled container.
func exemplarOf(v *value) *exemplar {
	if v == nil || !v.isContainer() || !isFilled(v) {
		return nil
	}
	if v.body != nil && v.body.changed {
		text := blankTrusted(v.text())
		return &exemplar{text[:min(len(text), layoutSample)], 0}
	}
	return &exemplar{v.src.blank[:min(len(v.src.blank), v.lo+layoutSample)], v.lo}
}

// write writes a container that begins on a line with this indent, col bytes from
// its start. like are containers of its kind, the nearest first.
func (w *work) write(c content, indent, unit string, col int, like []*exemplar) []byte {
	p := pen{w: w, text: c.text, lo: c.lo, takes: c.takes, unit: unit, limit: len(c.text)*maxGrowth + freeGrowth}
	if len(indent) > maxCopiedSpace || len(unit) > maxUnitLength {
		return w.writeLine(c.text)
	}
	p.value(skipSpace(c.text, 0), indent, col, like)
	if len(p.out) > p.limit {
		return w.writeLine(c.text)
	}
	return p.out
}

// value writes the value at text[i] and returns the place behind it.
func (p *pen) value(i int, indent string, col int, like []*exemplar) int {
	end := max(i+1, skipValue(p.text, i))
	if t := p.takes.at(p.lo + i); t != nil && p.lo+end == t.Hi {
		p.out = append(p.out, p.w.resettle(t.Raw, t.Indent, indent)...)
		return end
	}
	if !isOpen(p.text[i:]) || len(p.out) > p.limit {
		p.out = append(p.out, p.text[i:end]...)
		return end
	}
	line := p.w.writeLine(p.text[i:end])
	if !p.takes.haveLines(p.lo+i, p.lo+end) && p.oneLine(line, p.text[i:end], col, like) {
		p.out = append(p.out, line...)
		return end
	}
	p.lines(i, indent, like)
	return end
}

// oneLine decides whether a container, which would be line, is written so.
func (p *pen) oneLine(line, text []byte, col int, like []*exemplar) bool {
	if len(line) == 2 {
		return true // it is empty
	}
	room := maxLine
	for _, m := range like {
		if m == nil || m.text[m.at] != text[0] {
			continue
		}
		if width, lines := m.width(p.w); !lines {
			return col+len(line) < max(room, width)
		} else if width < room {
			return false // it would have had room on one line
		}
	}
	if inline, known := p.w.habit(text); known {
		return inline && col+len(line) < room
	}
	return text[0] == '[' && !holdsContainer(text) && col+len(line) < room
}

// width is how long the line is that it stands on or, where it is written in
// lines, would be.
func (m *exemplar) width(w *work) (n int, lines bool) {
	end := skipValue(m.text, m.at)
	body := m.text[m.at:end]
	start := bytes.LastIndexAny(m.text[:m.at], "\r\n") + 1
	switch {
	case !holdsNewline(body):
		return end - start + 1, false
	case len(body) > layoutSample/16:
		return len(body), true
	}
	return m.at - start + len(w.writeLine(body)) + 1, true
}

// holdsContainer tells whether a container has another in it.
func holdsContainer(text []byte) bool {
	at := nextBracket(text, 1)
	return at < len(text)-1 && isOpen(text[at:])
}

// lines writes a container with each member or element on a line of its own.
func (p *pen) lines(i int, indent string, like []*exemplar) {
	l := p.w.style()
	kind := p.text[i]
	inner := indent + p.unit
	p.out = append(p.out, kind)
	first := true
	for i = skipSpace(p.text, i+1); i < len(p.text) && p.text[i] != kind+2; i = skipSpace(p.text, i) {
		if p.text[i] == ',' {
			i++
			continue
		}
		if !first {
			p.out = append(p.out, ',')
		}
		first = false
		p.out = append(append(p.out, l.newline...), inner...)
		col := len(inner)
		name := ""
		if kind == '{' {
			end := skipString(p.text, i)
			name = unquote(p.text[i:end])
			p.out = append(append(p.out, p.text[i:end]...), l.colon...)
			col += end - i + len(l.colon)
			i = skipSpace(p.text, skipSpace(p.text, end)+1)
		}
		i = p.value(i, inner, col, p.inside(like, name, byteAt(p.text, i)))
	}
	p.out = append(append(append(p.out, l.newline...), indent...), kind+2)
}

// inside are the exemplars for a child of a container that is written like others:
// what they have under its name, or else of its kind.
func (p *pen) inside(like []*exemplar, name string, kind byte) []*exemplar {
	if kind != '{' && kind != '[' {
		return nil
	}
	var named, other []*exemplar
	for _, m := range like {
		if m == nil {
			continue
		}
		if name != "" {
			if at := memberAt(m.text, m.at, name); at >= 0 && byteAt(m.text, at) == kind {
				named = append(named, &exemplar{m.text, at})
				continue
			}
		}
		if at := childOfKind(m.text, m.at, kind); at >= 0 {
			other = append(other, &exemplar{m.text, at})
		}
	}
	return append(named, other...)
}

// childOfKind is the place of the first filled child of a kind, or -1.
func childOfKind(t []byte, i int, kind byte) int {
	object := byteAt(t, i) == '{'
	for i = skipSpace(t, i+1); i < len(t) && t[i] != '}' && t[i] != ']'; i = skipSpace(t, i) {
		if object {
			i = skipSpace(t, skipSpace(t, skipString(t, i))+1)
		}
		if byteAt(t, i) == kind && byteAt(t, skipSpace(t, i+1)) != kind+2 {
			return i
		}
		i = skipSpace(t, max(i+1, skipValue(t, i)))
		if byteAt(t, i) == ',' {
			i++
		}
	}
	return -1
}

// habits count how the document writes containers that would have room on a line:
// of each class those on one line, and those in lines.
type habits [3]struct{ inline, lines int }

// class tells arrays of scalars, other arrays and objects apart.
func class(text []byte) int {
	switch {
	case text[0] == '{':
		return 2
	case holdsContainer(text):
		return 1
	}
	return 0
}

// habit tells whether the document mostly writes such a container on one line.
func (w *work) habit(text []byte) (inline, known bool) {
	if w.habits == nil {
		w.habits = &habits{}
		t := w.src.blank
		w.habits.learn(w, t[:min(len(t), layoutSample)], skipSpace(t, len(w.prefix.b)))
	}
	h := w.habits[class(text)]
	return h.inline > h.lines, h.inline+h.lines > 0
}

// learn counts the containers below the root at t[root].
func (h *habits) learn(w *work, t []byte, root int) {
	for i := nextBracket(t, min(root+1, len(t))); i < len(t); i = nextBracket(t, i+1) {
		if !isOpen(t[i:]) {
			continue
		}
		end := skipValue(t, i)
		if end >= len(t) || byteAt(t, skipSpace(t, i+1)) == t[i]+2 {
			continue // cut off by the sample, or empty
		}
		if width, lines := (&exemplar{t, i}).width(w); !lines {
			h[class(t[i:end])].inline++
			i = end - 1
		} else if width < maxLine {
			h[class(t[i:end])].lines++
		}
	}
}
