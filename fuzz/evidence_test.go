package fuzz

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/fuzz/evidence"
)

var seedFlag = flag.Uint64("fuzz.seed", 0, "repeat the run that printed this seed; 0 draws one")

const (
	kindCrash       = "crash models (kill, ext4, xfs/btrfs, weakest POSIX)"
	kindEditorCrash = "crash models, with editors that sync nothing"
	kindEditorAfter = "crash models, with an editor that saves after the crash, before each look"
	kindBehind      = "crash models: write-behind"
	kindSpares      = "crash models: files in a row, with spares"
	kindGroup       = "crash models: transactions committed together"
	kindLog         = "crash models: the journal alone"
	kindCompaction  = "crash models: compaction"
	kindPacking     = "crash models: old segments are compressed"
	kindEntry       = "crash models: a file's entry is made"
	kindSwitch      = "crash models: a new generation, a set-aside, a clash, each on its own"
	kindLooker      = "crash models: a look beside a crash, then the power fails"
)

// random gives a source whose seed is printed, and goes into the row.
func random(t testing.TB, row *evidence.Row) *rand.Rand {
	row.Seed = *seedFlag
	if row.Seed == 0 {
		row.Seed = rand.Uint64()
	}
	t.Logf("-fuzz.seed=%d", row.Seed)
	return rand.New(rand.NewPCG(row.Seed, 1))
}

// explore is crashfs.Explore with its rows.
func explore(t *testing.T, kind string, cfg crashfs.Config) {
	row := evidence.Start(t, kind, "disk states")
	stats := crashfs.Explore(t, countRows(kind, cfg))
	row.Tried, row.Checked, row.Violations, row.Seed = stats.Distinct-stats.InTurn, stats.Checked, stats.Violations, stats.Seed
	if stats.InTurn > 0 {
		again := evidence.Start(t, "crash models: recovery cut in turn", "disk states")
		again.Tried, again.Seed = stats.InTurn, stats.Seed
	}
}

// mustFind searches with a fault that has to be caught.
func mustFind(t *testing.T, kind, fault string, cfg crashfs.Config) {
	row := evidence.Start(t, kind, "disk states")
	row.Wrong = fault
	stats, found, err := crashfs.Search(cfg)
	if err != nil {
		t.Fatal(err)
	}
	row.Tried, row.Seed = stats.Distinct, stats.Seed
	if len(found) == 0 {
		t.Fatalf("the fault was not found: %v", stats)
	}
	row.Caught(len(found), found[0].Problem.Error())
	t.Log(found[0].Report(t.Name()))
}
