package jsonpatch

import "bytes"

// styleNew returns a container as an editor writes it in a new slot.
func (w *work) styleNew(c content, at spot, it *item) []byte {
	s := it.slot
	like := w.siblings(at.val.body, it, c.text[0])
	if hasNewline(s.lead.b) {
		indent := lineIndent(s.lead.b)
		return w.styled(c, indent, w.unitAt(at), len(indent)+len(s.name.b)+len(s.mid.b), like)
	}
	if len(like) > 0 && !at.inline {
		if _, lines := like[0].width(w); lines { // [{ and }, { are written on one line
			return w.styled(c, at.indent, w.unitAt(at), 0, like)
		}
	}
	return w.onLine(c)
}

// styleReplacement returns a container as an editor writes it in the place of a
// value.
func (w *work) styleReplacement(c content, at spot) []byte {
	l := w.style()
	var like []*exemplar
	if m := exemplarOf(at.val); m != nil && m.text[m.at] == c.text[0] {
		like = append(like, m)
	}
	if at.in == nil {
		if !l.multiline {
			return w.onLine(c)
		}
		return w.styled(c, at.indent, w.unitAt(at), len(at.indent), like)
	}
	s := at.it.slot
	if at.inline {
		return w.onLine(c)
	}
	like = append(like, w.siblings(at.in, at.it, c.text[0])...)
	return w.styled(c, at.indent, w.unitAt(at), len(at.indent)+len(s.name.b)+len(s.mid.b), like)
}

// onLine writes a container where what is around it is on one line.
func (w *work) onLine(c content) []byte {
	switch {
	case c.moved && !holdsNewline(c.text):
		return c.text
	case c.moved && c.jsonc && hasComment(c.text):
		return c.text // a comment can't do without its line
	}
	return w.writeLine(c.text)
}

// styled writes a container where there is room for lines: as it stands where it
// has a layout of its own, else like others.
func (w *work) styled(c content, indent, unit string, col int, like []*exemplar) []byte {
	switch {
	case !w.style().multiline:
		return w.onLine(c)
	case c.moved:
		return w.resettle(c.text, c.from, indent)
	case c.takes == nil && holdsNewline(c.text):
		return w.relayout(c.text, indent, unit)
	}
	return w.write(c, indent, unit, col, like)
}

// resettle shifts the lines of a text from one indent to another.
func (w *work) resettle(text []byte, from, to string) []byte {
	if from == to || !holdsNewline(text) || len(to) > maxCopiedSpace {
		return text
	}
	return shiftLines(text, from, to)
}

// relayout keeps the lines of a text that is laid out, with the document's indents
// and line ends. Its own indent is that of its last line, where it is closed.
func (w *work) relayout(text []byte, indent, unit string) []byte {
	if len(indent) > maxCopiedSpace || len(unit) > maxUnitLength {
		return w.writeLine(text)
	}
	last := bytes.LastIndexAny(text, "\r\n") + 1
	from := spaceAt(text, last)
	own, ok := learnUnit(text)
	if !ok {
		own = unit
	}
	var out []byte
	for first := true; len(text) > 0; first = false {
		line, next := text, []byte(nil)
		if n := bytes.IndexAny(text, "\r\n"); n >= 0 {
			line, next = text[:n], text[n+breakLength(text, n):]
		}
		if !first {
			out = append(out, w.style().newline...)
			if len(bytes.TrimSpace(line)) > 0 {
				out = append(out, indent...)
				line = bytes.TrimPrefix(line, []byte(from))
			}
			for bytes.HasPrefix(line, []byte(own)) {
				out, line = append(out, unit...), line[len(own):]
			}
		}
		out, text = append(out, line...), next
	}
	return out
}
