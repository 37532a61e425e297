package jsonpatch

import (
	"bytes"
	"unicode/utf8"
)

// blankJSONC returns text with its comments and trailing commas replaced by as
// many spaces, line ends kept, so that every other byte stays at its place. It
// returns text itself where there are none. What isn't a comment or a trailing
// comma is left for the parser to judge.
func blankJSONC(text []byte) ([]byte, error) {
	b := blanker{text: text, out: text, comma: -1}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case isSpace(c):
			i++
		case c == '"':
			i = skipString(text, i)
			b.last, b.comma = '"', -1
		case c == '/' && isCommentStart(text, i):
			end, err := commentEnd(text, i)
			if err != nil {
				return nil, err
			}
			b.blank(i, end)
			i = end
		default:
			b.delimiter(c, i)
			i++
		}
	}
	return b.out, nil
}

// blankTrusted is blankJSONC for text that was validated before. What was
// trusted wrongly, it leaves as it is: whoever reads it will notice.
func blankTrusted(text []byte) []byte {
	blanked, err := blankJSONC(text)
	if err != nil {
		return text
	}
	return blanked
}

type blanker struct {
	text []byte
	out  []byte // text itself until something was blanked
	last byte   // the last byte that was neither space nor comment

	// comma is the place of a comma that follows a value and that nothing but
	// space and comments has followed so far, or -1.
	comma int
}

func (b *blanker) delimiter(c byte, i int) {
	switch {
	case c == ',':
		b.comma = -1
		if b.last != ',' && b.last != '[' && b.last != '{' && b.last != ':' && b.last != 0 {
			b.comma = i
		}
	case (c == '}' || c == ']') && b.comma >= 0:
		b.blank(b.comma, b.comma+1)
		b.comma = -1
	default:
		b.comma = -1
	}
	b.last = c
}

func (b *blanker) blank(lo, hi int) {
	if len(b.out) > 0 && &b.out[0] == &b.text[0] {
		b.out = bytes.Clone(b.text)
	}
	for i := lo; i < hi; i++ {
		if !isNewline(b.out[i]) {
			b.out[i] = ' '
		}
	}
}

func isCommentStart(b []byte, i int) bool {
	next := byteAt(b, i+1)
	return b[i] == '/' && (next == '/' || next == '*')
}

// commentEnd returns the place behind the comment that starts at text[i]. The
// line end behind a // comment is no part of it. Some readers of JSONC end such
// a comment at a CR of its own and others don't, so they would find different
// values in the same text: it is refused.
func commentEnd(text []byte, i int) (int, error) {
	end := skipComment(text, i)
	if text[i+1] == '*' && (end < i+4 || text[end-1] != '/' || text[end-2] != '*') {
		return 0, syntaxError(text, i, "", `the comment is not closed by "*/"`)
	}
	if byteAt(text, end) == '\r' && byteAt(text, end+1) != '\n' && text[i+1] == '/' {
		return 0, syntaxError(text, end, "", "a // comment must end with LF or CRLF, found CR")
	}
	for p := i; p < end; {
		r, n := utf8.DecodeRune(text[p:end])
		if r == utf8.RuneError && n == 1 {
			return 0, syntaxError(text, p, "", "invalid UTF-8 in a comment")
		}
		p += n
	}
	return end, nil
}

// skipComment is commentEnd for text that was validated before.
func skipComment(text []byte, i int) int {
	if byteAt(text, i+1) == '/' {
		return i + lineLength(text[i:])
	}
	if i+2 <= len(text) {
		if n := bytes.Index(text[i+2:], []byte("*/")); n >= 0 {
			return i + 2 + n + 2
		}
	}
	return len(text)
}

// lineLength is how many bytes there are before the first line end. Bytes of one
// kind are found much faster than those of two.
func lineLength(text []byte) int {
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		text = text[:n]
	}
	if n := bytes.IndexByte(text, '\r'); n >= 0 {
		text = text[:n]
	}
	return len(text)
}

// Trivia is what may stand between two tokens: space and comments. The
// functions below take it from the text as it is, not from the blanked one.

// skipTrivia returns the place of the first byte from b[i] on that is neither
// space nor part of a comment.
func skipTrivia(b []byte, i int) int {
	for {
		i = skipSpace(b, i)
		if i >= len(b) || !isCommentStart(b, i) {
			return i
		}
		i = skipComment(b, i)
	}
}

// restOfLine returns the place of the line end that follows b[i] with nothing
// but blanks and one-line comments in between; i itself where something else
// follows on the line. What lies in between belongs to what stands before it.
func restOfLine(b []byte, i int) int {
	for p := i; p < len(b); {
		switch {
		case isNewline(b[p]):
			return p
		case isSpace(b[p]):
			p++
		case isCommentStart(b, p):
			end := skipComment(b, p)
			if bytes.ContainsAny(b[p:end], "\n\r") {
				return i
			}
			p = end
		default:
			return i
		}
	}
	return i
}

// endOfRemarks returns where what stands behind the last value of a container
// ends: at the line end or, where the container ends on the same line, behind
// the last comment.
func endOfRemarks(b []byte, i int) int {
	if end := restOfLine(b, i); end > i {
		return end
	}
	end := i
	for p := i + len(spaceAt(b, i)); p < len(b) && isCommentStart(b, p); p += len(spaceAt(b, p)) {
		p = skipComment(b, p)
		if bytes.ContainsAny(b[end:p], "\n\r") {
			break
		}
		end = p
	}
	return end
}

// hasComment reports whether trivia holds a comment.
func hasComment(trivia []byte) bool { return bytes.IndexByte(trivia, '/') >= 0 }

// endsInLineComment reports whether trivia ends within a // comment, so that
// whatever is put behind it must begin with a line end.
func endsInLineComment(trivia []byte) bool {
	for i := 0; i < len(trivia); {
		if !isCommentStart(trivia, i) {
			i++
			continue
		}
		end := skipComment(trivia, i)
		if end == len(trivia) && trivia[i+1] == '/' {
			return true
		}
		i = end
	}
	return false
}
