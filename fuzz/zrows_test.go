package fuzz

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal/fsys"
)

// rows counts, for each crash model, how often recovery met each row of its tables.
var rows = struct {
	model   string // of the state that is recovered now
	reached map[string]map[string]int
	kinds   map[string]bool // of tests that were counted
}{reached: map[string]map[string]int{}, kinds: map[string]bool{}}

// countRows makes the recovery of an exploration count its rows.
func countRows(kind string, cfg crashfs.Config) crashfs.Config {
	rows.kinds[kind] = true
	inner := cfg.Recover
	cfg.Recover = func(fsy fsys.FS, dir string, c crashfs.Crash) error {
		rows.model = c.Model.Name
		defer func() { rows.model = "" }()
		return inner(fsy, dir, c)
	}
	return cfg
}

// met is told what recovery did in a store.
func met(report []recovery.Done) {
	if rows.model == "" {
		return
	}
	if rows.reached[rows.model] == nil {
		rows.reached[rows.model] = map[string]int{}
	}
	for _, done := range report {
		rows.reached[rows.model][done.Case]++
	}
}

// mustBeReached are the rows that the crash models reach often, by model: each seventeen
// times at least in two runs of a part of the explorations, at the least effort. None of them may
// be reached no more: then the laboratory has gone blind to what it stands for.
var mustBeReached = map[string]string{
	"kill":  "behind caught-up clean edited-during-commit edited-outside in-place-after-boot not-overwritten not-renamed overwritten renamed-not-settled unit-complete unit-missing untracked",
	"ext4":  "behind caught-up clean edited-before-boot edited-outside in-place-after-boot not-overwritten overwritten rename-lost unit-complete unit-missing untracked write-lost",
	"xfs":   "behind caught-up clean edited-before-boot in-place-after-boot overwritten rename-lost unit-complete untracked",
	"posix": "behind caught-up clean edited-before-boot in-place-after-boot rename-lost unit-complete unit-missing untracked",
}

// TestZRowsReached runs behind the explorations, where all of them were run.
func TestZRowsReached(t *testing.T) {
	for _, model := range slices.Sorted(maps.Keys(rows.reached)) {
		var b strings.Builder
		for _, row := range slices.Sorted(maps.Keys(rows.reached[model])) {
			fmt.Fprintf(&b, " %s %d,", row, rows.reached[model][row])
		}
		t.Logf("%s:%s", model, strings.TrimSuffix(b.String(), ","))
	}
	for _, kind := range []string{kindCrash, kindEditorCrash, kindEditorAfter, kindBehind, kindSpares, kindGroup} {
		if !rows.kinds[kind] {
			t.Skipf("not run: %s", kind)
		}
	}
	for model, list := range mustBeReached {
		for _, row := range strings.Fields(list) {
			if rows.reached[model][row] == 0 {
				t.Errorf("%s: %s was never reached", model, row)
			}
		}
	}
}
