package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	Bold  = "\x1b[1m"
	Red   = "\x1b[31m"
	Green = "\x1b[32m"
	Dim   = "\x1b[2m"
	Reset = "\x1b[0m"
)

func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Paint colors text where the stream is a terminal that wants color.
func Paint(w io.Writer, color, text string) string {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || !IsTerminal(w) {
		return text
	}
	return color + text + Reset
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
		b.WriteString(aligned(row, width) + "\n")
	}
	return a.Write([]byte(b.String()))
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
