package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A run that is killed with its container, whose pids say nothing outside, ends with it: its
// lease at once, and what it has left open at the next recovery. One that lives is left
// alone.
func TestRunEndsWithItsContainer(t *testing.T) {
	inside := []string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if out, err := exec.Command(inside[0], append(inside[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("no pid namespaces here: %v: %s", err, out)
	}
	dir := t.TempDir()
	writeFile(t, dir, "a.json", `{"n": 1}`)
	run := jtx(t, dir, "run", "a.json", "--", "sh", "-c", "echo >began; sleep 60")
	program := filepath.Join(t.TempDir(), "jtx") // by its name the test binary is jtx
	require.NoError(t, os.Symlink(run.Path, program))
	container := exec.Command(inside[0], append(append(inside[1:], program), run.Args[1:]...)...)
	container.Dir, container.Env = dir, run.Env
	require.NoError(t, container.Start())
	t.Cleanup(func() { _ = container.Process.Kill() })
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "began"))
		return err == nil
	}, time.Minute, time.Millisecond)

	out, err := jtx(t, dir, "recover").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), ": open, a.json")

	require.NoError(t, container.Process.Kill())
	require.Error(t, container.Wait())
	require.Eventually(t, func() bool {
		out, err = jtx(t, dir, "recover").CombinedOutput()
		return err == nil && strings.Contains(string(out), ": discarded")
	}, time.Minute, 10*time.Millisecond, "%s", out)
	out, err = jtx(t, dir, "set", "a.json", "/n", "2").CombinedOutput()
	require.NoError(t, err, "%s", out)
}
