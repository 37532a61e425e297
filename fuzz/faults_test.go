package fuzz

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// faults are what the k-th call may do.
var faults = map[string]fsys.Fault{
	"EIO once":              {Err: syscall.EIO},
	"EIO for good":          {Err: syscall.EIO, Forever: true},
	"ENOSPC once":           {Err: syscall.ENOSPC, Short: true},
	"ENOSPC for good":       {Err: syscall.ENOSPC, Short: true, Forever: true},
	"EROFS for good":        {Err: syscall.EROFS, Forever: true},
	"EDQUOT in writes":      {Err: syscall.EDQUOT, Short: true, Forever: true, Ops: []string{"write", "open", "mkdir"}},
	"fsync fails and lies":  {Err: syscall.EIO, Lie: true, Ops: []string{"sync", "datasync"}},
	"fsync fails for good":  {Err: syscall.EIO, Forever: true, Ops: []string{"sync", "datasync"}},
	"rename fails for good": {Err: syscall.EIO, Forever: true, Ops: []string{"rename", "exchange", "remove"}},
}

// failing is a workload of which the last step meets a fault, and what carries the
// files forward that it leaves behind.
type failing struct {
	*workload
	old, new contents
}

// TestAnswersAreTrue fails the first call of a transaction, then the second, and
// so on until it makes no further one.
func TestAnswersAreTrue(t *testing.T) {
	for name, fault := range faults {
		for kind, w := range failingWorkloads() {
			t.Run(name+"/"+kind, func(t *testing.T) {
				what := "the k-th call fails, until success"
				if w.behind.Delay > 0 {
					what += "; write-behind"
				}
				row := evidence.Start(t, what, "runs")
				f := &failing{workload: w}
				f.learn(t)
				runs, committed, doubts := 0, 0, 0
				for call := 0; ; call++ {
					fault.Call = call
					err, hit := f.try(t, fault)
					if t.Failed() {
						t.Fatalf("call %d", call)
					}
					runs++
					switch {
					case err == nil:
						committed++
					case errors.Is(err, txn.ErrInDoubt):
						doubts++
					}
					if !hit {
						break
					}
				}
				row.Tried, row.Checked = runs, committed
				t.Logf("%d runs, %d committed, %d in doubt", runs, committed, doubts)
			})
		}
	}
}

// failingWorkloads are changes of every kind; the last step is the one that fails.
func failingWorkloads() map[string]*workload {
	f := []string{"one/a.json", "one/b.json", "two/c.json"}
	mixed := do(f, func(tx *txn.Tx) error {
		return firstError(tx.Remove(f[0]), tx.Set(f[1], "/v", 6), tx.Put(f[2], []byte(big(6))))
	})
	behind := func(w workload) *workload {
		w.seed, w.ready = map[string]string{}, []step{set(0, w.files...)}
		for _, name := range w.files {
			w.seed[name] = small
		}
		w.stands = true
		return &w
	}
	later := func(s step) step {
		return func(w *world) error { return firstError(s(w), elapse(w)) }
	}
	return map[string]*workload{
		// Behind until they are flushed, the store is closed, some time is over, and
		// hardly at all.
		"behind":              behind(workload{files: f[:1], behind: longBehind, steps: []step{set(2, f[0])}, finish: (*txn.Store).Close}),
		"behind, flushed":     behind(workload{files: f[:1], behind: longBehind, steps: []step{set(2, f[0])}, finish: flushed}),
		"behind, by itself":   behind(workload{files: f[:1], behind: longBehind, steps: []step{later(set(2, f[0]))}, finish: flushed}),
		"behind, late":        behind(workload{files: f[:1], behind: hardlyBehind, steps: []step{do(f[:1], members(1, f[0])[0])}, finish: flushed}),
		"behind, three files": behind(workload{files: f, behind: longBehind, steps: []step{set(2, f...)}, finish: flushed}),

		"first touch":         {files: f[:1], seed: map[string]string{f[0]: small}, steps: []step{set(2, f[0])}},
		"one file":            {files: f[:1], seed: map[string]string{f[0]: small}, ready: []step{set(0, f[0])}, steps: []step{set(2, f[0])}},
		"after an edit":       {files: f[:1], seed: map[string]string{f[0]: small}, ready: []step{set(0, f[0]), save(big(2), f[0])}, steps: []step{set(3, f[0])}},
		"after a small edit":  {files: f[:1], seed: map[string]string{f[0]: small}, ready: []step{set(0, f[0]), save(strings.Replace(small, "2]", "3]", 1), f[0])}, steps: []step{set(3, f[0])}},
		"three files":         {files: f, seed: map[string]string{f[0]: small, f[1]: big(1)}, ready: []step{set(0, f...)}, steps: []step{mixed}},
		"three, none tracked": {files: f, init: true, seed: map[string]string{f[0]: small, f[1]: big(1)}, steps: []step{set(2, f...)}},
		"durability none":     {files: f[:1], level: txn.None, seed: map[string]string{f[0]: small}, ready: []step{set(0, f[0])}, steps: []step{set(2, f[0])}},
	}
}

