package cli

import (
	"bytes"
	"fmt"
	"strings"
)

// Captured is what do would print, for a person or for a program as it is asked for.
func (a *App) Captured(do func() error) ([]byte, error) {
	var b bytes.Buffer
	a.sink = &b
	defer func() { a.sink = nil }()
	err := do()
	return b.Bytes(), err
}

// Redraw shows a text that has changed: on a terminal in the place of the former one, as
// much of it as fits; elsewhere behind an empty line.
func (a *App) Redraw(text []byte, first bool) error {
	switch {
	case a.JSON:
		return a.Write(text)
	case !IsTerminal(a.Stdout):
		if !first {
			text = append([]byte("\n"), text...)
		}
		return a.Write(text)
	}
	const home = "\x1b[H\x1b[2J"
	_, height := sizeOf(a.Stdout)
	lines := strings.SplitAfter(string(text), "\n")
	if room := height - 2; height > 0 && len(lines)-1 > room && room > 0 {
		lines = append(lines[:room:room], fmt.Sprintf("%s %d more lines\n", ellipsis, len(lines)-1-room))
	}
	return a.Write([]byte(home + strings.Join(lines, "")))
}
