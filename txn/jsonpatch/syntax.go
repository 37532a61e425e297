package jsonpatch

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

var utf8BOM = []byte("\ufeff")

// bomLength is how many bytes a byte order mark takes at the start of text.
func bomLength(text []byte) int {
	if bytes.HasPrefix(text, utf8BOM) {
		return len(utf8BOM)
	}
	return 0
}

// loosely are the options under which the parser judges the grammar alone: it lets
// lone surrogates pass, and with them bytes that are no UTF-8, and repeated names.
var loosely = []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

// isValue tells whether text is one JSON value, whatever its depth and its names are.
func isValue(text []byte) bool {
	return jsontext.Value(text).IsValid() || jsontext.Value(text).IsValid(loosely...) && utf8.Valid(text)
}

// validate checks that text is one strict JSON value within the depth limit, with no
// name repeated. shown is what the user wrote, of the same length; it differs from text
// where comments were blanked. Both include the byte order mark.
func validate(text, shown []byte, lim Limits) error {
	repeats, err := validateLoose(text, shown, lim)
	if err == nil && repeats {
		if r, found := firstRepeated(text, bomLength(text)); found {
			return r.error(shown)
		}
	}
	return err
}

// validateLoose is validate for text that may repeat names; it tells whether it does.
func validateLoose(text, shown []byte, lim Limits) (repeats bool, err error) {
	bom := bomLength(text)
	if value := text[bom:]; !jsontext.Value(value).IsValid() {
		if !isValue(value) {
			return false, explain(text, shown, bom, lim.MaxDepth)
		}
		_, repeats = firstRepeated(text, bom)
	}
	// Every level takes a bracket that opens and one that closes it.
	if len(text)/2 > lim.MaxDepth && depthOver(text[bom:], lim.MaxDepth) >= 0 {
		return repeats, tooDeep(text, shown, bom, lim.MaxDepth)
	}
	return repeats, nil
}

// explain finds out what is wrong with text that isn't valid.
func explain(text, shown []byte, bom, limit int) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text[bom:]), loosely...)
	_, err := dec.ReadValue()
	at, pointer, msg := len(text), "", ""
	var parser *jsontext.SyntacticError
	switch {
	case err == nil:
		at = skipSpace(text, bom+int(dec.InputOffset()))
		msg = "unexpected " + describe(shown, at) + " behind the value, expected the end"
	case !errors.As(err, &parser):
		msg = "unexpected end of the text, expected a value"
	default:
		at, pointer = min(bom+int(parser.ByteOffset), len(text)), string(parser.JSONPointer)
		switch {
		case depthOver(text[bom:min(at+1, len(text))], limit) >= 0:
			// Up to the place of the error the text is sound, so its brackets can
			// be trusted. This is also how the parser's own limit shows.
			return tooDeep(text, shown, bom, limit)
		case errors.Is(parser.Err, io.ErrUnexpectedEOF):
			at, msg = len(shown), "unexpected end of the text"
		default:
			msg = parser.Err.Error()
		}
	}
	if bad := notUTF8(text[:min(at, len(text))]); bad >= 0 {
		return syntaxError(shown, bad, pointerTo(text[bom:], bad-bom), "invalid UTF-8")
	}
	return syntaxError(shown, at, pointer, msg)
}

// notUTF8 is the place of the first byte that is no UTF-8, or -1.
func notUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}

// pointerTo is the pointer to the value in which text[at] is; the grammar holds up to
// there.
func pointerTo(text []byte, at int) string {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), loosely...)
	for int(dec.InputOffset()) <= at {
		if _, err := dec.ReadToken(); err != nil {
			break
		}
	}
	return string(dec.StackPointer())
}

// describe names the rune at a place for a message.
func describe(text []byte, at int) string {
	if at >= len(text) {
		return "end of the text"
	}
	r, _ := utf8.DecodeRune(text[at:])
	return "character " + strconv.QuoteRune(r)
}

// tooDeep makes the error for a container that is nested too deeply.
func tooDeep(text, shown []byte, bom, limit int) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text[bom:]), loosely...)
	for dec.StackDepth() <= limit {
		if _, err := dec.ReadToken(); err != nil {
			break
		}
	}
	at := max(bom+int(dec.InputOffset())-1, 0)
	pointer := string(dec.StackPointer())
	err := syntaxError(shown, at, pointer, "nested more than "+strconv.Itoa(limit)+" containers deep, which is the limit")
	err.kind = ErrLimit
	return err
}

// syntaxError describes the place at text[at].
func syntaxError(text []byte, at int, pointer, msg string) *SyntaxError {
	at = min(at, len(text))
	line, start := lineStart(text, at)
	end := start + lineLength(text[start:])
	at = max(at, start)
	column := utf8.RuneCount(text[start:at])
	return &SyntaxError{
		Line:    line,
		Column:  column + 1,
		Offset:  int64(at),
		Pointer: pointer,
		Snippet: snippet(text[start:max(end, at)], column),
		Msg:     msg,
		kind:    ErrInvalid,
	}
}

// lineStart returns the number of the line that holds text[at], and where it
// starts. LF, CRLF and a lone CR each end one line.
func lineStart(text []byte, at int) (line, start int) {
	line, start = 1, bomLength(text)
	for i := start; i < at; i++ {
		c := text[i]
		if c == '\n' || (c == '\r' && byteAt(text, i+1) != '\n') {
			line, start = line+1, i+1
		}
	}
	return line, start
}

// snippet cuts a line to 80 runes around a column and puts a caret below it.
func snippet(line []byte, column int) string {
	const width, before = 80, 40
	runes := []rune(string(line))
	from := 0
	if len(runes) > width {
		from = max(0, min(column-before, len(runes)-width))
		runes = runes[from : from+width]
	}
	var shown, caret strings.Builder
	for i, r := range runes {
		if r < ' ' && r != '\t' || r == 0x7f {
			r = utf8.RuneError
		}
		shown.WriteRune(r)
		if i < column-from {
			// A tab stays a tab, so that the caret stands below its rune at
			// any tab width.
			if r == '\t' {
				caret.WriteByte('\t')
			} else {
				caret.WriteByte(' ')
			}
		}
	}
	return shown.String() + "\n" + caret.String() + "^"
}
