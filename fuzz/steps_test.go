package fuzz

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/fuzz/evidence"
)

// binary is jtx as users have it, but for the hooks after each step of commit and
// recovery.
type binary struct {
	t    *testing.T
	path string
}

func buildWithSteps(t *testing.T) *binary {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("building jtx needs the go command")
	}
	b := &binary{t, filepath.Join(t.TempDir(), "jtx")}
	out, err := exec.Command("go", "build", "-tags", "jtxcrash", "-o", b.path, "github.com/jtx-project/jtx/cmd/jtx").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return b
}

// run runs jtx in dir. At a step, from 1, it is killed; 0 is none. It returns the
// names of the steps that it came to.
func (b *binary) run(dir string, at int, args ...string) (steps []string, killed bool) {
	b.t.Helper()
	trace := filepath.Join(b.t.TempDir(), "trace")
	cmd := exec.Command(b.path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "JTX_CRASH_TRACE="+trace, fmt.Sprintf("JTX_CRASH_AT=%d", at), "XDG_STATE_HOME="+dir+"/.state")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		killed = exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	}
	if err != nil && !killed {
		b.t.Fatalf("jtx %q, to be killed at step %d: %v: %s", args, at, err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return strings.Fields(string(text)), killed
}

// stepped is a command that is killed at each of its steps. It changes /v of each
// file from 1 to 2.
type stepped struct {
	files   []string
	init    bool // one workspace for all
	tracked bool
	inPlace bool
	long    bool // so much history that the command compresses some of it
}

func steppedCommands() map[string]stepped {
	one, three := []string{"a.json"}, []string{"a.json", "one/b.json", "two/c.json"}
	return map[string]stepped{
		"one file, first touch":    {files: one},
		"a long name, first touch": {files: []string{strings.Repeat("n", 150) + ".json"}},
		"one file":                 {files: one, tracked: true},
		"one file, in place":       {files: one, tracked: true, inPlace: true},
		"three files, first touch": {files: three, init: true},
		"three files":              {files: three, init: true, tracked: true},
		"three files, in place":    {files: three, init: true, tracked: true, inPlace: true},
		"three workspaces":         {files: three, tracked: true},
		"a long history":           {files: one, tracked: true, long: true},
	}
}

// args are the command that sets /v of each file.
func (s stepped) args(v int) []string {
	var changes []string
	for _, f := range s.files {
		changes = append(changes, fmt.Sprintf(`{"file": %q, "set": {"/v": %d}}`, f, v))
	}
	args := []string{"do", "[" + strings.Join(changes, ",") + "]"}
	if s.inPlace {
		args = append(args, "--in-place")
	}
	return args
}

// setup makes a directory in which /v is 1.
func (s stepped) setup(b *binary) string {
	dir := scratch(b.t)
	for _, f := range s.files {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(valueText(1)), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	if s.init {
		b.run(dir, 0, "init")
	}
	if s.tracked {
		b.run(dir, 0, s.args(0)...)
		b.run(dir, 0, s.args(1)...)
	}
	if s.long {
		for _, v := range []int{0, 4, 0, 4, 1} {
			b.run(dir, 0, append(s.args(v), "-m", strings.Repeat("fills a segment ", 5000))...)
		}
	}
	return dir
}

// valueText is a document that takes more than a page, so that a write in place
// has a middle.
func valueText(v int) string {
	return fmt.Sprintf("{\n  \"v\": %d,\n  \"pad\": %q\n}\n", v, strings.Repeat("x", 5000))
}

// plain checks that each file is whole for any reader, and returns its value. A
// file that is being written in place may be anything until recovery.
func (s stepped) plain(dir string, recovered bool) (values []string, err error) {
	for _, f := range s.files {
		data, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			return nil, err
		}
		switch text := string(data); {
		case text == valueText(1):
			values = append(values, "old")
		case text == valueText(2):
			values = append(values, "new")
		case !s.inPlace || recovered:
			return nil, fmt.Errorf("%s is %.60q", f, text)
		}
	}
	return values, nil
}

// judge checks a directory that no process works in any more, and goes on.
func (s stepped) judge(b *binary, dir string) error {
	if _, err := s.plain(dir, false); err != nil {
		return fmt.Errorf("before recovery: %w", err)
	}
	if err := entriesWhole(dir); err != nil {
		return err
	}
	b.run(dir, 0, "recover")
	values, err := s.plain(dir, true)
	if err != nil {
		return fmt.Errorf("after recovery: %w", err)
	}
	if len(slices.Compact(values)) != 1 {
		return fmt.Errorf("a part of the transaction: %q", values)
	}
	b.run(dir, 0, "verify")
	b.run(dir, 0, s.args(3)...)
	b.run(dir, 0, "verify")
	return nil
}

// TestKilledAtEveryStep kills the real binary after each named step of a commit,
// then the recovery of what that left after each of its own steps.
func TestKilledAtEveryStep(t *testing.T) {
	b := buildWithSteps(t)
	for name, s := range steppedCommands() {
		t.Run(name, func(t *testing.T) {
			if s.inPlace && len(s.files) > 1 && *effort == 1 {
				t.Skip("takes long; -fuzz.effort=2 does it")
			}
			row := evidence.Start(t, "the binary is killed after each named step, and recovery after each of its own", "runs")
			b := &binary{t, b.path}
			seen := map[string]int{}
			runs := 0
			for at := 1; ; at++ {
				dir := s.setup(b)
				steps, killed := b.run(dir, at, s.args(2)...)
				if err := s.judge(b, dir); err != nil {
					t.Fatalf("killed at step %d of %q: %v", at, steps, err)
				}
				runs++
				if !killed {
					break
				}
				seen[steps[len(steps)-1]]++
				runs += s.killRecovery(b, at, seen)
			}
			row.Tried = runs
			if s.long && seen["pack.named"] == 0 {
				t.Errorf("nothing was compressed: killed after %v", seen)
			}
			t.Logf("%d runs, killed after %v", runs, seen)
		})
	}
}

// killRecovery kills the command at a step, and then recovery at each of its.
func (s stepped) killRecovery(b *binary, at int, seen map[string]int) (runs int) {
	for again := 1; ; again++ {
		dir := s.setup(b)
		b.run(dir, at, s.args(2)...)
		steps, killed := b.run(dir, again, "recover")
		if !killed {
			return runs
		}
		seen[steps[len(steps)-1]]++
		runs++
		if err := s.judge(b, dir); err != nil {
			b.t.Fatalf("killed at step %d, its recovery at step %d of %q: %v", at, again, steps, err)
		}
	}
}
