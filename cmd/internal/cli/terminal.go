package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

const (
	Bold   = "\x1b[1m"
	Red    = "\x1b[31m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
	Blue   = "\x1b[34m"
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

// plainText is a text without colors.
func plainText(text string) string {
	for {
		at := strings.IndexByte(text, '\x1b')
		if at < 0 {
			return text
		}
		end := strings.IndexByte(text[at:], 'm')
		if end < 0 {
			return text[:at]
		}
		text = text[:at] + text[at+end+1:]
	}
}

// Paint colors text where the stream is a terminal that wants color.
func Paint(w io.Writer, with, text string) string {
	if with == "" || !wantsColor(w) {
		return text
	}
	return with + text + Reset
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
