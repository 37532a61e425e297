package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// judges are the tests that should see a mutant of a package, the quick ones first. The
// sweeps over every bit of a journal are left out: they take longer than all others.
var judges = map[string][][]string{
	"wal":     {{"./wal", "-skip", walSweeps + "|Hazard01"}, {"./wal", "-run", walSweeps}},
	"lockmgr": {{"./lockmgr"}, {"./txn", "-run", "Lease|Lock|AtOnce"}},
	"recover": {{"./recover"}, {"./txn", "-run", crashPaths}, {"./fuzz", "-run", crashModels}},
	"txn":     {{"./txn", "-run", crashPaths + "|Commit|Compact|Retention|Workspace|Activat|Group|Doors"}, {"./txn"}, {"./fuzz", "-run", crashModels}},
}

const (
	walSweeps   = "FailEveryCall|Rebuild|Hazard02|Hazard04|Beside"
	crashPaths  = "Spare|InPlace|Foreign|Damaged|Heal|Recover|Restore|Mode|Secret|SetAside|Behind|Rebase|Killed"
	crashModels = "TestCommitSurvivesCrashes|TestInPlaceSurvivesCrashes|TestAnswersAreTrue|TestFirstWritesAtOnce"
)

// patience is how long the tests of one mutant may take: one that hangs is dead.
const patience = 5 * time.Minute

type verdict string

const (
	dead        verdict = "killed"
	alive       verdict = "LIVED"
	unbuildable verdict = "" // most often since a variable is used no more
)

// shop is where mutants are judged.
type shop struct {
	dir   string
	sound map[string]bool // whose tests were seen to succeed
}

func newShop() (*shop, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	return &shop{dir, map[string]bool{}}, err
}

func (s *shop) close() {
	if err := os.RemoveAll(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
}

// judge runs the tests of a mutant's package. By says which of them killed it.
func (s *shop) judge(m mutant) (v verdict, by string, err error) {
	overlay, err := s.overlay(m)
	if err != nil {
		return "", "", err
	}
	if exec.Command("go", "build", "-overlay", overlay, "./"+m.pkg).Run() != nil {
		return unbuildable, "", nil
	}
	for _, args := range judges[m.pkg] {
		if err := s.mustBeSound(args); err != nil {
			return "", "", err
		}
		if test(append([]string{"-overlay", overlay}, args...)) != nil {
			return dead, args[0], nil
		}
	}
	return alive, "none", nil
}

// mustBeSound makes sure that tests which are to fail with a mutant succeed without.
func (s *shop) mustBeSound(args []string) error {
	key := strings.Join(args, " ")
	if s.sound[key] {
		return nil
	}
	if err := test(args); err != nil {
		return fmt.Errorf("go test %s fails without a mutant: %w", key, err)
	}
	s.sound[key] = true
	return nil
}

func test(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-short", "-failfast", "-vet=off"}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return errors.Join(err, errors.New(strings.Join(lines[max(len(lines)-5, 0):], "\n")))
	}
	return nil
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
