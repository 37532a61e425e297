package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// crashed is a workload whose every disk state is recovered and checked.
type crashed struct {
	*workload
	model []contents // before the first step, and after each
	// drop says which syncs are left out: the fault that must then be found.
	drop func(name string, isDir bool) bool
	// careless are the steps in which another program saves and syncs nothing. Until
	// jtx has touched the file again a power cut may take that, or tear it.
	careless map[int]bool
	// fault makes calls fail. Steps may fail with it; clean is what the files hold
	// after each step where none does.
	fault *fsys.Failing
	clean []contents
	// without is what the files hold after each step where an edit is left out: one
	// that clashes with what it is behind of is a version that is past.
	without map[int][]contents
	// shown is what the files held after each step, which may be behind model.
	shown []contents
}

// exposed tells that what a careless program saved is not yet jtx's to keep.
func (c *crashed) exposed(acked int) bool { return c.careless[acked] || c.careless[acked+1] }

// models are those of package crashfs, with what DESIGN.md assumes of an exchange
// of two names: that it is one step.
func models() []crashfs.Model {
	posix := crashfs.POSIX
	posix.HalfExchange = false
	return []crashfs.Model{crashfs.Kill, crashfs.Ext4, crashfs.XFS, posix}
}

func (c *crashed) config(t *testing.T) crashfs.Config {
	var inner fsys.FS
	if c.fault != nil {
		inner = filesFail{fsys.OS, c.fault}
	}
	if c.behind.Delay > 0 {
		c.clean = cleanRun(t, c.workload)
	}
	c.without = map[int][]contents{}
	for _, i := range c.edits {
		w := *c.workload
		w.steps = slices.Replace(slices.Clone(w.steps), i, i+1, func(*world) error { return nil })
		c.without[i] = cleanRun(t, &w)
	}
	return crashfs.Config{
		Inner: inner, Recover: c.recover, Check: c.check,
		Setup: func(dir string) error { return c.still(t, func() error { return c.setup(dir) }) },
		Run: func(rec *crashfs.Recorder, dir string) error {
			return c.still(t, func() error { return c.record(rec, dir) })
		},
		Models: models(), Depth: 1, Nested: 12 * *effort, PerCut: 64 * *effort, States: 400 * *effort,
	}
}

func (c *crashed) record(rec *crashfs.Recorder, dir string) error {
	var fsy fsys.FS = rec
	if c.drop != nil {
		fsy = crashfs.DropSyncs(rec, c.drop)
	}
	before, err := c.read(dir)
	if err != nil {
		return err
	}
	c.model, c.shown = []contents{before}, []contents{before}
	w := *c.workload
	if c.fault != nil {
		w.steps = tolerant(w.steps)
	}
	defer func() { c.stores = w.stores }()
	return w.run(fsy, dir, func(now contents) {
		acked := now
		if c.behind.Delay > 0 {
			acked = c.clean[len(c.model)]
		}
		c.model, c.shown = append(c.model, acked), append(c.shown, now)
		rec.Pointf("step %d", len(c.model)-1)
	})
}

// recover looks at the files as they are after the crash, and then lets jtx do
// what it does.
func (c *crashed) recover(fsy fsys.FS, dir string, cr crashfs.Crash) error {
	err := c.checkPlain(dir, len(cr.Points))
	if err == nil && c.drop == nil {
		err = entriesWhole(dir)
	}
	if err != nil {
		return fmt.Errorf("before recovery: %w", err)
	}
	w, err := c.open(fsy, dir, cr.Boots)
	if err != nil {
		return err
	}
	err = sweep(w.store, dir)
	if errors.Is(err, txn.ErrDamaged) && c.exposed(len(cr.Points)) {
		return nil // a torn save of another program is reported, and left as it is
	}
	return err
}

