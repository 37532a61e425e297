//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// A liveShell is an interactive shell on a terminal of its own. Its start-up file
// loads the completion, and lets Control-T write the command line to the file
// "line": so a test sees what the shell made of it, and need not read the screen.
type liveShell struct {
	name   string
	args   []string
	env    []string
	rcFile string
	rc     string
	needs  string // a file without which it is not tried
	list   string // the keys that show what there is
}

const prompt = "READY> "

const bashCompletion = "/usr/share/bash-completion/bash_completion"

const bashRC = `PS1='` + prompt + `'
eval "$(jtx completion bash)"
bind 'set bell-style none' 'set completion-query-items 0' 'set page-completions off'
keep_line() { printf '%s' "$READLINE_LINE" > line.new && mv line.new line; }
bind -x '"\C-t": keep_line'
`

var liveShells = []liveShell{
	{
		name: "bash, bash-completion", args: []string{"--noprofile", "--rcfile", "rc.bash", "-i"}, rcFile: "rc.bash", list: "\t\t",
		needs: bashCompletion, rc: ". " + bashCompletion + "\n" + bashRC,
	},
	{
		name: "bash", args: []string{"--noprofile", "--rcfile", "rc.bash", "-i"}, rcFile: "rc.bash", list: "\t\t",
		rc: bashRC,
	},
	{
		name: "zsh", args: []string{"--no-globalrcs", "-i"}, env: []string{"ZDOTDIR=."}, rcFile: ".zshrc", list: "\t",
		rc: `PS1='` + prompt + `'
autoload -Uz compinit && compinit -u -D
eval "$(jtx completion zsh)"
keep_line() { print -rn -- "$BUFFER" > line.new && mv line.new line }
zle -N keep_line
bindkey '^T' keep_line
`,
	},
	{
		name: "fish", args: []string{"-i"}, env: []string{"XDG_CONFIG_HOME=."}, rcFile: "fish/config.fish", list: "\t",
		rc: `function fish_prompt; printf '` + prompt + `'; end
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
jtx completion fish | source
function keep_line; printf '%s' (commandline) > line.new; and mv line.new line; end
bind \ct keep_line
`,
	},
}

// TestCompletionInShells types lines with TAB in each shell.
func TestCompletionInShells(t *testing.T) {
	for _, sh := range liveShells {
		t.Run(sh.name, func(t *testing.T) {
			shell, _, _ := strings.Cut(sh.name, ",")
			path, err := exec.LookPath(shell)
			if err == nil && sh.needs != "" {
				_, err = os.Stat(sh.needs)
			}
			if err != nil {
				t.Skipf("completion in %s is not tried: %v", sh.name, err)
			}
			tty := startShell(t, sh, path)
			for typed, want := range map[string]string{
				"jtx statu\t":                       "jtx status ",
				"jtx get a.js\t":                    "jtx get a.json ",
				"jtx get b\t":                       `jtx get b\ c.json `,
				"jtx get a.json@3\t":                "jtx get a.json@3 ",
				"jtx diff a.json@1 a.json@2\t":      "jtx diff a.json@1 a.json@2 ",
				"jtx show a.json@2\t":               "jtx show a.json@2 ",
				"jtx get a.json /se\t":              "jtx get a.json /server",
				"jtx get a.json /server/po\t":       "jtx get a.json /server/port ",
				"jtx set a.json /n 1 /server/ho\t":  "jtx set a.json /n 1 /server/host ",
				"jtx get 'b c.json' /de\t":          "jtx get 'b c.json' /deep",
				"jtx get -C sub down.json /x\t":     "jtx get -C sub down.json /xy ",
				"jtx commit " + tty.tx[:9] + "\t":   "jtx commit " + tty.tx + " ",
				"jtx get --tx " + tty.tx[:9] + "\t": "jtx get --tx " + tty.tx + " ",
				"jtx get a.json > keep.tx\t":        "jtx get a.json > keep.txt ",
			} {
				require.Equal(t, want, tty.complete(t, typed), typed)
			}
			// What is only typed is not run, and no file is opened.
			tty.complete(t, "jtx set a.json /n $(touch ran) /se\t")
			tty.complete(t, "jtx get a.json > keep.txt /se\t")
			require.NoFileExists(t, filepath.Join(tty.dir, "ran"))
			kept, err := os.ReadFile(filepath.Join(tty.dir, "keep.txt"))
			require.NoError(t, err)
			require.Equal(t, "kept", string(kept))

			// Several are listed, with what they are.
			require.Equal(t, "jtx get a.json@", tty.complete(t, "jtx get a.json@"+sh.list))
			tty.waitFor(t, func() bool { return strings.Contains(tty.screen.text(), "Z first") })
		})
	}
}

type terminal struct {
	dir    string
	tx     string // an open transaction
	file   *os.File
	screen *screen
}

func startShell(t *testing.T, sh liveShell, path string) *terminal {
	dir := t.TempDir()
	writeFile(t, dir, sh.rcFile, sh.rc)
	writeFile(t, dir, "a.json", `{"server": {"port": 80, "host": "x"}, "list": ["one"], "a/b": 1}`)
	writeFile(t, dir, "b c.json", `{"deep": {"er": 1}}`)
	writeFile(t, dir, "sub/down.json", `{"xy": 1}`)
	writeFile(t, dir, "keep.txt", "kept")
	for _, args := range [][]string{{"set", "a.json", "/n", "1", "-m", "first"}, {"set", "a.json", "/n", "2", "-m", "second"}} {
		require.NoError(t, jtx(t, dir, args...).Run())
	}
	tx, err := jtx(t, dir, "begin", "a.json").Output()
	require.NoError(t, err)
	cmd := exec.Command(path, sh.args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+linkSelf(t, dir)+":"+os.Getenv("PATH"), "HOME="+dir, "JTX_TX=", "XDG_STATE_HOME=", "TERM=xterm")
	cmd.Env = append(cmd.Env, sh.env...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	require.NoError(t, err)
	tty := &terminal{dir: dir, tx: strings.TrimSpace(string(tx)), file: file, screen: readScreen(file)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = file.Close()
	})
	tty.waitFor(t, func() bool { return strings.Contains(tty.screen.text(), prompt) })
	return tty
}

// complete types a line and gives back what stands in the command line then.
func (tty *terminal) complete(t *testing.T, typed string) string {
	t.Helper()
	kept := filepath.Join(tty.dir, "line")
	require.NoError(t, os.RemoveAll(kept))
	tty.screen.clear()
	_, err := io.WriteString(tty.file, typed+"\x14") // Control-T
	require.NoError(t, err)
	var line []byte
	tty.waitFor(t, func() bool {
		line, err = os.ReadFile(kept)
		return err == nil
	})
	_, err = io.WriteString(tty.file, "\x15") // Control-U
	require.NoError(t, err)
	return string(line)
}

func (tty *terminal) waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !what(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the shell does not answer; the screen:\n%s", tty.screen.text())
		}
	}
}

// screen is what the shell has written.
type screen struct {
	mu   sync.Mutex
	data []byte
}

func readScreen(r io.Reader) *screen {
	s := &screen{}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			s.mu.Lock()
			s.data = append(s.data, buf[:n]...)
			s.mu.Unlock()
			if err != nil {
				return // the shell has ended
			}
		}
	}()
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.data)
}

func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = nil
}

// linkSelf makes a directory for PATH in which this test binary is called jtx.
func linkSelf(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	bin := filepath.Join(dir, ".bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "jtx")))
	return bin
}
