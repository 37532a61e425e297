package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// opensFIFO tells that a thread of the process waits in the opening of a FIFO.
func opensFIFO(pid int) bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", pid))
	if err != nil {
		return false
	}
	for _, name := range tasks {
		at, err := os.ReadFile(name) // an error: the thread has ended
		if err == nil && (strings.Contains(string(at), "wait_for_partner") || strings.Contains(string(at), "fifo_open")) {
			return true
		}
	}
	return false
}

func TestFirstSignalEndsAnOpenThatHangs(t *testing.T) {
	if at, err := os.ReadFile("/proc/self/wchan"); err != nil || len(at) == 0 {
		t.Skip("this kernel does not tell where a process waits")
	}
	dir := t.TempDir()
	writeFile(t, dir, "a.json", "{}\n")
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	for _, words := range [][]string{
		{"put", "a.json", "fifo"},
		{"set", "a.json", "/n", "--value-file", "fifo"},
		{"update", "a.json", ".n = $x", "--slurpfile", "x", "fifo"},
		{"update", "a.json", ".n = $x", "--rawfile", "x", "fifo"},
	} {
		code, stderr := signalled(t, syscall.SIGTERM, jtx(t, dir, words...), opensFIFO)
		require.Equal(t, 143, code, "%v: %s", words, stderr)
		require.Equal(t, "error: ended by SIGTERM; nothing was changed\n", stderr, words)
	}
}