// reachable are the states that may stand after so many steps were acknowledged.
func (c *crashed) reachable(acked int) []contents {
	from := acked
	if c.careless[acked] {
		from--
	}
	if c.level == txn.None {
		from = 0
	}
	may := c.model[from:min(acked+2, len(c.model)):min(acked+2, len(c.model))]
	if c.fault != nil && acked+1 < len(c.clean) {
		may = append(may, c.clean[acked+1]) // it was committed, and then withdrawn
	}
	return may
}

// tolerant are steps that may fail with EIO: who is told so knows that the old
// state stands, and goes on.
func tolerant(steps []step) []step {
	var all []step
	for _, s := range steps {
		all = append(all, func(w *world) error {
			err := s(w)
			if errors.Is(err, syscall.EIO) && !errors.Is(err, txn.ErrInDoubt) || lagging(err) {
				return nil
			}
			return err
		})
	}
	return all
}

// checkPlain checks every file for itself: whole, and with what was acknowledged, but for
// an edit that clashed.
// Journal shows a plain reader an older state until recovery, and write-behind until
// it has put a newer one in place.
func (c *crashed) checkPlain(dir string, acked int) error {
	if c.exposed(acked) || c.level == txn.None || len(c.links) > 0 {
		return nil
	}
	now, err := c.read(dir)
	if err != nil {
		return err
	}
	may := c.reachable(acked)
	switch {
	case c.level == txn.Journal:
		may = c.model[:min(acked+2, len(c.model))]
	case c.behind.Delay > 0:
		from, to := c.lastPlaced(acked), min(acked+2, len(c.model))
		may = slices.Concat(c.model[from:to], c.shown[from:to])
	}
	for _, name := range c.files {
		found := false
		for _, m := range slices.Concat(may, c.clashed(dir, name, acked)) {
			a, aok := m[name]
			b, bok := now[name]
			found = found || a == b && aok == bok
		}
		if !found {
			return fmt.Errorf("%s is %.60q after %d acknowledged steps", name, now[name], acked)
		}
	}
	return nil
}

// clashed are the states without an edit that has clashed with a commit, by the journal: a
// recovery that was cut off may have put what was committed back already.
func (c *crashed) clashed(dir, name string, acked int) (may []contents) {
	for i, states := range c.without {
		if i >= acked {
			continue
		}
		for rec, err := range wal.Scan(fsys.OS, journalOf(dir, name), 1) {
			if err != nil {
				break
			}
			if rec.Kind == wal.KindClash && string(rec.Image) == c.shown[i+1][name] {
				may = append(may, states[acked:min(acked+2, len(states))]...)
			}
		}
	}
	return may
}

// lastPlaced is the last step up to acked after which the files were in place.
func (c *crashed) lastPlaced(acked int) int {
	for !c.shown[acked].equal(c.model[acked]) {
		acked--
	}
	return acked
}

func (c *crashed) check(dir string, cr crashfs.Crash) error {
	acked := len(cr.Points)
	now, err := c.read(dir)
	if err != nil {
		return err
	}
	model, ok := c.reached(dir, now, acked)
	if !ok && c.exposed(acked) && !allValid(now) {
		return c.keptAside(dir, now)
	}
	if !ok {
		return fmt.Errorf("after %d acknowledged steps the files are\n%v\nexpected one of\n%v", acked, now, c.reachable(acked))
	}
	w, err := c.open(fsys.OS, dir, cr.Boots)
	if err != nil {
		return err
	}
	if err := verify(w.store, dir); err != nil {
		return err
	}
	seen, err := c.view(w.store)
	if err != nil {
		return err
	}
	if !seen.equal(now) {
		return fmt.Errorf("a view shows\n%v\nthe files are\n%v", seen, now)
	}
	if err := c.goOn(w, dir); err != nil {
		return fmt.Errorf("after recovery: %w", err)
	}
	if err := c.linked(dir); err != nil {
		return err
	}
	return c.checkHistory(dir, model[:acked+1])
}

