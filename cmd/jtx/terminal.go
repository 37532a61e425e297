package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	bold  = "\x1b[1m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	dim   = "\x1b[2m"
	reset = "\x1b[0m"
)

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint colors text where the stream is a terminal that wants color.
func paint(w io.Writer, color, text string) string {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || !isTerminal(w) {
		return text
	}
	return color + text + reset
}

// table is rows of words: aligned below a header on a terminal, elsewhere one
// line each, separated by tabs.
type table struct {
	header []string
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (a *app) table(t *table) error {
	var b strings.Builder
	if !isTerminal(a.stdout) {
		for _, row := range t.rows {
			b.WriteString(strings.Join(row, "\t") + "\n")
		}
		return a.write([]byte(b.String()))
	}
	width := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	b.WriteString(paint(a.stdout, bold, aligned(t.header, width)) + "\n")
	for _, row := range t.rows {
		b.WriteString(aligned(row, width) + "\n")
	}
	return a.write([]byte(b.String()))
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

// progress shows how far long work is, on a terminal only.
func (a *app) progress(what string) func(done, total int, file string) {
	if a.quiet || a.json || !isTerminal(a.stderr) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func(done, total int, _ string) {
		line := fmt.Sprintf("\r%s %d/%d", what, done, total)
		if done == total {
			line = "\r" + strings.Repeat(" ", len(line)) + "\r"
		}
		_, _ = io.WriteString(a.stderr, line)
	}
}
