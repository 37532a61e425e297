//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// startWatch runs a watch and a reader of its lines.
func startWatch(t *testing.T, dir string, args ...string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	cmd := jtx(t, dir, append([]string{"watch"}, args...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out), &stderr
}

func TestWatchEndsBySignal(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, jtx(t, dir, "set", "a.json", "/n", "1").Run())
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, during := range []string{"", "exec sleep 60"} {
			cmd, lines, stderr := startWatch(t, dir, "--since", "1h ago", "--exec", during)
			require.True(t, lines.Scan())
			require.NoError(t, cmd.Process.Signal(sig))
			require.Equal(t, 128+int(sig), codeOf(t, cmd.Wait()))
			require.NotContains(t, stderr.String(), "error:")
		}
	}
}

func TestWatchEndsWithItsReader(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, jtx(t, dir, "set", "a.json", "/n", "0").Run())
	cmd := jtx(t, dir, "watch", "--since", "1h ago")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.True(t, bufio.NewScanner(out).Scan())
	require.NoError(t, out.Close())
	require.NoError(t, jtx(t, dir, "set", "a.json", "/n", "1").Run())
	require.Equal(t, 141, codeOf(t, cmd.Wait()))
}

// What goes on by itself ends when its reader has gone, though there is nothing to tell.
func TestWatchNeedsAReader(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, jtx(t, dir, "set", "a.json", "/n", "0").Run())
	for _, args := range [][]string{{"watch", "--since", "1h ago"}, {"status", "--watch", "--json"}, {"locks", "--watch", "--json"}} {
		cmd := jtx(t, dir, args...)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		require.True(t, bufio.NewScanner(out).Scan(), args)
		require.NoError(t, out.Close())
		require.Equal(t, 141, codeOf(t, cmd.Wait()), args)
		require.Empty(t, stderr.String())
	}
}

// watchedLine is what a reader needs of a line.
type watchedLine struct {
	TX    string
	Files []struct {
		File string
		Rev  uint64
	}
}

// A watch that is killed again and again, and resumed with what its lines said,
// tells of each transaction once.
func TestWatchIsResumedAfterKill(t *testing.T) {
	const commits = 30
	dir := t.TempDir()
	require.NoError(t, jtx(t, dir, "set", "a.json", "/n", "0").Run())
	require.NoError(t, jtx(t, dir, "set", "b.json", "/n", "0").Run())
	wrote := make(chan error, 1)
	writers := []*exec.Cmd{}
	for i := range commits {
		line := fmt.Sprintf("{\"file\":\"a.json\",\"set\":{\"/n\":%d}}\n", i+1)
		if i%3 == 0 {
			line += fmt.Sprintf("{\"file\":\"b.json\",\"set\":{\"/n\":%d}}\n", i+1)
		}
		cmd := jtx(t, dir, "do", "-")
		cmd.Stdin = bytes.NewBufferString(line)
		writers = append(writers, cmd)
	}
	go func() {
		var err error
		for _, w := range writers {
			if err == nil {
				err = w.Run()
			}
		}
		wrote <- err
	}()
	revs := map[string]uint64{"a.json": 1, "b.json": 1}
	seen := map[string]bool{}
	for len(seen) < commits {
		var args []string
		for file, rev := range revs {
			args = append(args, "--since", fmt.Sprintf("%s@%d", file, rev))
		}
		cmd, lines, _ := startWatch(t, dir, args...)
		for range 1 + len(seen)%4 {
			if len(seen) == commits {
				break
			}
			require.True(t, lines.Scan())
			var l watchedLine
			require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
			require.False(t, seen[l.TX])
			seen[l.TX] = true
			for _, f := range l.Files {
				require.Equal(t, revs[f.File]+1, f.Rev)
				revs[f.File] = f.Rev
			}
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	}
	require.NoError(t, <-wrote)
}