func flushed(s *txn.Store) error { return s.Flush(context.Background()) }

// learn runs without a fault, to know what is right.
func (f *failing) learn(t *testing.T) {
	states := cleanRun(t, f.workload)
	f.old, f.new = states[0], states[len(states)-1]
}

// try runs with the fault and checks the answer. hit tells that a call failed.
func (f *failing) try(t *testing.T, fault fsys.Fault) (answer error, hit bool) {
	dir := scratch(t)
	err := f.still(t, func() error {
		if err := f.setup(dir); err != nil {
			return err
		}
		bad := fsys.NewFailing(fsys.OS, fault)
		w, err := f.open(bad, dir, 0)
		if err != nil {
			return err
		}
		answer = f.steps[len(f.steps)-1](w)
		lags := lagging(answer)
		if lags {
			answer = nil // committed, and said that a file lags behind
		}
		var late error
		if f.finish != nil {
			late = f.finish(w.store)
		}
		hit = bad.Failed() > 0
		if err := f.judge(dir, answer, lags || late != nil); err != nil {
			return fmt.Errorf("%w\nthe answer was: %v\nand then: %v\n%s", err, answer, late, strings.Join(bad.Trace(), "\n"))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return answer, hit
}

// judge compares the answer with what is there: at once, and after the fault has
// gone and somebody uses the store again.
func (f *failing) judge(dir string, answer error, lags bool) error {
	now, err := f.read(dir)
	if err != nil {
		return err
	}
	if answer == nil && !lags && !now.equal(f.new) {
		return fmt.Errorf("success, but the files are\n%v", now)
	}
	if errors.Is(answer, txn.ErrInDoubt) {
		err = f.eachOldOrNew(now)
	} else if answer != nil && !now.equal(f.old) {
		err = fmt.Errorf("an error, but the files are\n%v", now)
	}
	if err != nil {
		return err
	}
	if err := f.leave(); err != nil {
		return err
	}
	w, err := f.open(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	seen, err := f.view(w.store)
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	isOld, isNew := seen.equal(f.old), seen.equal(f.new)
	switch {
	case answer == nil && !isNew:
		return fmt.Errorf("success, but then a view shows\n%v", seen)
	case errors.Is(answer, txn.ErrInDoubt) && !isOld && !isNew:
		return fmt.Errorf("in doubt, and then a part: a view shows\n%v", seen)
	case answer != nil && !errors.Is(answer, txn.ErrInDoubt) && !isOld:
		return fmt.Errorf("an error, but then a view shows\n%v", seen)
	}
	return f.goesOn(w, dir)
}

// eachOldOrNew is what holds while a transaction is in doubt: the disk may have
// failed between two renames.
func (f *failing) eachOldOrNew(now contents) error {
	for _, name := range f.files {
		text, ok := now[name]
		old, wasThere := f.old[name]
		next, willBe := f.new[name]
		if (text != old || ok != wasThere) && (text != next || ok != willBe) {
			return fmt.Errorf("in doubt, but %s is\n%s", name, text)
		}
	}
	return nil
}

// goesOn uses the store as if nothing had been, and looks for leftovers.
func (f *failing) goesOn(w *world, dir string) error {
	if err := firstError(set("on", f.files...)(w), flush(w)); err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	if err := sweep(w.store, dir); err != nil {
		return err
	}
	if err := verify(w.store, dir); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", ".jtx-*"))
	if err != nil || len(left) > 0 {
		return errors.Join(err, fmt.Errorf("left over: %q", left))
	}
	return nil
}
