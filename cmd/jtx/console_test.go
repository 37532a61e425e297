package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A console is a shell in a directory of its own, with jtx in PATH.
type console struct {
	dir string
	env []string
}

func newConsole(t *testing.T) *console {
	self, err := os.Executable()
	require.NoError(t, err)
	dir, bin := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "jtx")))
	return &console{dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir, "JTX_TX=", "JTX_ACTOR=ada",
		"XDG_STATE_HOME=", "NO_COLOR=", "EDITOR=true", "VISUAL=", "TZ=UTC")}
}

// entry is a command and what is shown to come of it.
type entry struct{ command, output string }

// entries are those of the console blocks of a page. A command that ends in a backslash
// goes on in the next line.
func entriesOf(page string) (list []entry) {
	inside := false
	for line := range strings.Lines(page) {
		text := strings.TrimRight(line, "\n")
		switch command, is := strings.CutPrefix(text, "$ "); {
		case strings.HasPrefix(text, "```"):
			inside = text == "```console"
		case !inside:
		case is:
			list = append(list, entry{command: command})
		case strings.HasSuffix(list[len(list)-1].command, `\`):
			list[len(list)-1].command += "\n" + text
		default:
			list[len(list)-1].output += line
		}
	}
	return list
}

const endOfCommand = "== end of command: "

// run runs the commands in one shell, and returns what each has printed, on whatever
// stream, and its exit code.
func (c *console) run(t *testing.T, list []entry) (outputs, codes []string) {
	var script strings.Builder
	for _, e := range list {
		script.WriteString(e.command + "\necho '" + endOfCommand + "'$?\n")
	}
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir, cmd.Env = c.dir, c.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), out.String())
	rest := out.String()
	for range list {
		output, after, found := strings.Cut(rest, endOfCommand)
		require.True(t, found, out.String())
		code, next, _ := strings.Cut(after, "\n")
		outputs, codes, rest = append(outputs, output), append(codes, code), next
	}
	return outputs, codes
}

// changing are what differs from run to run, each with what stands for it.
var changing = []struct {
	is *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\b0[0-9A-HJKMNP-TV-Z]{25}\b`), "01M84FW3ZAZBF6SJJH3NF7PP0Y"},
	{regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`), "2026-01-02T03:04:05Z"},
	{regexp.MustCompile(`"(journal_bytes|bytes|bytes_before|bytes_after|pid|p50_us|p99_us|wait_p50_us|wait_p99_us|seed|uid)":[0-9.]+`), `"$1":123`},
	{regexp.MustCompile(`"(version|go|platform|host|file_system)":"[^"]*"`), `"$1":"..."`},
	{regexp.MustCompile(`"(script|text|detail|long|example)":"([^"\\]|\\.)*"`), `"$1":"..."`},
}

// settled is a text without what differs from run to run.
func (c *console) settled(text string) string {
	text = strings.ReplaceAll(text, c.dir, "/home/ada")
	for _, x := range changing {
		text = x.is.ReplaceAllString(text, x.to)
	}
	return text
}

// TestREADME runs the console blocks of README, one behind the other in one directory.
// What is shown there is what comes; of what shows nothing only the success is known.
func TestREADME(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	list := entriesOf(string(page))
	require.Greater(t, len(list), 15)
	c := newConsole(t)
	outputs, codes := c.run(t, list)
	for i, e := range list {
		if e.output != "" {
			require.Equal(t, c.settled(e.output), c.settled(outputs[i]), e.command)
		}
		want := "0"
		if strings.HasPrefix(e.command, "jtx diff") {
			want = "1" // they differ
		}
		require.Equal(t, want, codes[i], "%s\n%s", e.command, outputs[i])
	}
}
