package cli

import (
	"strings"
)

// ShownID is how much of an id people are shown: its time in milliseconds, and enough
// beside that to be the only one. A verb takes it in the place of the whole.
const ShownID = 16

// Table is rows of words: aligned below a header on a terminal, and cut where they don't
// fit there; elsewhere one line each, separated by tabs.
type Table struct {
	Header []string
	rows   [][]string
}

func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Table shows tables, each that has rows below its own header.
func (a *App) Table(tables ...*Table) error {
	p := a.OpenPage()
	var b strings.Builder
	for _, t := range tables {
		t.write(&b, p)
	}
	_, err := p.Write([]byte(b.String()))
	if closed := p.Close(); err == nil {
		err = closed
	}
	return err
}

func (t *Table) write(b *strings.Builder, p *Page) {
	if !p.Terminal {
		for _, row := range t.rows {
			b.WriteString(p.Paint(stateColor(row), strings.Join(row, "\t")) + "\n")
		}
		return
	}
	if len(t.rows) == 0 {
		return
	}
	for _, row := range t.rows {
		for i := range row {
			row[i] = localTimes(row[i])
		}
	}
	widths := t.widths(p.Width)
	if t.tooNarrow(widths) {
		t.writeStacked(b, p)
		return
	}
	b.WriteString(p.Paint(Bold, t.aligned(t.Header, widths)) + "\n")
	for _, row := range t.rows {
		for _, line := range t.lines(row, widths) {
			b.WriteString(p.Paint(stateColor(row), t.aligned(line, widths)) + "\n")
		}
	}
}

const columnGap = 2

// widths are those of the columns, so that a line fits. Of ids people are shown the
// beginning.
func (t *Table) widths(room int) []int {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
			if t.Header[i] == "TX" {
				widths[i] = min(widths[i], ShownID)
			}
		}
	}
	return Share(room-columnGap*(len(widths)-1), widths...)
}

// minColumn is what a column needs for what is cut to tell anything.
const minColumn = 9

// tooNarrow tells whether columns are cut so much that they tell nothing.
func (t *Table) tooNarrow(widths []int) bool {
	for i, w := range widths {
		for _, row := range t.rows {
			if w < minColumn && w < Columns(row[i]) {
				return true
			}
		}
	}
	return false
}

// writeStacked has a line for each cell, for a narrow terminal.
func (t *Table) writeStacked(b *strings.Builder, p *Page) {
	wide := 0
	for _, name := range t.Header {
		wide = max(wide, Columns(name))
	}
	for n, row := range t.rows {
		if n > 0 {
			b.WriteString("\n")
		}
		for i, cell := range row {
			head := t.Header[i] + strings.Repeat(" ", wide-Columns(t.Header[i])+1)
			room := p.Width - wide - 1
			if t.isPath(i) {
				cell = CutFront(cell, room)
			}
			text := strings.TrimRight(Fill(cell, room), "\n")
			text = strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", wide+1))
			b.WriteString(p.Paint(Bold, head) + p.Paint(stateColor(row), text) + "\n")
		}
	}
}

// lines are those that a row takes: what is too wide goes on below itself, and of a word
// that is too wide itself a part is shown.
func (t *Table) lines(row []string, widths []int) (lines [][]string) {
	for i, cell := range row {
		parts := []string{cell}
		if t.Header[i] == "TX" {
			parts[0] = cell[:min(len(cell), widths[i])]
		} else if Columns(cell) > widths[i] {
			parts = strings.Split(strings.TrimRight(Fill(cell, widths[i]), "\n"), "\n")
		}
		for n, part := range parts {
			if n == len(lines) {
				lines = append(lines, make([]string, len(row)))
			}
			lines[n][i] = part
		}
	}
	return lines
}

func (t *Table) aligned(row []string, widths []int) string {
	var b strings.Builder
	for i, cell := range row {
		if t.isPath(i) {
			cell = CutFront(cell, widths[i])
		} else {
			cell = CutEnd(cell, widths[i])
		}
		b.WriteString(cell + strings.Repeat(" ", widths[i]-Columns(cell)+columnGap))
	}
	return strings.TrimRight(b.String(), " ")
}

// isPath tells whether a column has names of files.
func (t *Table) isPath(column int) bool {
	switch t.Header[column] {
	case "FILE", "NAME", "IN", "WHAT":
		return true
	}
	return false
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
