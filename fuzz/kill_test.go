package fuzz

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/fuzz/killpoints"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// TestKilledAtEveryCall kills a process that runs a transaction at each mutating
// system call it makes, or makes that call fail. What tidwall/wal writes past the
// file-system interface is among them.
func TestKilledAtEveryCall(t *testing.T) {
	actions := []killpoints.Action{killpoints.Kill, killpoints.Fail(syscall.EIO), killpoints.FailOnwards(syscall.ENOSPC)}
	kinds := []string{"one file", "three files", "behind"}
	if *effort > 1 {
		actions = append(actions, killpoints.Fail(syscall.ENOSPC), killpoints.FailOnwards(syscall.EIO), killpoints.FailOnwards(syscall.EROFS))
		kinds = append(kinds, "first touch", "after an edit", "three, none tracked", "durability none", "behind, late", "behind, three files")
	}
	for _, kind := range kinds {
		for _, action := range actions {
			t.Run(kind+"/"+action.String(), func(t *testing.T) {
				what := "a process is killed at each system call"
				if action != killpoints.Kill {
					what = "each system call of a process fails"
				}
				f := realFailing(t, kind)
				row := evidence.Start(t, f.kind(what), "runs")
				answers := map[string]int{}
				runs := killpoints.InjectEach(t, killpoints.Plan{Action: action}, func(p *killpoints.Plan) (*exec.Cmd, func(killpoints.Result) error) {
					p.Under = scratch(t)
					if err := f.setup(p.Under); err != nil {
						t.Fatal(err)
					}
					return child("step", p.Under, kind), func(r killpoints.Result) error {
						said, _, _ := strings.Cut(r.Stdout, "\n")
						answers[said]++
						return f.judgeResult(p.Under, r)
					}
				})
				row.Tried, row.Checked = runs, answers[answerDone]+answers[answerLags]
				t.Logf("%d runs, answers %v", runs, answers)
			})
		}
	}
}

func realFailing(t *testing.T, kind string) *failing {
	f := &failing{workload: failingWorkloads()[kind]}
	f.real = true
	f.learn(t)
	return f
}

// judgeResult checks a killed run, and the answer of one that came to its end.
func (f *failing) judgeResult(dir string, r killpoints.Result) error {
	answer, then, _ := strings.Cut(r.Stdout, "\n")
	if r.Signal == syscall.SIGKILL {
		return f.judgeKilled(dir, answer)
	}
	late := f.finish != nil && strings.TrimSpace(then) != answerPlaced
	switch answer {
	case answerDone:
		return f.judge(dir, nil, late)
	case answerLags:
		return f.judge(dir, nil, true)
	case answerDoubt:
		return f.judge(dir, txn.ErrInDoubt, false)
	case answerNothing:
		return f.judge(dir, fmt.Errorf("an error"), false)
	}
	return fmt.Errorf("no answer")
}

// judgeKilled: each file is whole for any reader, all are old or all new for a
// reader through jtx, new where it had said so, and the store goes on.
func (f *failing) judgeKilled(dir, answer string) error {
	now, err := f.read(dir)
	if err != nil {
		return err
	}
	for _, name := range f.files {
		if now[name] != f.old[name] && now[name] != f.new[name] {
			return fmt.Errorf("%s is %.80q", name, now[name])
		}
	}
	w, err := f.open(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	seen, err := f.view(w.store)
	if err != nil {
		return err
	}
	if !seen.equal(f.new) && (answer == answerDone || !seen.equal(f.old)) {
		return fmt.Errorf("it said %q, and a view shows\n%v", answer, seen)
	}
	return f.goesOn(w, dir)
}

// TestRecoveryKilledAtEveryCall kills a transaction on its way, and then the
// recovery of it at each call.
func TestRecoveryKilledAtEveryCall(t *testing.T) {
	if why := killpoints.Unavailable(); why != "" {
		t.Skip(why)
	}
	cuts := []struct {
		kind string
		at   killpoints.Plan
	}{
		{"one file", killpoints.Plan{Calls: []string{"renameat", "renameat2"}, At: 2}},    // committed, before the exchange
		{"three files", killpoints.Plan{Calls: []string{"fdatasync"}, At: 1}},             // appended, not synced
		{"three files", killpoints.Plan{Calls: []string{"renameat", "renameat2"}, At: 3}}, // one file is placed
		{"one file", killpoints.Plan{Calls: []string{"fdatasync"}, At: 1}},
		{"one file", killpoints.Plan{Calls: []string{"unlinkat"}, At: 1}}, // what was displaced is there yet
		{"three files", killpoints.Plan{Calls: []string{"unlinkat"}, At: 2}},
	}
	if *effort == 1 {
		cuts = cuts[:3]
	}
	for _, cut := range cuts {
		f := realFailing(t, cut.kind)
		t.Run(fmt.Sprintf("%s/%s %d", cut.kind, cut.at.Calls[0], cut.at.At), func(t *testing.T) {
			row := evidence.Start(t, "recovery is killed at each system call", "runs")
			row.Tried = killpoints.InjectEach(t, killpoints.Plan{}, func(p *killpoints.Plan) (*exec.Cmd, func(killpoints.Result) error) {
				p.Under = f.cutOff(t, cut.kind, cut.at)
				return child("recover", p.Under, ""), func(killpoints.Result) error { return f.judgeKilled(p.Under, "") }
			})
		})
	}
}

// cutOff is a directory in which a transaction was killed.
func (f *failing) cutOff(t *testing.T, kind string, at killpoints.Plan) string {
	dir := scratch(t)
	if err := f.setup(dir); err != nil {
		t.Fatal(err)
	}
	at.Under = dir
	if _, err := killpoints.Run(child("step", dir, kind), at); err != nil {
		t.Fatal(err)
	}
	return dir
}
