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

// validate checks that text is one strict JSON value within the depth limit.
// shown is what the user wrote, of the same length; it differs from text where
// comments were blanked. Both include the byte order mark.
func validate(text, shown []byte, lim Limits) error {
	bom := bomLength(text)
	if !jsontext.Value(text[bom:]).IsValid() {
		return explain(text, shown, bom, lim.MaxDepth)
	}
	// Every level takes a bracket that opens and one that closes it.
	if len(text)/2 > lim.MaxDepth && depthOver(text[bom:], lim.MaxDepth) >= 0 {
		return tooDeep(text, shown, bom, lim.MaxDepth)
	}
	return nil
}

// explain finds out what is wrong with text that isn't valid.
func explain(text, shown []byte, bom, limit int) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text[bom:]))
	_, err := dec.ReadValue()
	if err == nil {
		at := skipSpace(text, bom+int(dec.InputOffset()))
		return syntaxError(shown, at, "", "unexpected "+describe(shown, at)+" behind the value, expected the end")
	}
	var parser *jsontext.SyntacticError
	if !errors.As(err, &parser) {
		return syntaxError(shown, len(shown), "", "unexpected end of the text, expected a value")
	}
	at := min(bom+int(parser.ByteOffset), len(text))
	switch {
	case depthOver(text[bom:min(at+1, len(text))], limit) >= 0:
		// Up to the place of the error the text is sound, so its brackets can
		// be trusted. This is also how the parser's own limit shows.
		return tooDeep(text, shown, bom, limit)
	case parser.Err == jsontext.ErrDuplicateName:
		name := strconv.Quote(parser.JSONPointer.LastToken())
		return syntaxError(shown, at, string(parser.JSONPointer), "duplicate member name "+name)
	case errors.Is(parser.Err, io.ErrUnexpectedEOF):
		return syntaxError(shown, len(shown), string(parser.JSONPointer), "unexpected end of the text")
	}
	return syntaxError(shown, at, string(parser.JSONPointer), parser.Err.Error())
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
	dec := jsontext.NewDecoder(bytes.NewBuffer(text[bom:]))
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
