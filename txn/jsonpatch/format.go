package jsonpatch

import (
	"bytes"
	"strings"
)

// content is a value on its way into the document.
type content struct {
	text []byte // without space around it

	// A value that comes from the document itself keeps the layout that it has
	// there; only its lines are moved from one indent to another.
	moved bool
	from  string // that indent
	jsonc bool   // text may hold comments

	repeats bool // an object in text has a name more than once

	// What an edit brings besides: which parts of text, which begins at lo, are as
	// they stand elsewhere, and the comments that go along with a moved slot.
	takes takes
	lo    int
	slot  *Slot
	name  []byte // of a member, as it is spelt there, with quotes
	lead  []byte
	trail []byte
}

// valueOf makes a value of the content as it was fitted.
func (w *work) valueOf(c content, fitted []byte) *value {
	src := &source{raw: fitted, blank: fitted, repeats: w.repeats}
	if c.jsonc {
		src.blank = blankTrusted(fitted)
	}
	return &value{src: src, hi: len(fitted)}
}

// fitNew returns content as it has to be written in a new slot.
func (w *work) fitNew(c content, at spot, it *item, sibling *slot) []byte {
	if !isOpen(c.text) {
		return c.text
	}
	if w.editing != nil {
		w.styledBy = true
		return w.styleNew(c, at, it)
	}
	s := it.slot
	ownLine := hasNewline(s.lead.b)
	indent := at.indent
	if ownLine {
		indent = lineIndent(s.lead.b)
	}
	lines := ownLine
	if ownLine && sibling != nil && sibling.val.kind() == c.text[0] && isFilled(sibling.val) {
		lines = inLines(sibling.val)
	}
	return w.fit(c, indent, lines, ownLine)
}

// fitReplacement returns content as it has to be written in the place of a value.
func (w *work) fitReplacement(c content, at spot) []byte {
	if !isOpen(c.text) {
		return c.text
	}
	if w.editing != nil {
		w.styledBy = true
		return w.styleReplacement(c, at)
	}
	l := w.style()
	ownLine := !at.inline
	if at.in == nil {
		ownLine = l.multiline
		if !l.known {
			return c.text // nothing says how this document is written
		}
	}
	lines := ownLine
	if isFilled(at.val) {
		lines = inLines(at.val)
	}
	return w.fit(c, at.indent, lines, ownLine)
}

// fit writes a container in lines or in one line.
func (w *work) fit(c content, indent string, lines, ownLine bool) []byte {
	if c.moved {
		return w.fitMoved(c, indent, ownLine)
	}
	if lines {
		if out, ok := w.writeLines(c.text, indent); ok {
			return out
		}
	}
	return w.writeLine(c.text)
}

// fitMoved shifts the lines of a value that has its layout already.
func (w *work) fitMoved(c content, indent string, ownLine bool) []byte {
	if !holdsNewline(c.text) {
		return c.text
	}
	if !ownLine && !c.jsonc {
		return w.writeLine(c.text)
	}
	if c.from == indent || len(indent) > maxCopiedSpace {
		return c.text
	}
	return shiftLines(c.text, c.from, indent)
}

// shiftLines replaces the indent that lines behind the first one start with.
func shiftLines(text []byte, from, to string) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		n := bytes.IndexAny(text[i:], "\r\n")
		if n < 0 {
			return append(out, text[i:]...)
		}
		end := i + n + breakLength(text, i+n)
		out = append(out, text[i:end]...)
		i = end
		if bytes.HasPrefix(text[i:], []byte(from)) && i < len(text) && !isNewline(text[min(i+len(from), len(text)-1)]) {
			out = append(out, to...)
			i += len(from)
		}
	}
	return out
}

// isOpen reports whether text is an object or array.
func isOpen(text []byte) bool { return byteAt(text, 0) == '{' || byteAt(text, 0) == '[' }

// isFilled reports whether a value is a container that isn't empty.
func isFilled(v *value) bool {
	if !v.isContainer() {
		return false
	}
	if v.body != nil {
		return v.body.n > 0 || !v.body.closed
	}
	c := byteAt(v.src.blank, skipSpace(v.src.blank, v.lo+1))
	return c != '}' && c != ']'
}

