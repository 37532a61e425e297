package jsonpatch

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A string of JSON may hold half of a surrogate pair, spelt "\ud83d": what
// JavaScript's slice leaves of an emoji. UTF-8 has no bytes for it, so in Go such
// strings are WTF-8 (simonsapin.github.io/wtf-8), in which each half is the three
// bytes that UTF-8 would have had for it. So no two of them are the same string,
// and none is U+FFFD; written out they are escapes again.

// unquote returns what a valid string literal means.
func unquote(quoted []byte) string {
	if inner, plain := withoutEscapes(quoted); plain {
		return string(inner)
	}
	return string(appendUnquoted(nil, quoted))
}

// withoutEscapes is the inside of a string literal, if it has no escapes.
func withoutEscapes(quoted []byte) ([]byte, bool) {
	if len(quoted) < 2 {
		return nil, false
	}
	inner := quoted[1 : len(quoted)-1]
	for _, c := range inner {
		if c == '\\' {
			return nil, false
		}
	}
	return inner, true
}

// appendUnquoted appends what a valid string literal means.
func appendUnquoted(out, quoted []byte) []byte {
	from := len(out)
	out, err := jsontext.AppendUnquote(out, quoted)
	if err == nil {
		return out
	}
	return appendHalves(out[:from], quoted)
}

// appendHalves is appendUnquoted for a literal with a lone surrogate.
func appendHalves(out, quoted []byte) []byte {
	for i := 1; i < len(quoted)-1; {
		if quoted[i] != '\\' {
			out = append(out, quoted[i])
			i++
			continue
		}
		r, n := unescape(quoted[i:])
		if low, m := unescape(quoted[min(i+n, len(quoted)):]); utf16.IsSurrogate(r) && m == escapeLength {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				r, n = pair, n+m
			}
		}
		out = appendRune(out, r)
		i += n
	}
	return out
}

// escapeLength is how long an escape by number is, as in "\ud83d".
const escapeLength = 6

// unescape reads the escape that text begins with, and how long it is.
func unescape(text []byte) (rune, int) {
	if len(text) < 2 || text[0] != '\\' {
		return utf8.RuneError, 1
	}
	switch c := text[1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(text) < escapeLength {
			return utf8.RuneError, len(text)
		}
		code, err := strconv.ParseUint(string(text[2:escapeLength]), 16, 16)
		if err != nil {
			return utf8.RuneError, escapeLength
		}
		return rune(code), escapeLength
	default:
		return rune(c), 2
	}
}

// appendRune is utf8.AppendRune that knows surrogates.
func appendRune(out []byte, r rune) []byte {
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r)
	}
	return append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
}

// halfAt is the surrogate that s begins with, in WTF-8.
func halfAt(s string) (r rune, ok bool) {
	if len(s) < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || s[2]&0xc0 != 0x80 {
		return 0, false
	}
	return rune(s[0]&0x0f)<<12 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

func startsHalf(s string) bool { _, ok := halfAt(s); return ok }

// Printable is what a string means for those who know no lone surrogates, as
// programs do that print it: each is U+FFFD.
func Printable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var out []byte
	for len(s) > 0 {
		if startsHalf(s) {
			out, s = utf8.AppendRune(out, utf8.RuneError), s[3:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		out, s = utf8.AppendRune(out, r), s[n:]
	}
	return string(out)
}

// isText tells whether s is what a string of JSON can mean.
func isText(s string) bool {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			if !startsHalf(s) {
				return false
			}
			n = 3
		}
		s = s[n:]
	}
	return true
}

// appendQuoted appends a string with its quotes, as short as it can be written.
func appendQuoted(out []byte, s string) []byte {
	if utf8.ValidString(s) {
		out, _ = jsontext.AppendQuote(out, s)
		return out
	}
	out = append(out, '"')
	for len(s) > 0 {
		if r, ok := halfAt(s); ok {
			out, s = append(append(out, `\u`...), strconv.FormatUint(uint64(r), 16)...), s[3:]
			continue
		}
		n := 1
		for n < len(s) && !startsHalf(s[n:]) {
			n++
		}
		quoted, _ := jsontext.AppendQuote(nil, s[:n])
		out, s = append(out, quoted[1:len(quoted)-1]...), s[n:]
	}
	return append(out, '"')
}