// reached finds the files among the states that may stand, and says what they were
// after each step then.
func (c *crashed) reached(dir string, now contents, acked int) (model []contents, ok bool) {
	if slices.ContainsFunc(c.reachable(acked), now.equal) {
		return c.model, true
	}
	for i, states := range c.without {
		if i >= acked || !slices.ContainsFunc(states[acked:min(acked+2, len(states))], now.equal) {
			continue
		}
		for name, text := range c.shown[i+1] {
			was, err := recorded(dir, name, text)
			if text != c.shown[i][name] && err == nil && was {
				return append(c.model[:i+1:i+1], states[i+1:]...), true
			}
		}
	}
	return nil, false
}

// isAside tells whether these bytes of a file were set aside.
func isAside(dir, name, text string) bool {
	kept, err := os.ReadFile(filepath.Join(journalOf(dir, name), "damaged", recovery.AsideName(wal.VersionOf([]byte(text)))))
	return err == nil && string(kept) == text
}

func allValid(c contents) bool {
	for _, text := range c {
		if !json.Valid([]byte(text)) {
			return false
		}
	}
	return true
}

// keptAside: broken bytes that were found are kept, too.
func (c *crashed) keptAside(dir string, now contents) error {
	for name, text := range now {
		if json.Valid([]byte(text)) {
			continue
		}
		if !isAside(dir, name, text) {
			return fmt.Errorf("%s is broken, and was not set aside", name)
		}
	}
	return nil
}

// goOn runs a further transaction over all files.
func (c *crashed) goOn(w *world, dir string) error {
	if err := firstError(set("on", c.files...)(w), flush(w)); err != nil {
		return err
	}
	now, err := c.read(dir)
	if err != nil {
		return err
	}
	if len(now) != len(c.files) {
		return fmt.Errorf("a further transaction left %d of %d files", len(now), len(c.files))
	}
	return verify(w.store, dir)
}

// checkHistory looks for every acknowledged version in the journals.
func (c *crashed) checkHistory(dir string, model []contents) error {
	if c.level == txn.None {
		return nil
	}
	for i, state := range model {
		if i == len(model)-1 && c.careless[i] {
			continue
		}
		for name, text := range state {
			if c.fault != nil && i == 0 {
				continue // it may not have come to the first touch
			}
			ok, err := recorded(dir, name, text)
			if err != nil {
				return err
			}
			if !ok {
				return fmt.Errorf("%s: the version of step %d is not in the journal", name, i)
			}
		}
	}
	return nil
}

const small = "{\n  \"v\": 1,\n  \"w\": [1, 2]\n}\n"

func oneFile(level txn.Durability) *workload {
	f := "d/a.json"
	return &workload{
		name: "one file", files: []string{f}, seed: map[string]string{f: small}, level: level,
		steps: []step{set(2, f), set(3, f), put(big(4), f), save(big(5), f), set(6, f), remove(f), put(small, f)},
		edits: []int{3}, // after a power cut it may clash with what it was made from
	}
}

func newFile(level txn.Durability) *workload {
	f := "d/a.json"
	return &workload{name: "new file", files: []string{f}, level: level, steps: []step{put(big(1), f), set(2, f), remove(f)}}
}

func tracked(level txn.Durability) *workload {
	f := "a.json"
	return &workload{name: "tracked file", files: []string{f}, level: level, seed: map[string]string{f: big(0)},
		ready: []step{set(1, f)}, steps: []step{set(2, f), set(3, f), set(4, f)}}
}

func threeFiles(level txn.Durability, init bool) *workload {
	f := []string{"one/a.json", "one/b.json", "two/c.json"}
	return &workload{
		name: "three files", files: f, init: init, level: level, seed: map[string]string{f[0]: small, f[1]: big(1)},
		steps: []step{
			set(2, f...), set(3, f[0], f[2]), save(big(4), f[1]), put(big(5), f...),
			do(f, func(tx *txn.Tx) error {
				return firstError(tx.Remove(f[0]), tx.Set(f[1], "/v", 6), tx.Set(f[2], "/v", 6))
			}),
		},
		edits: []int{2},
	}
}

