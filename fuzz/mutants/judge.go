package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// stage is some of a package's tests.
type stage struct {
	pkg  string
	args []string // of its test binary
}

func only(pattern string) []string { return []string{"-test.run", pattern} }
func but(pattern string) []string  { return []string{"-test.skip", pattern} }

// judges are the tests that should see a mutant below a directory, the quick ones first.
// The sweeps over every bit of a journal are left out: they take longer than all others.
var judges = map[string][]stage{
	"wal":     {{"wal", but(walSweeps + "|Hazard01|PackedBomb")}, {"wal", only(walSweeps)}, {"recover", but(slowTables)}},
	"lockmgr": {{"lockmgr", but("AllMakeProgress|GivingUp")}, {"lockmgr", only("AllMakeProgress|GivingUp")}, {"txn", only("Lease|Lock|AtOnce")}},
	"recover": {{"recover", but(slowTables)}, {"txn", only(crashPaths)}, {"txn/admin", only(".")}, {"recover", only(slowTables)}, {"fuzz", only(crashModels)}},
	"txn":     {{"txn", only(crashPaths + "|" + commits)}, {"txn", but(crashPaths + "|" + commits)}, {"txn/history", only(".")}, {"txn/admin", only(".")}, {"fuzz", only(crashModels)}},
}

const (
	walSweeps   = "FailEveryCall|Rebuild|DropBefore|Hazard02|Hazard04|Beside"
	slowTables  = "RebaseLost|UnitTable$"
	crashPaths  = "Spare|InPlace|Foreign|Damaged|Heal|Recover|RestoreF|Restored|Mode|Secret|SetAside|Behind|Rebase|Killed"
	commits     = "Commit|Compact|Retention|Workspace|Activat|Group|Doors|Unit|Facts"
	crashModels = "TestCommitSurvivesCrashes|TestInPlaceSurvivesCrashes|TestAnswersAreTrue|TestFirstWritesAtOnce"
)

// judgesOf are those of the nearest directory.
func judgesOf(pkg string) []stage {
	for judges[pkg] == nil {
		pkg = filepath.Dir(pkg)
	}
	return judges[pkg]
}

// patience is how long a stage may take: a mutant with which it hangs is dead.
const patience = 8 * time.Minute

type verdict string

const (
	dead        verdict = "killed"
	alive       verdict = "LIVED"
	unbuildable verdict = "" // most often since a variable is used no more
)

// shop is where mutants are judged.
type shop struct {
	dir       string
	succeeded map[string]bool     // tests that were seen to succeed without a mutant
	shaky     map[string][]string // those that were not, by package
}

func newShop() (*shop, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	return &shop{dir, map[string]bool{}, map[string][]string{}}, err
}

func (s *shop) close() {
	if err := os.RemoveAll(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
}

// judge runs tests of a mutant until one kills it, which is by.
func (s *shop) judge(m mutant, stages []stage) (v verdict, by string, err error) {
	overlay, err := s.overlay(m)
	if err != nil {
		return "", "", err
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "./"+m.pkg).CombinedOutput(); err != nil {
		if !strings.Contains(string(out), m.pkg) {
			return "", "", fmt.Errorf("%w: %s", err, out)
		}
		return unbuildable, "", nil
	}
	built := map[string]string{} // test binaries with the mutant, by package
	for _, st := range stages {
		if built[st.pkg] == "" {
			if built[st.pkg], err = s.build(st.pkg, "mutant", "-overlay", overlay); err != nil {
				return "", "", err
			}
		}
		if by, err := s.kills(built[st.pkg], st); err != nil || by != "" {
			return dead, by, err
		}
	}
	return alive, "none", nil
}

// kills runs a stage and tells which of its tests kills the mutant, "" if none does. A
// test that fails without the mutant as well is told, and left out from then on.
func (s *shop) kills(binary string, st stage) (by string, err error) {
	for {
		failed, err := test(binary, s.without(st))
		if failed == "" || err != nil {
			return "", err
		}
		sound, err := s.sound(st, failed)
		if sound || err != nil {
			return st.pkg + "." + failed, err
		}
		fmt.Printf("%s of ./%s fails without a mutant\n", failed, st.pkg)
		if failed == hung {
			return "", fmt.Errorf("./%s %v hangs, or dies", st.pkg, st.args)
		}
		s.shaky[st.pkg] = append(s.shaky[st.pkg], failed)
	}
}

// without is a stage but for the tests that are not sound.
func (s *shop) without(st stage) stage {
	if len(s.shaky[st.pkg]) == 0 {
		return st
	}
	args := map[string]string{}
	for i := 0; i < len(st.args); i += 2 {
		args[st.args[i]] = st.args[i+1]
	}
	skip := "^(" + strings.Join(s.shaky[st.pkg], "|") + ")$"
	if args["-test.skip"] != "" {
		skip += "|" + args["-test.skip"]
	}
	return stage{st.pkg, append([]string{"-test.skip", skip}, only(cmp.Or(args["-test.run"], "."))...)}
}

// build makes the test binary of a package.
func (s *shop) build(pkg, kind string, flags ...string) (string, error) {
	path := filepath.Join(s.dir, kind+"-"+filepath.Base(pkg)+".test")
	args := append([]string{"test", "-c", "-vet=off", "-o", path}, flags...)
	if out, err := exec.Command("go", append(args, "./"+pkg)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go test -c ./%s: %w: %s", pkg, err, out)
	}
	return path, nil
}

// sound tells whether what failed with a mutant succeeds without: the test of that name,
// or all of them where a process has hung or died and has named none.
func (s *shop) sound(st stage, name string) (bool, error) {
	if name != hung {
		st.args = only("^" + name + "$")
	}
	key := fmt.Sprint(st)
	if s.succeeded[key] {
		return true, nil
	}
	path := filepath.Join(s.dir, "sound-"+filepath.Base(st.pkg)+".test")
	if _, err := os.Stat(path); err != nil {
		if _, err := s.build(st.pkg, "sound"); err != nil {
			return false, err
		}
	}
	failed, err := test(path, st)
	s.succeeded[key] = err == nil && failed == ""
	return s.succeeded[key], err
}

// hung stands for the test in which a process has hung, or died.
const hung = "(no end)"

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// test runs some tests and returns the first that failed, "" where none did.
func test(binary string, st stage) (failed string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"-test.short", "-test.failfast"}, st.args...)...)
	cmd.Dir, cmd.WaitDelay = st.pkg, time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch match := failure.FindSubmatch(out); {
	case err == nil && strings.Contains(string(out), "no tests to run"):
		return "", fmt.Errorf("./%s has no tests %q", st.pkg, st.args)
	case err == nil:
		return "", nil
	case ctx.Err() == nil && !errors.As(err, &exit):
		return "", err
	case match != nil:
		return string(match[1]), nil
	}
	return hung, nil
}

// overlay tells the go command of the mutant.
func (s *shop) overlay(m mutant) (string, error) {
	text, err := m.broken()
	if err != nil {
		return "", err
	}
	file, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	broken, overlay := filepath.Join(s.dir, "mutant.go"), filepath.Join(s.dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {file: broken}})
	if err != nil {
		return "", err
	}
	return overlay, errors.Join(os.WriteFile(broken, text, 0o600), os.WriteFile(overlay, list, 0o600))
}
