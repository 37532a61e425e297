package killpoints

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Action is what happens at the chosen call. It is never both of a kill and an
// error.
type Action struct {
	errno   syscall.Errno
	onwards bool
}

// Kill sends SIGKILL before the call has an effect.
var Kill = Action{}

// Fail makes the call return errno and do nothing.
func Fail(errno syscall.Errno) Action { return Action{errno: errno} }

// FailOnwards makes the call and all counted ones after it return errno, as a
// full or broken disk does.
func FailOnwards(errno syscall.Errno) Action { return Action{errno: errno, onwards: true} }

func (a Action) String() string {
	switch {
	case a.errno == 0:
		return "kill"
	case a.onwards:
		return "fail onwards with " + a.errno.Error()
	}
	return "fail with " + a.errno.Error()
}

// Plan chooses a call.
type Plan struct {
	// Under counts only calls on paths in this directory; all where empty.
	Under string
	// Calls counts only calls of these names; every mutating one where empty.
	Calls  []string
	Action Action
	// At is the number of the call, from 1. With 0 the command is only traced.
	At int
	// Timeout after which the command is killed and the run is an error; a
	// minute where 0.
	Timeout time.Duration
}

// Call is one mutating system call.
type Call struct {
	Name  string
	Path  string // of the descriptor or the first path
	Path2 string // of a rename or link
}

func (c Call) String() string {
	if c.Path2 != "" {
		return fmt.Sprintf("%s(%q, %q)", c.Name, c.Path, c.Path2)
	}
	return fmt.Sprintf("%s(%q)", c.Name, c.Path)
}

// Result is one run.
type Result struct {
	At     int    // as planned
	Hit    bool   // the command came as far as that call
	Calls  []Call // those counted, the chosen one included
	Code   int    // exit code, -1 after a signal
	Signal syscall.Signal
	Stdout string
	Stderr string
}

// Chosen is the call at which the action happened.
func (r Result) Chosen() string {
	if !r.Hit {
		return "no call"
	}
	return fmt.Sprintf("call %d, %v", r.At, r.Calls[r.At-1])
}

// Run starts the command and carries the plan out. cmd must not have been
// started, nor have Stdout, Stderr or SysProcAttr set.
func Run(cmd *exec.Cmd, plan Plan) (Result, error) {
	if plan.Timeout == 0 {
		plan.Timeout = time.Minute
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	res, err := trace(cmd, plan)
	res.At, res.Stdout, res.Stderr = plan.At, stdout.String(), stderr.String()
	return res, err
}

// Trace lists the mutating calls of a run that nothing disturbs.
func Trace(cmd *exec.Cmd, under string) (Result, error) {
	return Run(cmd, Plan{Under: under})
}

// InjectEach runs a command with the action at its first call, at its second, and
// so on until it ends before the chosen one, and returns the number of runs.
// next prepares a fresh place and the command for one run, and says what must
// be true after it; it gets the plan to set Under in.
func InjectEach(tb testing.TB, plan Plan, next func(plan *Plan) (cmd *exec.Cmd, check func(Result) error)) int {
	tb.Helper()
	if why := Unavailable(); why != "" {
		tb.Skip(why)
	}
	const limit = 100000
	for at := 1; at < limit; at++ {
		p := plan
		p.At = at
		cmd, check := next(&p)
		res, err := Run(cmd, p)
		if err != nil {
			tb.Fatalf("killpoints: call %d: %v", at, err)
		}
		if err := check(res); err != nil {
			tb.Errorf("killpoints: %v at %s: %v\nexit code %d, signal %d\nstdout: %s\nstderr: %s",
				plan.Action, res.Chosen(), err, res.Code, res.Signal, res.Stdout, res.Stderr)
		}
		if !res.Hit {
			return at
		}
	}
	tb.Fatalf("killpoints: the command makes more than %d calls", limit)
	return limit
}
