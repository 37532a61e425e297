// Package selftest tries, in a directory of the user's own, what jtx assumes of
// the machine and promises to the user: in less than half a minute, with real
// processes that are really killed. What it leaves out is the power cut.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// Verdict is what a check found.
type Verdict int

const (
	// OK: it is as it should be.
	OK Verdict = iota
	// Limited: it works, but something can't be promised here.
	Limited
	// Failed: files are not safe with jtx here.
	Failed
)

func (v Verdict) String() string { return [...]string{"ok", "limited", "FAILED"}[v] }

// Check is one thing that was tried.
type Check struct {
	Name    string
	Verdict Verdict
	Detail  string
}

// Report is what was found.
type Report struct {
	Dir    string
	FS     string // the type of its file system, "unknown" where nobody says
	Seed   uint64
	Checks []Check
}

// Failed counts the checks that failed.
func (r Report) Failed() int {
	n := 0
	for _, c := range r.Checks {
		if c.Verdict == Failed {
			n++
		}
	}
	return n
}

// Options of a run.
type Options struct {
	Dir string // in which the files are made, and removed again
	// Child makes the command that calls [Child] with a job.
	Child func(job string) (*exec.Cmd, error)
	// Time bounds each of the three checks that take long, and is twice the bound of
	// another; 5 seconds if 0.
	Time time.Duration
	// Seed repeats a run's choices; 0: new ones.
	Seed uint64
	// Progress is called after each check. May be nil.
	Progress func(done, total int, name string)
}

// run is one run of all checks.
type run struct {
	Options
	ctx   context.Context
	work  string // the directory that is removed at the end
	rng   *rand.Rand
	store *txn.Store
	fs    fsType
}

// checks are in the order in which later ones need what earlier ones found.
var checks = []struct {
	name string
	try  func(*run) (Verdict, string, error)
}{
	{"file system", (*run).fileSystem},
	{"system calls", (*run).systemCalls},
	{"fsync", (*run).fsync},
	{"rename", (*run).rename},
	{"exchange", (*run).exchange},
	{"locks", (*run).locks},
	{"outside edit", (*run).outsideEdit},
	{"kill -9", (*run).kills},
	{"workers", (*run).workers},
	{"several files", (*run).transfers},
}

// Run does all checks. An error means that they could not be done; what they found
// wrong is in the report. Nothing is left in the directory.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	if o.Time == 0 {
		o.Time = 5 * time.Second
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	r := &run{Options: o, ctx: ctx, rng: rand.New(rand.NewPCG(o.Seed, 0))}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Report{}, err
	}
	if r.work, err = os.MkdirTemp(dir, ".jtx-selftest-"); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, removeAll(r.work)) }()
	if r.store, err = txn.Open(r.work, txn.Options{}); err != nil {
		return Report{}, err
	}
	// A workspace of its own, so that none that covers DIR hears of the files.
	if _, _, err := r.store.Init(ctx, r.work); err != nil && !errors.Is(err, lockmgr.ErrNoLocks) {
		return Report{}, err
	}
	r.fs = typeOf(r.work)
	report := Report{Dir: o.Dir, FS: r.fs.name, Seed: o.Seed}
	for i, c := range checks {
		verdict, detail, err := c.try(r)
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		if err != nil {
			verdict, detail = Failed, err.Error()
		}
		report.Checks = append(report.Checks, Check{c.name, verdict, detail})
		if errors.Is(err, lockmgr.ErrNoLocks) {
			return report, nil // nothing else can work
		}
		if o.Progress != nil {
			o.Progress(i+1, len(checks), c.name)
		}
	}
	return report, nil
}

// removeAll tries again: a process that was killed may still be leaving.
func removeAll(dir string) error {
	var err error
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func (r *run) path(name string) string { return filepath.Join(r.work, name) }

// verified is what must hold after every check that commits.
func (r *run) verified() error {
	results, err := admin.Verify(r.ctx, r.store, []string{r.work}, admin.VerifyOptions{})
	if err != nil {
		return err
	}
	for _, v := range results {
		if v.Err != nil {
			return v.Err
		}
		if v.Unfinished || v.Foreign {
			return fmt.Errorf("%s: unfinished %v, edited outside %v, after recovery", v.File, v.Unfinished, v.Foreign)
		}
	}
	return nil
}

// recovered settles what was cut off.
func (r *run) recovered() error {
	report, err := admin.Recover(r.ctx, r.store, []string{r.work}, admin.RecoverOptions{})
	if err != nil {
		return err
	}
	for _, f := range report.Files {
		if f.Err != nil {
			return f.Err
		}
	}
	return nil
}
