package cli

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"
)

// Page is where long output goes: on a terminal with color and lines that fit, and once
// it fills more than the screen, through a pager.
type Page struct {
	Terminal bool // for people; else for programs
	Width    int  // of the terminal, in columns

	a      *App
	color  bool
	height int          // 0: not known
	held   bytes.Buffer // until it is more than the screen has
	rows   int          // of what is held
	waits  bool         // for a full screen
	w      io.Writer
	pager  *exec.Cmd
	pipe   io.WriteCloser
}

// usualWidth is that of what is no terminal, in columns.
const usualWidth = 80

// OpenPage begins long output.
func (a *App) OpenPage() *Page {
	p := &Page{a: a, w: a.Stdout, Terminal: IsTerminal(a.Stdout) && !a.JSON, Width: usualWidth}
	p.color = !a.JSON && wantsColor(a.Stdout)
	switch {
	case a.Quiet:
		p.w = io.Discard
	case a.sink != nil:
		p.w = a.sink
		p.Width, _ = sizeOf(a.Stdout)
	case p.Terminal:
		p.Width, p.height = sizeOf(a.Stdout)
		p.waits = pagerCommand() != nil
	}
	return p
}

// sizeOf is how many columns and lines a terminal has; 0 lines where that isn't known.
func sizeOf(stream io.Writer) (width, height int) {
	f, ok := stream.(*os.File)
	if !ok {
		return usualWidth, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return usualWidth, 0
	}
	return max(width, minWidth), height
}

// TextWidth is how many columns lines of prose have on a stream.
func TextWidth(stream io.Writer) int {
	width, _ := sizeOf(stream)
	return min(width, maxTextWidth)
}

// minWidth is the least for which lines are made to fit, in columns.
const minWidth = 30

// Write holds what is written until the screen is full, and starts the pager then.
func (p *Page) Write(data []byte) (int, error) {
	if p.waits {
		p.held.Write(data)
		p.rows += p.rowsOf(data)
		if p.height > 0 && p.rows < p.height { // the last line is the prompt's
			return len(data), nil
		}
		p.start()
		return len(data), p.release()
	}
	n, err := p.w.Write(data)
	return n, OutputError(err)
}

// rowsOf counts the lines of the screen that a text takes.
func (p *Page) rowsOf(text []byte) (rows int) {
	for line := range bytes.Lines(text) {
		rows += 1 + max(0, Columns(plainText(string(bytes.TrimRight(line, "\r\n"))))-1)/p.Width
	}
	return rows
}

// Flush shows what is there by now, since it may be long until there is more.
func (p *Page) Flush() error {
	if !p.waits {
		return nil
	}
	return p.release()
}

func (p *Page) release() error {
	p.waits = false
	_, err := p.w.Write(p.held.Bytes())
	p.held.Reset()
	return OutputError(err)
}

// Close shows the rest, and waits for the pager's reader to leave.
func (p *Page) Close() error {
	err := p.Flush()
	if p.pager != nil {
		_ = p.pipe.Close() // the pager may have gone before
		_ = p.pager.Wait() // its exit code says nothing of ours
	}
	return err
}

// Paint colors a text for whoever wants color.
func (p *Page) Paint(color, text string) string {
	if !p.color || color == "" || text == "" {
		return text
	}
	return color + text + Reset
}

// pagerCommand is $JTX_PAGER, $PAGER or less; nil for none.
func pagerCommand() []string {
	command := "less"
	for _, name := range []string{"PAGER", "JTX_PAGER"} {
		if v, ok := os.LookupEnv(name); ok {
			command = v
		}
	}
	words := strings.Fields(command)
	if len(words) == 0 || command == "cat" || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return words
}

// start runs the pager. Where that can't be run there is none.
func (p *Page) start() {
	words := pagerCommand()
	p.a.Signals.Wait()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	if os.Getenv("LESS") == "" {
		cmd.Env = append(cmd.Env, "LESS=FRX")
	}
	pipe, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return
	}
	p.pager, p.pipe, p.w = cmd, pipe, pipe
}
