//go:build linux || darwin

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// onTerminal is what a command shows on a terminal of that size.
func (c *console) onTerminal(t *testing.T, width, height uint16, command string) string {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = c.dir, append(c.env, "TERM=xterm", "JTX_PAGER=cat")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: width, Rows: height})
	require.NoError(t, err)
	defer f.Close()
	var out bytes.Buffer
	if _, err := io.Copy(&out, f); err != nil && !errors.Is(err, syscall.EIO) { // how Linux tells the end
		require.NoError(t, err)
	}
	_ = cmd.Wait() // some say no
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

// pastOfCaptures has files with all that the captures are to show.
var pastOfCaptures = []entry{
	{command: "jtx set -q config.json /interval 60"}, {command: "jtx set -q config.json /interval 90"},
	{command: `jtx merge -q config.json '{"server": {"host": "localhost", "port": 80}}' -m 'the first server, with a message that is longer than a line has room for'`},
	{command: "jtx set -q config.json /server/port 8080"}, {command: "jtx del -q config.json /server/host"},
	{command: "mkdir -p state/of/the/sync; jtx set -q state/of/the/sync/service-with-a-long-name.json /日本語 '\"設定ファイルの値がとても長い場合の例\"'"},
	{command: `printf '%s\n' '{"file": "config.json", "set": {"/n": 1}}' '{"file": "b.json", "set": {"/n": 1, "/m": 2}}' | jtx do -q`},
	{command: "echo '{\"n\": 5}' > b.json"}, {command: "jtx begin -q config.json"},
}

var captures = []string{"jtx help", "jtx status", "jtx log", "jtx show config.json@4", "jtx get config.json", "jtx blame config.json",
	"jtx diff config.json@3 config.json", "jtx verify", "jtx stats", "jtx locks", "jtx tx", "jtx config", "jtx help set", "jtx help exit-codes", "jtx"}

// TestEverythingFits: no line is wider than the terminal, be that narrow or wide, and
// none of the help, on no terminal, than 80 columns.
func TestEverythingFits(t *testing.T) {
	c := newConsole(t)
	c.run(t, pastOfCaptures)
	for _, width := range []uint16{40, 60, 80, 132} {
		for _, command := range captures {
			for line := range strings.Lines(withoutColor(c.onTerminal(t, width, 24, command))) {
				line = line[strings.LastIndexByte(line, '\r')+1:] // behind what progress has shown
				if strings.HasPrefix(line, "note: ") || strings.HasPrefix(line, "  jtx") || strings.Contains(line, `{"error":`) {
					continue // what is said, or to be typed, is not cut up
				}
				assert.LessOrEqual(t, cli.Columns(strings.TrimRight(line, "\n")), int(width), "%s\n%s", command, line)
			}
		}
	}
	root := program.NewRoot(cli.NewApp(t.Context(), io.Discard, io.Discard), cli.AllVerbs)
	for _, verb := range root.Commands() {
		if verb.DisableFlagParsing { // another program has it
			continue
		}
		outputs, _ := c.run(t, []entry{{command: "jtx help " + verb.Name()}})
		for line := range strings.Lines(outputs[0]) {
			assert.LessOrEqual(t, cli.Columns(strings.TrimRight(line, "\n")), 80, "%s\n%s", verb.Name(), line)
		}
	}
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*[mK]")

func withoutColor(text string) string { return colors.ReplaceAllString(text, "") }

// TestCaptures: what is most used looks as CAPTURES.md shows, on 80 columns and 24 lines.
func TestCaptures(t *testing.T) {
	c := newConsole(t)
	c.run(t, pastOfCaptures)
	var page bytes.Buffer
	page.WriteString("# What jtx shows at 80×24\n\nWithout the colors, and with the ids and times of another day. Written by `go test ./cmd/jtx -run TestCaptures -update`.\n")
	for _, command := range captures[1:7] {
		text := c.onTerminal(t, 80, 24, command)
		fmt.Fprintf(&page, "\n```text\n$ %s\n%s```\n", command, captured(withoutColor(text)))
	}
	golden(t, "CAPTURES.md", page.Bytes())
}

var (
	shortID   = regexp.MustCompile(`\b0[0-9A-HJKMNP-TV-Z]{15,25}\b`)
	shownTime = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}`)
	agoText   = regexp.MustCompile(`[0-9]+ (second|minute)s? ago(\)| *)`)
	ageText   = regexp.MustCompile(`\b[0-9][0-9ms]*s {2}`)
	sizeText  = regexp.MustCompile(`[0-9]{3,} +(clean|edited)`)
)

// captured is a text without what differs from run to run, as wide as it was.
func captured(text string) string {
	text = shortID.ReplaceAllStringFunc(text, func(id string) string { return "01M84FW3ZAZBF6SJJH3NF7PP0Y"[:len(id)] })
	text = shownTime.ReplaceAllString(text, "2026-01-02 03:04:05")
	text = agoText.ReplaceAllStringFunc(text, func(ago string) string {
		if strings.HasSuffix(ago, ")") {
			return "2 seconds ago)"
		}
		return "2 seconds ago   "
	})
	text = sizeText.ReplaceAllString(text, "1000     $1")
	text = ageText.ReplaceAllString(text, "2s  ")
	return regexp.MustCompile(` +\n`).ReplaceAllString(text, "\n")
}

// TestWaitIsTold: who waits long is told for whom, on a terminal.
func TestWaitIsTold(t *testing.T) {
	c := newConsole(t)
	c.run(t, []entry{{command: "jtx set -q a.json /n 1; jtx begin -q --lock a.json"}})
	text := c.onTerminal(t, 80, 24, "jtx set a.json /n 2 --lock-timeout 3s")
	require.Contains(t, text, "waiting: a.json is leased by transaction ")
	require.Contains(t, text, "gave up after")
	text = c.onTerminal(t, 80, 24, "jtx set -q a.json /n 2 --lock-timeout 3s")
	require.NotContains(t, text, "waiting: ")
}
