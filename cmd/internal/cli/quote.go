package cli

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// QuoteWord writes a word so that a shell reads it back as one word. Most need
// nothing. One with control characters or bytes that are not UTF-8 becomes
// $'...', which bash, zsh, ksh and POSIX.1-2024 know.
func QuoteWord(word string) string {
	quote, ansi := word == "" || word[0] == '~' || word[0] == '#', false
	for _, r := range word {
		switch {
		case !unicode.IsPrint(r) || r == utf8.RuneError:
			ansi = true
		case r > unicode.MaxASCII:
		case !strings.ContainsRune(plainRunes, r):
			quote = true
		}
	}
	switch {
	case ansi:
		return quoteANSI(word)
	case quote:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	default:
		return word
	}
}

// plainRunes mean nothing to a shell.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + "_-./@%+=:,^~#"

func quoteANSI(word string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == utf8.RuneError && size == 1, !unicode.IsPrint(r):
			// Three digits, because a digit may follow.
			for _, c := range []byte(word[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteString(word[i : i+size])
		}
		i += size
	}
	b.WriteString("'")
	return b.String()
}

// Printable replaces what could move a terminal's cursor, or break a line. What
// a tab does is harmless.
func Printable(text string) string {
	clean := func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) || r == utf8.RuneError }
	if strings.IndexFunc(text, clean) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if part := text[i : i+size]; clean(r) {
			q := strconv.Quote(part)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(part)
		}
		i += size
	}
	return b.String()
}

// JSONFile is a file's name in JSON. A name that is not UTF-8 can't be a JSON
// string: then File is for people, with \xNN for each such byte, and FileBytes
// is the name itself in base64.
type JSONFile struct {
	File      string `json:"file"`
	FileBytes string `json:"file_bytes,omitempty"`
}

func NewJSONFile(name string) *JSONFile {
	if utf8.ValidString(name) {
		return &JSONFile{File: name}
	}
	return &JSONFile{File: ReadableName(name), FileBytes: base64.StdEncoding.EncodeToString([]byte(name))}
}

// ReadableName writes \xNN for each byte that is not UTF-8.
func ReadableName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}
