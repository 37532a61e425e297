// Package scripttest runs the scripts that test the commands of jtx.
package scripttest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Main builds programs of the module, which the tests find in PATH, runs the tests,
// and returns their exit code.
func Main(m *testing.M, programs ...string) int {
	dir, err := os.MkdirTemp("", "jtx-programs-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = build(dir, programs)
	}
	if err == nil {
		err = os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(dir string, programs []string) error {
	args := []string{"build", "-buildvcs=false", "-o", dir + string(filepath.Separator)}
	for _, p := range programs {
		args = append(args, "github.com/jtx-project/jtx/cmd/"+p)
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// Run runs the scripts in a directory. Beside the commands of testscript they have:
//
//	exitcode N CMD...  runs CMD, which must end with exit code N
//	nopriv N CMD...    the same, as somebody whom file modes bind, root too
//	setvar NAME        sets NAME to the first word of the last standard output
//	link OLD NEW       makes a hard link
func Run(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			// What one begins must not be found, or seen, by another.
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			env.Setenv("XDG_STATE_HOME", "")
			env.Setenv("JTX_ACTOR", "tester")
			env.Setenv("JTX_TX", "")
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode": exitcode,
			"nopriv":   nopriv,
			"setvar":   setvar,
			"link": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(os.Link(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
			},
		},
	})
}
func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N CMD...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	have := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		have = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if have != want {
		ts.Fatalf("exit code %d, expected %d", have, want)
	}
}

func nopriv(ts *testscript.TestScript, neg bool, args []string) {
	if os.Geteuid() != 0 {
		exitcode(ts, neg, args)
		return
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		ts.Logf("skipped: root, without setpriv to be bound by file modes: %v", args)
		return
	}
	as := []string{args[0], "setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"}
	exitcode(ts, neg, append(as, args[1:]...))
}

func setvar(ts *testscript.TestScript, _ bool, args []string) {
	word := ""
	for _, c := range ts.ReadFile("stdout") {
		if c == ' ' || c == '\t' || c == '\n' {
			break
		}
		word += string(c)
	}
	ts.Setenv(args[0], word)
}
