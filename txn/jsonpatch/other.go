package jsonpatch

import (
	"bytes"
	"errors"
	"unicode/utf16"
)

// byName replaces what is said of text that isn't JSON where it is something else that
// has a name: then that is said, and what to do.
func byName(data []byte, err error) error {
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || !errors.Is(syntax.kind, ErrInvalid) {
		return err
	}
	switch {
	case isUTF16(data):
		syntax.Line, syntax.Column, syntax.Offset, syntax.Snippet = 1, 1, 0, ""
		syntax.Msg = "this is UTF-16, and JSON files are UTF-8: iconv -f UTF-16 -t UTF-8 converts it"
	case isNDJSON(data):
		syntax.Msg = "these are several values, one a line (NDJSON), and a file holds one: jq -s . makes an array of them"
	case isJSON5(data, int(syntax.Offset)):
		syntax.Msg += "; this looks like JSON5, which has to be written as JSON first: names and strings in double quotes, plain decimal numbers (npx json5 FILE prints it so)"
	}
	return err
}

// isUTF16 tells by the byte order mark or, without one, by zeros in every other byte.
func isUTF16(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return true
	}
	if len(data) < 4 {
		return false
	}
	little, big := data[0] != 0 && data[1] == 0 && data[3] == 0, data[0] == 0 && data[1] != 0 && data[2] == 0
	if !little && !big {
		return false
	}
	unit := uint16(data[0]) | uint16(data[1])
	return !utf16.IsSurrogate(rune(unit))
}

// isNDJSON tells whether the first two lines that aren't empty are values.
func isNDJSON(data []byte) bool {
	found := 0
	for line := range bytes.Lines(data[bomLength(data):]) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if !isValue(line) {
			return false
		}
		if found++; found == 2 {
			return true
		}
	}
	return false
}

// isJSON5 looks at the place of the error for what JSON5 has and JSON hasn't.
func isJSON5(data []byte, at int) bool {
	at = skipTrivia(data, min(at, len(data)))
	if at >= len(data) {
		return false
	}
	rest := data[at:]
	for _, word := range []string{"NaN", "Infinity", "+Infinity", "-Infinity"} {
		if bytes.HasPrefix(rest, []byte(word)) {
			return true
		}
	}
	switch c := rest[0]; {
	case c == '\'':
		return true
	case c == 'x' || c == 'X':
		return at > 0 && data[at-1] == '0'
	case c == '+' || c == '.':
		return len(rest) > 1 && (rest[1] >= '0' && rest[1] <= '9' || rest[1] == '.')
	}
	// A name without quotes.
	n := 0
	for n < len(rest) && (rest[n] == '_' || rest[n] == '$' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z' || n > 0 && rest[n] >= '0' && rest[n] <= '9') {
		n++
	}
	return n > 0 && byteAt(rest, n+len(spaceAt(rest, n))) == ':'
}

// Comments lists the comments of a document, in order, each with its slashes.
func (d *Document) Comments() []string {
	if d.Syntax() == Strict {
		return nil
	}
	var list []string
	for i := 0; i < len(d.raw); {
		switch {
		case d.raw[i] == '"':
			i = skipString(d.raw, i)
		case isCommentStart(d.raw, i):
			end := skipComment(d.raw, i)
			list = append(list, string(d.raw[i:end]))
			i = end
		default:
			i++
		}
	}
	return list
}