// TestCarelessEditorsAndCrashes: another program saves without a sync, jtx adopts
// that and goes on, and the power goes at any moment.
func TestCarelessEditorsAndCrashes(t *testing.T) {
	f := "d/a.json"
	for _, level := range []txn.Durability{txn.Full, txn.Journal} {
		t.Run(level.String(), func(t *testing.T) {
			w := &workload{files: []string{f}, seed: map[string]string{f: small}, ready: []step{set(0, f)}, level: level,
				steps: []step{carelessSave(big(2), f), set(3, f), set(4, f), carelessSave(big(5), f), set(6, f), carelessSave(small, f), remove(f)}}
			explore(t, kindEditorCrash, (&crashed{workload: w, careless: map[int]bool{1: true, 4: true, 6: true}}).config(t))
		})
	}
}

// TestInPlaceSurvivesCrashes: a file of two names is written in place. A plain
// reader may find any mixture of old and new bytes, recovery must not.
func TestInPlaceSurvivesCrashes(t *testing.T) {
	one := func(level txn.Durability) *workload {
		f := "d/a.json"
		return &workload{files: []string{f}, seed: map[string]string{f: big(1)}, links: map[string]string{"d/b.json": f}, level: level,
			steps: []step{set(2, f), put(small, f), put(big(3), f), put(big(4), f), set(5, f)}}
	}
	two := func() *workload {
		f := []string{"d/a.json", "e/c.json"}
		return &workload{files: f, seed: map[string]string{f[0]: big(1)}, links: map[string]string{"d/b.json": f[0]},
			ready: []step{set(0, f...)}, steps: []step{set(2, f...), put(big(3), f...)}}
	}
	for name, w := range map[string]*workload{"full": one(txn.Full), "journal": one(txn.Journal), "none": one(txn.None), "two files": two()} {
		t.Run(name, func(t *testing.T) {
			explore(t, kindCrash, (&crashed{workload: w}).config(t))
		})
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// plans are the workloads of every kind of transaction.
func plans() map[string]*workload {
	all := map[string]*workload{}
	for _, level := range []txn.Durability{txn.Full, txn.Journal, txn.None} {
		all[filepath.Join("one file", level.String())] = oneFile(level)
		all[filepath.Join("new file", level.String())] = newFile(level)
		all[filepath.Join("tracked file", level.String())] = tracked(level)
		if level != txn.None { // a unit of several files is at least at level journal
			all[filepath.Join("three files", level.String())] = threeFiles(level, true)
		}
	}
	all["two workspaces"] = threeFiles(txn.Full, false)
	return all
}

func TestCommitSurvivesCrashes(t *testing.T) {
	for name, w := range plans() {
		t.Run(name, func(t *testing.T) {
			explore(t, kindCrash, (&crashed{workload: w}).config(t))
		})
	}
}

// TestWrongVariantsAreFound leaves out syncs that the protocol needs. Each fault
// must be found by what finds none in the engine as it is.
func TestWrongVariantsAreFound(t *testing.T) {
	inJournal := func(name string) bool { return strings.Contains(name, "/.jtx/files/") }
	for name, drop := range map[string]func(name string, isDir bool) bool{
		"no sync of the staged file": func(name string, isDir bool) bool { return strings.HasSuffix(name, ".tmp") && !isDir },
		"no directory sync":          func(_ string, isDir bool) bool { return isDir },
		"no sync of the target's directory": func(name string, isDir bool) bool {
			return isDir && !strings.Contains(name, "/.jtx")
		},
		"commit before the journal's sync": func(name string, isDir bool) bool { return inJournal(name) && !isDir },
	} {
		for kind, w := range map[string]*workload{kindCrash: threeFiles(txn.Full, true), kindBehind: behindPlans()["three files"]} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				cfg := (&crashed{workload: w, drop: drop}).config(t)
				cfg.Depth = 0
				mustFind(t, kind, name, cfg)
			})
		}
	}
}
