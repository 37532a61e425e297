package environs

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/fuzz/disk"
)

// all is for a run that takes its time: without it one error is tried for each refused
// call, and a third of what can be planted.
var all = flag.Bool("environs.all", false, "refuse each call with every error, and plant everything everywhere")

func TestMain(m *testing.M) {
	if os.Getenv(envRefuse) != "" {
		fmt.Fprintln(os.Stderr, "error:", becomeRefused())
		os.Exit(125)
	}
	if code, done := disk.Isolate(); done {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// jtxDir has the real binaries, built once.
var jtxDir string

func buildJtx(t *testing.T) string {
	t.Helper()
	if jtxDir != "" {
		return jtxDir
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("building jtx needs the go command")
	}
	dir, err := os.MkdirTemp("", "jtx-environs-")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-o", dir+"/", "github.com/jtx-project/jtx/cmd/jtx", "github.com/jtx-project/jtx/cmd/jtx-plus").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	jtxDir = dir
	return dir
}

func scratch(t *testing.T) string {
	t.Helper()
	dir, err := crashfs.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// place is where the suite runs.
type place struct {
	dir  string
	out  string          // for $OUT
	wrap func(*exec.Cmd) // may be nil
	// modeless: files have the mode that the mount gives them.
	modeless bool
	// users take turns, step by step, where there are any: jtx and the scripts are theirs.
	users []user
	turn  int
	// prelude comes before each script.
	prelude string
}

// user is somebody who is in one group.
type user struct{ uid, gid uint32 }

func newPlace(t *testing.T) place { return place{dir: scratch(t), out: scratch(t)} }

// plainly is the same place where nothing is refused.
func (p place) plainly() place {
	p.wrap = nil
	return p
}

// outcome is what a step has left.
type outcome struct {
	exit   int
	files  map[string]string // content and mode, by name
	stderr string
}

// patience is far beyond what any script takes.
const patience = 5 * time.Minute

// run runs a script in the place.
func (p place) run(t *testing.T, script string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-ec", p.prelude+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "PATH="+buildJtx(t)+":"+os.Getenv("PATH"), "OUT="+p.out, "XDG_STATE_HOME="+p.out)
	if len(p.users) > 0 {
		who := p.users[p.turn%len(p.users)]
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: who.uid, Gid: who.gid}
		cmd.Env = append(cmd.Env, fmt.Sprint("XDG_STATE_HOME=", p.out, "/state-", who.uid))
	}
	if p.wrap != nil {
		p.wrap(cmd)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Errorf("hangs: %s", script)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), p.files(t), stderr.String()}
}

// step is what comes before the step and the step itself.
func (p place) step(t *testing.T, s step) outcome {
	t.Helper()
	if s.before != "" {
		if o := p.plainly().run(t, s.before); o.exit != 0 {
			t.Fatalf("before %s: exit code %d: %s", s.name, o.exit, o.stderr)
		}
	}
	return p.run(t, s.script)
}

// files are all files of the user, and whatever else stands among them.
func (p place) files(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".jtx" {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		mode := info.Mode()
		if p.modeless {
			mode = 0
		}
		files[strings.TrimPrefix(name, p.dir+"/")] = fmt.Sprintf("%v %s", mode, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// difference tells the first file in which two trees differ, "" if in none.
func difference(got, want map[string]string) string {
	names := slices.Sorted(maps.Keys(got))
	for name := range maps.Keys(want) {
		names = append(names, name)
	}
	for _, name := range names {
		if got[name] != want[name] {
			return fmt.Sprintf("%s is %.80q, expected %.80q", name, got[name], want[name])
		}
	}
	return ""
}

// expected is what files of a plain disk are here.
func (p place) expected(files map[string]string) map[string]string {
	if !p.modeless {
		return files
	}
	here := map[string]string{}
	for name, text := range files {
		_, content, _ := strings.Cut(text, " ")
		here[name] = fmt.Sprintf("%v %s", os.FileMode(0), content)
	}
	return here
}

// onPlainDisk is what each step leaves where nothing is refused.
func onPlainDisk(t *testing.T) []outcome {
	t.Helper()
	p := newPlace(t)
	var all []outcome
	for _, s := range steps {
		o := p.step(t, s)
		if o.exit != 0 {
			t.Fatalf("%s: exit code %d: %s", s.name, o.exit, o.stderr)
		}
		all = append(all, o)
	}
	return all
}

// asUsual runs the suite in a place and compares each step with what it does on a
// plain disk. Warnings that are meant are let pass.
func asUsual(t *testing.T, p place, want []outcome, meant ...string) {
	t.Helper()
	for i, s := range steps {
		p.turn = i
		p.mustBeUsual(t, s, p.step(t, s), want[i], meant)
		if t.Failed() {
			return // what follows builds on it
		}
	}
}

// mustBeUsual compares what a step has left with what it leaves on a plain disk.
func (p place) mustBeUsual(t *testing.T, s step, o, want outcome, meant []string) {
	t.Helper()
	if o.exit != 0 {
		t.Errorf("%s: exit code %d: %s", s.name, o.exit, o.stderr)
	}
	if d := difference(o.files, p.expected(want.files)); d != "" {
		t.Errorf("%s: %s", s.name, d)
	}
	for line := range strings.Lines(o.stderr) {
		complains := strings.HasPrefix(line, "warning:") || strings.HasPrefix(line, "error:")
		if complains && !slices.ContainsFunc(meant, func(m string) bool { return strings.Contains(line, m) }) {
			t.Errorf("%s: says %s", s.name, line)
		}
	}
}

// nothingChanges runs each step that changes something where that can't be done, on
// what all of them have left. It says so, with exit code 7, and all is as it was.
func nothingChanges(t *testing.T, p place) {
	t.Helper()
	for _, s := range steps {
		if s.reads || s.lockless {
			continue
		}
		if s.before != "" && p.plainly().run(t, s.before).exit != 0 {
			continue // there it can't come to that
		}
		was := p.files(t)
		o := p.run(t, s.script)
		if o.exit != 7 || !strings.Contains(o.stderr, "error:") {
			t.Errorf("%s: exit code %d: %s", s.name, o.exit, o.stderr)
		}
		if d := difference(o.files, was); d != "" {
			t.Errorf("%s: %s", s.name, d)
		}
	}
}

func TestPlain(t *testing.T) {
	want := onPlainDisk(t)
	asUsual(t, newPlace(t), want)
	for i, o := range want {
		if o.stderr != "" {
			t.Logf("%s: %s", steps[i].name, o.stderr)
		}
	}
}
