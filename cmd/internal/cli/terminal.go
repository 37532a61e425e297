package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	Bold   = "\x1b[1m"
	Red    = "\x1b[31m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
	Dim    = "\x1b[2m"
	Reset  = "\x1b[0m"
)

func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorMode is the value of --color.
type colorMode string

func (m *colorMode) String() string { return string(*m) }
func (m *colorMode) Type() string   { return "when" }

func (m *colorMode) Set(text string) error {
	switch text {
	case "always", "never", "auto":
		*m = colorMode(text)
		return nil
	}
	return errors.New("want always, never or auto")
}

// color is for the whole run of a program.
var color colorMode = "auto"

func wantsColor(w io.Writer) bool {
	switch color {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && IsTerminal(w)
}

// Paint colors text where the stream is a terminal that wants color.
func Paint(w io.Writer, with, text string) string {
	if with == "" || !wantsColor(w) {
		return text
	}
	return with + text + Reset
}

// Table is rows of words: aligned below a header on a terminal, elsewhere one
// line each, separated by tabs.
type Table struct {
	Header []string
	rows   [][]string
}

func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

func (a *App) Table(t *Table) error {
	var b strings.Builder
	if !IsTerminal(a.Stdout) {
		for _, row := range t.rows {
			b.WriteString(strings.Join(row, "\t") + "\n")
		}
		return a.Write([]byte(b.String()))
	}
	width := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	b.WriteString(Paint(a.Stdout, Bold, aligned(t.Header, width)) + "\n")
	for _, row := range t.rows {
		b.WriteString(Paint(a.Stdout, stateColor(row), aligned(row, width)) + "\n")
	}
	return a.Write([]byte(b.String()))
}

// stateColor is the color of a row by the state that it tells, "" where that is as it
// should be.
func stateColor(row []string) string {
	for _, cell := range row {
		word, _, _ := strings.Cut(cell, ",")
		switch {
		case word == "damaged" || word == "unreadable" || word == "in-doubt":
			return Red
		case strings.HasPrefix(word, "deleted") || word == "edited" || word == "unfinished" || word == "pending" || strings.HasPrefix(word, "leased"):
			return Yellow
		}
	}
	return ""
}

func aligned(row []string, width []int) string {
	var b strings.Builder
	for i, cell := range row {
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+2))
		}
	}
	return b.String()
}

// Progress shows how far long work is, on a terminal only.
func (a *App) Progress(what string) func(done, total int, file string) {
	if a.Quiet || a.JSON || !IsTerminal(a.Stderr) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func(done, total int, _ string) {
		line := fmt.Sprintf("\r%s %d/%d", what, done, total)
		if done == total {
			line = "\r" + strings.Repeat(" ", len(line)) + "\r"
		}
		_, _ = io.WriteString(a.Stderr, line)
	}
}
