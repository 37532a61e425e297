package fuzz

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// looker looks at what processes leave that are killed, and then lets the power fail,
// at that very event or at any later one: what was shown must not be taken back.
type looker struct {
	*crashed
	shown map[int]int // by event: the step whose files were shown
}

// look is on the state that a kill leaves, which nobody has settled. Where the power
// has failed the files are recovered instead.
func (l *looker) look(fsy fsys.FS, dir string, cr crashfs.Crash) error {
	if !cr.Model.NothingLost {
		return l.recover(fsy, dir, cr)
	}
	w, err := l.open(fsy, dir, cr.Boots)
	if err != nil {
		return err
	}
	seen, err := l.view(w.store)
	if err != nil {
		return err
	}
	acked := len(cr.Points)
	for step := min(acked+1, len(l.model)-1); step >= acked; step-- {
		if l.model[step].equal(seen) {
			l.shown[cr.Event] = step
			return nil
		}
	}
	return fmt.Errorf("after %d acknowledged steps a view shows\n%v", acked, seen)
}

// stands checks a state that the power left, and that was recovered. At each event
// kills come first.
func (l *looker) stands(dir string, cr crashfs.Crash) error {
	if cr.Model.NothingLost {
		return nil
	}
	now, err := l.read(dir)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(l.model, now.equal)
	for event, step := range l.shown {
		if event <= cr.Event && at < step {
			return fmt.Errorf("at event %d the files of step %d were shown, and then they are those of step %d", event, step, at)
		}
	}
	return nil
}

// lookers are workloads whose files never hold the same twice.
func lookers() []*crashed {
	f := []string{"one/a.json", "one/b.json", "two/c.json"}
	seed := map[string]string{f[0]: small, f[1]: big(1), f[2]: small}
	steps := func(files ...string) []step { return []step{set(2, files...), set(3, files...)} }
	gone := do(f, func(tx *txn.Tx) error { return errors.Join(tx.Remove(f[0]), tx.Set(f[1], "/v", 4)) })
	return []*crashed{
		{workload: &workload{name: "one file", files: f[:1], seed: seed, steps: steps(f[0])}},
		{workload: &workload{name: "three files", files: f, seed: seed, steps: append(steps(f...), gone)}},
		{workload: &workload{name: "three files, journal", files: f, seed: seed, level: txn.Journal, steps: append(steps(f...), gone)}},
		{workload: &workload{name: "in place", files: f[:2], seed: seed, links: map[string]string{"one/again.json": f[0]}, steps: steps(f[:2]...)}},
		{workload: &workload{name: "new files", files: f, steps: steps(f...)}},
	}
}

// TestLookingTakesNothingBack: what a look beside a crash has shown, no later look takes
// back, whatever fails in between.
func TestLookingTakesNothingBack(t *testing.T) {
	for _, c := range lookers() {
		t.Run(c.name, func(t *testing.T) {
			l := &looker{crashed: c, shown: map[int]int{}}
			cfg := c.config(t)
			cfg.Depth, cfg.Recover, cfg.Check = 0, l.look, l.stands
			explore(t, kindLooker, cfg)
			require.NotEmpty(t, l.shown)
		})
	}
}
