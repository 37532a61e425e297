package cli

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Columns is how many columns of a terminal a text takes, which has no control characters.
func Columns(text string) (n int) {
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0 // it is on, or joined to, the one before
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

const ellipsis = "..."

// CutEnd is a text in so many columns: where it takes more, its beginning.
func CutEnd(text string, room int) string { return cut(text, room, false) }

// CutFront is CutEnd for names of files, of which the end tells more.
func CutFront(text string, room int) string { return cut(text, room, true) }

func cut(text string, room int, front bool) string {
	if Columns(text) <= room {
		return text
	}
	dots := ellipsis[:max(0, min(len(ellipsis), room))]
	room -= len(dots)
	runes := []rune(text)
	if front {
		slices.Reverse(runes)
	}
	kept := 0
	for _, r := range runes {
		if room -= columnsOf(r); room < 0 {
			break
		}
		kept++
	}
	runes = runes[:kept]
	if front {
		slices.Reverse(runes)
		return dots + string(runes)
	}
	return string(runes) + dots
}

// Share divides columns among texts that take so many: the widest give first.
func Share(room int, widths ...int) []int {
	widths = slices.Clone(widths)
	total := 0
	for _, w := range widths {
		total += w
	}
	for ; total > room; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if len(widths) == 0 || widths[widest] == 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// Fill lays a text out anew in lines of so many columns: paragraphs, which an empty line
// or an indented one ends. An indented line is one for itself, and goes on below its
// second column of words, where it has two.
func Fill(text string, room int) string {
	var b strings.Builder
	var words []string
	flush := func() {
		fillLine(&b, words, "", "", room)
		words = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.TrimSpace(line) == "":
			flush()
			b.WriteString("\n")
		case line[0] == ' ':
			flush()
			fillIndented(&b, line, room)
		default:
			words = append(words, strings.Fields(line)...)
		}
	}
	flush()
	return b.String()
}

// fillIndented lays out a line that begins with spaces. One that is a column of names and
// what is said of them has two spaces somewhere.
func fillIndented(b *strings.Builder, line string, room int) {
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	head, about := "", body
	if at := strings.LastIndex(body, "  "); at > 0 {
		head, about = body[:at+2], strings.TrimLeft(body[at+2:], " ")
	}
	if Columns(line) <= room || len(strings.Fields(about)) < 2 || len(indent)+len(head) > room*2/3 || head == "" {
		b.WriteString(line + "\n") // what is to be typed is not cut up
		return
	}
	fillLine(b, strings.Fields(about), indent+head, strings.Repeat(" ", Columns(indent+head)), room)
}

// fillLine writes words in lines of so many columns, the first behind head and the others
// behind indent.
func fillLine(b *strings.Builder, words []string, head, indent string, room int) {
	if len(words) == 0 {
		return
	}
	b.WriteString(head)
	at, first := Columns(head), true
	for _, word := range words {
		w := Columns(word)
		switch {
		case first:
		case at+1+w > room:
			b.WriteString("\n" + indent)
			at = Columns(indent)
		default:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at, first = at+w, false
	}
	b.WriteString("\n")
}
