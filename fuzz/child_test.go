package fuzz

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// The test binary runs itself as the process that is killed, or as one of many.
const (
	childJob = "JTX_FUZZ_JOB" // a key of jobs
	childDir = "JTX_FUZZ_DIR"
	childArg = "JTX_FUZZ_ARG"
)

// jobs are what a child process can do. A job prints its own answer.
var jobs = map[string]func(dir, arg string) error{
	"step":      childStep,
	"recover":   childRecover,
	"increment": childIncrement,
	"transfer":  childTransfer,
	"crowd":     childCrowd,
	"nested":    childNested,
}

func TestMain(m *testing.M) {
	job := jobs[os.Getenv(childJob)]
	if job == nil {
		os.Exit(m.Run())
	}
	if err := job(os.Getenv(childDir), os.Getenv(childArg)); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func child(job, dir, arg string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childJob+"="+job, childDir+"="+dir, childArg+"="+arg)
	return cmd
}

// The answers that childStep prints.
const (
	answerDone    = "done"
	answerLags    = "done, a file lags"
	answerDoubt   = "in doubt"
	answerNothing = "nothing was changed"
	answerPlaced  = "in place" // said besides, of files that were behind
)

// childStep does the last step of a workload, and what carries its files forward, and
// prints what it was told.
func childStep(dir, name string) error {
	w := failingWorkloads()[name]
	w.real = true
	world, err := w.open(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	err = w.steps[len(w.steps)-1](world)
	answer := answerNothing
	switch {
	case err == nil:
		answer = answerDone
	case lagging(err):
		answer = answerLags
	case errors.Is(err, txn.ErrInDoubt):
		answer = answerDoubt
	}
	fmt.Println(answer)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	if w.finish == nil {
		return nil
	}
	if err := w.finish(world.store); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return nil
	}
	fmt.Println(answerPlaced)
	return nil
}

// lagging tells that a step was committed, with a warning.
func lagging(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "warnings") }

func childRecover(dir, _ string) error {
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		return err
	}
	if err := sweep(s, dir); err != nil {
		return err
	}
	fmt.Println(answerDone)
	return nil
}
