package fuzz

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/txn"
)

// behindPlans are workloads of a write-behind store, and such in which transactions
// are committed together.
func behindPlans() map[string]*workload {
	one, three := []string{"d/a.json"}, []string{"one/a.json", "one/b.json", "two/c.json"}
	oneFile := []step{set(2, one...), set(3, one...), flush, put(big(4), one...), set(5, one...), elapse, set(6, one...), slowly(7, one...),
		set(8, one...), flush, save(big(9), one[0]), set(10, one...), remove(one...), put(small, one...), set(11, one...), flush}
	edits := []step{set(2, one...), amend(one[0], "1-7", "x"), set(3, one...), set(4, one...), amend(one[0], "1-8", "y"), elapse, set(5, one...), flush}
	threeFiles := []step{set(2, three...), set(3, three[:2]...), set(4, three[1:]...), elapse, put(big(5), three...), slowly(6, three...),
		set(7, three...), flush, set(8, three...), set(9, three[2:]...), flush}
	inARow := []step{set(2, one...), set(3, one...), set(4, one...), set(5, one...), set(6, one...), put(big(7), one...), set(8, one...), flush, set(9, one...)}
	group := []step{together(one, members(3, one...)...), set(2, one...), together(one, members(2, one...)...)}
	groups := []step{together(three, members(3, three...)...), set(2, three...), flush, together(three, members(2, three...)...)}
	all := map[string]*workload{
		"one file":              {files: one, behind: longBehind, ready: []step{set(0, one...)}, steps: oneFile, edits: []int{10}},
		"edits":                 {files: one, seed: map[string]string{one[0]: big(1)}, behind: longBehind, ready: []step{set(0, one...)}, steps: edits, edits: []int{1, 4}},
		"in a row":              {files: one, behind: longBehind, ready: []step{set(0, one...)}, steps: inARow},
		"first touch":           {files: one, behind: longBehind, steps: []step{set(1, one...), set(2, one...), set(3, one...), flush}},
		"three files":           {files: three, behind: longBehind, init: true, ready: []step{set(0, three...)}, steps: threeFiles},
		"two workspaces":        {files: three, behind: longBehind, ready: []step{set(0, three...)}, steps: threeFiles[:6]},
		"group":                 {files: one, ready: []step{set(0, one...)}, steps: group},
		"group/three files":     {files: three, init: true, ready: []step{set(0, three...)}, steps: groups},
		"group/behind":          {files: one, behind: longBehind, ready: []step{set(0, one...)}, steps: append(group, flush)},
		"group/journal, behind": {files: three, behind: longBehind, level: txn.Journal, init: true, ready: []step{set(0, three...)}, steps: groups},
	}
	for _, w := range all {
		w.stands = true
		if w.seed == nil {
			w.seed = map[string]string{w.files[0]: small}
			for i, f := range w.files[1:] {
				w.seed[f] = []string{big(1), small}[i]
			}
		}
	}
	return all
}

// TestFastPathsSurviveCrashes: what was acknowledged before the files followed, or
// together with others, is there after recovery.
func TestFastPathsSurviveCrashes(t *testing.T) {
	for name, w := range behindPlans() {
		t.Run(name, func(t *testing.T) {
			kind := kindBehind
			if w.behind.Delay == 0 {
				kind = kindGroup
			}
			explore(t, kind, (&crashed{workload: w}).config(t))
		})
	}
}

// sparePlans are workloads in which files change so soon again that what came out from
// under their names is overwritten.
func sparePlans(level txn.Durability) map[string]*workload {
	one, three := []string{"d/a.json"}, []string{"one/a.json", "one/b.json", "two/c.json"}
	steps := func(files []string) []step {
		return []step{set(1, files...), set(2, files...), set(3, files...), put(small, files...), set(4, files...), put(big(5), files...),
			set(6, files...), set(7, files...), save(big(8), files[0]), set(9, files...), set(10, files...), set(11, files...), set(12, files...)}
	}
	plan := func(files []string) *workload {
		w := &workload{files: files, level: level, init: true, stands: true, seed: map[string]string{}, ready: []step{set(0, files...)}, steps: steps(files), edits: []int{8}}
		for i, f := range files {
			w.seed[f] = big(i)
		}
		return w
	}
	return map[string]*workload{"one file": plan(one), "three files": plan(three)}
}

func TestSparesSurviveCrashes(t *testing.T) {
	for _, level := range []txn.Durability{txn.Full, txn.Journal} {
		for name, w := range sparePlans(level) {
			t.Run(level.String()+"/"+name, func(t *testing.T) {
				explore(t, kindSpares, (&crashed{workload: w}).config(t))
			})
		}
	}
}

// At level journal only the spares need the directory to be synced: where it is not, one
// is overwritten that a power cut brings back under its old name.
func TestSparesWithoutSyncsAreFound(t *testing.T) {
	for name, fault := range map[string]struct {
		level txn.Durability
		drop  func(name string, isDir bool) bool
	}{
		"no sync of the target's directory": {txn.Journal, func(name string, isDir bool) bool { return isDir && !strings.Contains(name, "/.jtx") }},
		"no sync of the spare":              {txn.Full, func(name string, _ bool) bool { return strings.HasPrefix(filepath.Base(name), "spare") }},
	} {
		for files, w := range sparePlans(fault.level) {
			t.Run(name+"/"+files, func(t *testing.T) {
				cfg := (&crashed{workload: w, drop: fault.drop}).config(t)
				cfg.Depth = 0
				mustFind(t, kindSpares, name, cfg)
			})
		}
	}
}
