package cli

import (
	"bytes"
	"strings"
)

// WriteDocument is Write for JSON as it stands in a file, with color for who wants that.
func (a *App) WriteDocument(text []byte) error {
	if wantsColor(a.Stdout) {
		text = colorJSON(text)
	}
	return a.Write(text)
}

// The colors of a document.
const (
	nameColor    = "\x1b[1;34m"
	stringColor  = Green
	numberColor  = "\x1b[36m"
	wordColor    = "\x1b[35m" // true, false, null
	commentColor = Dim
)

// colorJSON colors the names, values and comments of a text, which is JSON or JSONC, and
// leaves all else as it is.
func colorJSON(text []byte) []byte {
	var b bytes.Buffer
	for len(text) > 0 {
		n, color := token(text)
		if color == stringColor && bytes.HasPrefix(bytes.TrimLeft(text[n:], " \t\r\n"), []byte(":")) {
			color = nameColor
		}
		if color == "" {
			b.Write(text[:n])
		} else {
			b.WriteString(color + string(text[:n]) + Reset)
		}
		text = text[n:]
	}
	return b.Bytes()
}

// token is the length of the first token of a text, and its color, "" for none.
func token(text []byte) (n int, color string) {
	switch c := text[0]; {
	case c == '"':
		return stringLength(text), stringColor
	case bytes.HasPrefix(text, []byte("//")):
		return lengthUntil(text, "\n", 0), commentColor
	case bytes.HasPrefix(text, []byte("/*")):
		return lengthUntil(text[2:], "*/", 2) + 2, commentColor
	case c == '-' || '0' <= c && c <= '9':
		return lengthOf(text, "+-.0123456789eE"), numberColor
	case 'a' <= c && c <= 'z':
		return lengthOf(text, "abcdefghijklmnopqrstuvwxyz"), wordColor
	}
	return 1, ""
}

func stringLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// lengthUntil is where end begins, and keep bytes of it.
func lengthUntil(text []byte, end string, keep int) int {
	if at := bytes.Index(text, []byte(end)); at >= 0 {
		return at + keep
	}
	return len(text)
}

func lengthOf(text []byte, of string) int {
	n := 0
	for n < len(text) && strings.IndexByte(of, text[n]) >= 0 {
		n++
	}
	return n
}