// inLines reports whether a filled container is written on more than one line.
// Of a long one only the start is looked at, so that edits beside it don't cost
// more the longer it is.
func inLines(v *value) bool {
	b := v.body
	if b == nil || b.first == nil {
		return holdsNewline(v.src.frag(v.lo, min(v.end(), v.lo+layoutSample)).b)
	}
	if hasNewline(b.head.b[1:]) || hasNewline(b.tail.b) {
		return true
	}
	if b.first.slot == nil {
		return holdsNewline(b.src.frag(b.first.lo, min(b.first.hi, b.first.lo+layoutSample)).b)
	}
	return hasNewline(b.first.slot.lead.b)
}

func holdsNewline(text []byte) bool {
	return bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0
}

// Indents repeat on every line, so a deep value of few bytes could become very
// long. Beyond this it is written in one line.
const (
	maxGrowth     = 16
	freeGrowth    = 64 << 10
	maxUnitLength = 16
)

// writeLines writes a value with each member and element on a line of its own.
// It reports false if that became too long.
func (w *work) writeLines(text []byte, indent string) ([]byte, bool) {
	l := w.style()
	if len(indent) > maxCopiedSpace || len(l.unit) > maxUnitLength {
		return nil, false
	}
	limit := len(text)*maxGrowth + freeGrowth
	out := make([]byte, 0, len(text)*2)
	depth := 0
	newline := func() {
		out = append(out, l.newline...)
		out = append(out, indent...)
		for range depth {
			out = append(out, l.unit...)
		}
	}
	for i := skipSpace(text, 0); i < len(text); i = skipSpace(text, i) {
		if len(out) > limit {
			return nil, false
		}
		switch c := text[i]; c {
		case '{', '[':
			out = append(out, c)
			i = skipSpace(text, i+1)
			if byteAt(text, i) == c+2 {
				out = append(out, c+2)
				i++
				continue
			}
			depth++
			newline()
			continue
		case '}', ']':
			depth--
			newline()
			out = append(out, c)
		case ',':
			out = append(out, c)
			newline()
		case ':':
			out = append(out, l.colon...)
		default:
			end := max(i+1, skipValue(text, i)) // goes on, whatever was trusted
			out = append(out, text[i:end]...)
			i = end
			continue
		}
		i++
	}
	return out, true
}

// writeLine writes a value in one line, spaced like the document.
func (w *work) writeLine(text []byte) []byte {
	l := w.style()
	pad := map[byte]string{'{': l.padObject, '}': l.padObject, '[': l.padArray, ']': l.padArray}
	out := make([]byte, 0, len(text)+len(text)/4)
	for i := skipSpace(text, 0); i < len(text); i = skipSpace(text, i) {
		switch c := text[i]; c {
		case '{', '[':
			out = append(out, c)
			i = skipSpace(text, i+1)
			if byteAt(text, i) == c+2 {
				out = append(out, c+2)
				i++
			} else {
				out = append(out, pad[c]...)
			}
			continue
		case '}', ']':
			out = append(append(out, pad[c]...), c)
		case ',':
			out = append(append(out, c), l.comma...)
		case ':':
			out = append(out, l.colon...)
		default:
			end := max(i+1, skipValue(text, i)) // goes on, whatever was trusted
			out = append(out, text[i:end]...)
			i = end
			continue
		}
		i++
	}
	return out
}

// Compact returns a valid strict or JSONC text without space and comments.
// Number literals and string escapes stay as they are, a byte order mark goes.
func Compact(data []byte) []byte {
	text, err := blankJSONC(data[bomLength(data):])
	if err != nil {
		text = data
	}
	out := make([]byte, 0, len(text))
	for i := skipSpace(text, 0); i < len(text); i = skipSpace(text, i) {
		end := i + 1
		if !strings.ContainsRune("{}[],:", rune(text[i])) {
			end = max(end, skipValue(text, i))
		}
		out = append(out, text[i:end]...)
		i = end
	}
	return out
}
