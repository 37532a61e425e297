package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// page is where long output goes: on a terminal through a pager, as git does it,
// with color and lines that fit.
type page struct {
	w        io.Writer
	color    bool
	terminal bool
	width    int // of the terminal
	pager    *exec.Cmd
	pipe     io.WriteCloser
}

// openPage begins long output. What is not for people gets no pager.
func (a *app) openPage() *page {
	p := &page{w: a.Stdout, terminal: cli.IsTerminal(a.Stdout) && !a.JSON, width: 80}
	if a.Quiet {
		p.w = io.Discard
		return p
	}
	if !p.terminal {
		return p
	}
	p.color = cli.Paint(a.Stdout, cli.Bold, "") != ""
	if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 20 {
		p.width = w
	}
	p.start(a)
	return p
}

// start runs $JTX_PAGER, $PAGER or less. Where that can't be run there is none.
func (p *page) start(a *app) {
	command := "less"
	for _, name := range []string{"PAGER", "JTX_PAGER"} {
		if v, ok := os.LookupEnv(name); ok {
			command = v
		}
	}
	words := strings.Fields(command)
	if len(words) == 0 || command == "cat" || os.Getenv("TERM") == "dumb" {
		return
	}
	a.Signals.Wait()
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

// close waits for the pager's reader to leave.
func (p *page) close() {
	if p.pager == nil {
		return
	}
	_ = p.pipe.Close() // the pager may have gone before
	_ = p.pager.Wait() // its exit code says nothing of ours
}

func (p *page) write(b *bytes.Buffer) error {
	_, err := p.w.Write(b.Bytes())
	b.Reset()
	return cli.OutputError(err)
}

func (p *page) paint(color, text string) string {
	if !p.color {
		return text
	}
	return color + text + cli.Reset
}
