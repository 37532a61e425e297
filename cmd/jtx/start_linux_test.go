package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// These tests count what jtx get and jtx set cost as programs, beside a hello world of the
// same run. Counts of page faults and of system calls don't depend on the machine's speed,
// only somewhat on its kernel, so there is room in the bounds. What is linked into jtx and
// made before main shows in the page faults: a package with large tables breaks them.
const (
	getFaults, setFaults = 2.5, 3.0 // times those of hello world
	getCalls, setCalls   = 95, 240  // beyond those of hello world, see ownCalls; each directory above takes some
)

func TestStartUpCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	bin, dir := t.TempDir(), t.TempDir()
	hello, jtx := build(t, bin, "./testdata/hello"), build(t, bin, "github.com/jtx-project/jtx/cmd/jtx")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), measure.Document(measure.Small, 0), 0o600))
	value := "1"
	set := func() []string { value += "1"; return []string{jtx, "set", "-q", "a.json", "/n", value} }
	get := func() []string { return []string{jtx, "get", "a.json", "/n"} }
	say := func() []string { return []string{hello} }
	faults(t, dir, set)

	least := faults(t, dir, say)
	require.LessOrEqual(t, faults(t, dir, get), int64(getFaults*float64(least)), "page faults of get, %d of hello", least)
	require.LessOrEqual(t, faults(t, dir, set), int64(setFaults*float64(least)), "page faults of set, %d of hello", least)

	none := ownCalls(t, dir, say)
	require.LessOrEqual(t, ownCalls(t, dir, get)-none, getCalls, "system calls of get")
	require.LessOrEqual(t, ownCalls(t, dir, set)-none, setCalls, "system calls of set")
}

// faults is the least number of page faults without reading from the disk that some runs
// of a program have.
func faults(t *testing.T, dir string, words func() []string) int64 {
	least := int64(1 << 62)
	for range 7 {
		w := words()
		cmd := exec.Command(w[0], w[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		require.True(t, ok)
		least = min(least, usage.Minflt)
	}
	return least
}

// runtimeCalls are those that the Go runtime makes as threads come and go, as many as it
// happens to.
var runtimeCalls = regexp.MustCompile(`^(futex|nanosleep|epoll_\w+|clone3?|rt_\w+|sigaltstack|gettid|mmap|munmap|madvise|tgkill|getpid|sched_\w+|prctl|eventfd2|restart_syscall|exit|exit_group|set_robust_list|rseq)$`)

var callLine = regexp.MustCompile(`(?m)^\d+ +(\w+)\(`)

// ownCalls is the least number of system calls of some runs, but for the runtime's.
func ownCalls(t *testing.T, dir string, words func() []string) int {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace")
	}
	least := 1 << 30
	for range 3 {
		trace := filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command(strace, append([]string{"-f", "-qq", "-o", trace}, words()...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); bytes.Contains(out, []byte("ptrace")) {
			t.Skipf("strace may not trace here: %s", strings.TrimSpace(string(out)))
		} else {
			require.NoError(t, err, "%s", out)
		}
		text, err := os.ReadFile(trace)
		require.NoError(t, err)
		n := 0
		for _, m := range callLine.FindAllSubmatch(text, -1) {
			if !runtimeCalls.Match(m[1]) {
				n++
			}
		}
		require.Positive(t, n)
		least = min(least, n)
	}
	t.Log(filepath.Base(words()[0]), words()[1:], least)
	return least
}
