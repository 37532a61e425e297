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
	case isYAML(data, int(syntax.Offset)):
		syntax.Msg += "; this looks like YAML, and a file holds JSON"
	case isPython(data, int(syntax.Offset)):
		syntax.Msg += "; this looks like a literal of Python: json.dump writes it as JSON, with true, false and null"
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

// isYAML tells whether the text begins as what is mostly written in YAML: with "---", or
// with a name that is in no braces.
func isYAML(data []byte, at int) bool {
	start := skipTrivia(data, bomLength(data))
	if at > start+len("---") || start >= len(data) {
		return false
	}
	first, _, _ := bytes.Cut(data[start:], []byte{'\n'})
	if bytes.Equal(bytes.TrimSpace(first), []byte("---")) {
		return true
	}
	name := nameAt(data[start:])
	rest := first[min(name, len(first)):]
	return name > 0 && bytes.HasPrefix(rest, []byte(":")) && (len(rest) == 1 || bytes.ContainsRune([]byte(" \t\r"), rune(rest[1])))
}

// isPython looks at the place of the error for a word that Python prints.
func isPython(data []byte, at int) bool {
	at = skipTrivia(data, min(at, len(data)))
	rest := data[at:]
	switch string(rest[:nameAt(rest)]) {
	case "True", "False", "None":
		return true
	}
	return false
}

// nameAt is how many bytes of a name without quotes the text begins with.
func nameAt(text []byte) int {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n] == '$' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || n > 0 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n
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
	n := nameAt(rest)
	return at > bomLength(data) && n > 0 && byteAt(rest, n+len(spaceAt(rest, n))) == ':'
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
