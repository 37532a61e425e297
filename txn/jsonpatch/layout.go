package jsonpatch

import "bytes"

// layout is how a document is written, where the siblings of a place don't say.
type layout struct {
	newline   string // "\n", "\r\n" or "\r"
	unit      string // one step of indentation
	colon     string // between a name and its value, with the colon
	comma     string // the space between two values of one line
	padObject string // the space inside the braces of an object of one line
	padArray  string
	multiline bool // the document has more than one line
	known     bool // there was something to learn from
	indented  bool // unit was learned
}

// layoutSample is how much of a document is looked at to learn its layout.
const layoutSample = 64 << 10

// style returns the document's layout or, if that says nothing, the layout of
// what its root was replaced by.
func (w *work) style() *layout {
	if w.layout == nil {
		w.learn(w.src.blank[len(w.prefix.b):])
	}
	return w.layout
}

// learn takes the layout from text that starts with a value.
func (w *work) learn(text []byte) {
	w.layout = learnLayout(text[:min(len(text), layoutSample)])
	w.layout.newline = newlineOf(w.src.raw)
	if w.doc.Syntax() == JSONC && w.layout.newline == "\r" {
		w.layout.newline = "\n" // which ends a // comment
	}
	if l := w.layout; w.editing != nil {
		if !l.indented {
			l.unit = w.editing.indent()
			w.styledBy = w.styledBy || l.unit != "  "
		}
		if !l.multiline && !l.known && !w.editing.Compact {
			l.multiline, w.styledBy = true, true
		}
	}
}

// newlineOf returns the first line end of a text.
func newlineOf(text []byte) string {
	i := bytes.IndexAny(text, "\r\n")
	switch {
	case i < 0 || text[i] == '\n':
		return "\n"
	case byteAt(text, i+1) == '\n':
		return "\r\n"
	}
	return "\r"
}

// learnLayout looks at the start of a document, which may be cut anywhere.
func learnLayout(t []byte) *layout {
	l := &layout{unit: "  ", colon: ": ", comma: " "}
	body := bytes.TrimRight(t, " \t\r\n")
	l.multiline = bytes.ContainsAny(body, "\r\n")
	if unit, ok := learnUnit(body); ok {
		l.unit, l.indented = unit, true
	}
	l.learnSpacing(body)
	return l
}

// learnUnit finds the first line that is indented more than the one before it.
func learnUnit(t []byte) (string, bool) {
	var last []byte
	for first := true; len(t) > 0; first = false {
		line := t
		if n := bytes.IndexAny(t, "\r\n"); n >= 0 {
			line, t = t[:n], t[n+1:]
		} else {
			t = nil
		}
		text := bytes.TrimLeft(line, " \t")
		if len(text) == 0 {
			continue
		}
		indent := line[:len(line)-len(text)]
		if !first && len(indent) > len(last) && bytes.HasPrefix(indent, last) {
			return string(indent[len(last):]), true
		}
		last = indent
	}
	return "", false
}

// learnSpacing finds the first colon, the first comma and the first brackets
// that say how a line is spaced.
func (l *layout) learnSpacing(t []byte) {
	var colon, comma, object, array bool
	for i := 0; i < len(t) && !(colon && comma && object && array); i++ {
		if t[i] == '"' {
			i = skipString(t, i)
			if text, ok := colonAt(t, i); ok && !colon {
				l.colon, colon = text, true
			}
			i--
			continue
		}
		space, next := spaceAt(t, i+1), byte('\n')
		if at := i + 1 + len(space); at < len(t) {
			next = t[at]
		}
		switch c := t[i]; {
		case isNewline(next):
		case c == ',' && !comma:
			l.comma, comma = space, true
		case c == '{' && next != '}' && !object:
			l.padObject, object = space, true
		case c == '[' && next != ']' && !array:
			l.padArray, array = space, true
		}
	}
	l.known = colon || comma || l.multiline
	if colon && !comma && l.colon == ":" {
		l.comma = ""
	}
	if comma && !colon && l.comma == "" {
		l.colon = ":"
	}
}

// colonAt returns the colon at a place with the blanks around it, if there is
// one and the value follows on its line.
func colonAt(t []byte, i int) (string, bool) {
	at := i + len(spaceAt(t, i))
	if byteAt(t, at) != ':' {
		return "", false
	}
	end := at + 1 + len(spaceAt(t, at+1))
	return string(t[i:min(end, len(t))]), end < len(t) && !isNewline(t[end])
}

// spaceAt returns the blanks at a place.
func spaceAt(t []byte, i int) string {
	j := i
	for j < len(t) && (t[j] == ' ' || t[j] == '\t') {
		j++
	}
	if i >= len(t) {
		return ""
	}
	return string(t[i:j])
}

// lastBreak returns the place of the last line end in trivia that isn't within
// a comment, or -1. Of CRLF it is the CR.
func lastBreak(trivia []byte) int {
	at := -1
	for i := 0; i < len(trivia); {
		switch {
		case isCommentStart(trivia, i):
			i = skipComment(trivia, i)
		case trivia[i] == '\r' && byteAt(trivia, i+1) == '\n':
			at = i
			i += 2
		case isNewline(trivia[i]):
			at = i
			i++
		default:
			i++
		}
	}
	return at
}

func hasNewline(trivia []byte) bool { return lastBreak(trivia) >= 0 }

// lineIndent returns the blanks at the start of the line on which what follows
// the trivia begins, or "" where it begins no line.
func lineIndent(trivia []byte) string {
	at := lastBreak(trivia)
	if at < 0 {
		return ""
	}
	return spaceAt(trivia, at+breakLength(trivia, at))
}

// maxLookBack is how far from the start of its line, in bytes, a value is thought to
// share the line's indent. To look for the start of a line that holds a whole document,
// for each value in it, would take time that grows with the square of its length.
const maxLookBack = 4096

// IndentAt returns the blanks at the start of the line on which text[at] is.
func IndentAt(text []byte, at int) string {
	from := max(0, at-maxLookBack)
	start := bytes.LastIndexAny(text[from:at], "\r\n")
	if start < 0 && from > 0 {
		return ""
	}
	return spaceAt(text[:at], from+start+1)
}

// breakLength is the length of the line end at trivia[at].
func breakLength(trivia []byte, at int) int {
	if trivia[at] == '\r' && byteAt(trivia, at+1) == '\n' {
		return 2
	}
	return 1
}

// spaceOf returns the space of a lead without comments and blank lines: the
// line end and indent, or the blanks within a line.
func spaceOf(lead []byte) string {
	at := lastBreak(lead)
	if at < 0 {
		return spaceAt(lead, 0)
	}
	n := breakLength(lead, at)
	return string(lead[at:at+n]) + spaceAt(lead, at+n)
}

// startsLine reports whether trivia begins with a line end, after blanks. A CR
// of its own is none here, because it doesn't end a // comment.
func startsLine(trivia []byte) bool {
	i := len(spaceAt(trivia, 0))
	return i < len(trivia) && (trivia[i] == '\n' || breakLength(trivia, i) == 2)
}

// startsWithBlankLine reports whether trivia begins with an empty line.
func startsWithBlankLine(trivia []byte) bool {
	n, _ := breaks(trivia[:skipSpace(trivia, 0)])
	return n > 1
}

// breaks counts the line ends in space, and says where the first one ends.
func breaks(space []byte) (n, firstEnd int) {
	for i := 0; i < len(space); i++ {
		if !isNewline(space[i]) {
			continue
		}
		i += breakLength(space, i) - 1
		if n == 0 {
			firstEnd = i + 1
		}
		n++
	}
	return n, firstEnd
}
