package recovery

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var updateDesign = flag.Bool("update-design", false, "print the tables into DESIGN.md")

// What the rows of the first table are about.
var unitMeanings = [numUnits]string{
	UnitSingle:      "there is one participant",
	UnitComplete:    "each holds the record, none an abort behind it",
	UnitMissing:     "the journal of one ends before it",
	UnitSuperseded:  "another unit's record stands in its place",
	UnitAborted:     "one holds an abort of it",
	UnitUnreachable: "one can't be looked at, no other speaks against it",
	UnitUnknown:     "one has dropped or lost what it had there",
	UnitProven:      "as in doubt, but what was staged for it stands",
	UnitDecided:     "a person decided so (recover --decide)",
	UnitContrary:    "persons decided it this way and that",
}

var memoryNames = [numMemories]string{Settled: "settled", Pending: "pending", Forgotten: "forgotten", Overwriting: "overwriting", Behind: "behind"}

var standingNames = [numStandings]string{StandsNew: "V", StandsOld: "before", StandsAbsent: "nothing", StandsOther: "another document", StandsBroken: "no document"}

// TestDesignHasTheTables: DESIGN.md has both tables as they are in the code. Run it with
// -update-design to print them there.
func TestDesignHasTheTables(t *testing.T) {
	const name = "../DESIGN.md"
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	want := string(text)
	for table, rows := range map[string]string{"units": printedUnits(), "files": printedFiles()} {
		block := regexp.MustCompile(`(?s)(<!-- printed by recover/design_test.go: ` + table + ` -->\n).*?(<!-- end -->)`)
		require.Len(t, block.FindAllString(want, -1), 1, table)
		want = block.ReplaceAllStringFunc(want, func(found string) string {
			m := block.FindStringSubmatch(found)
			return m[1] + "```\n" + rows + "```\n" + m[2]
		})
	}
	if *updateDesign {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(text), "go test ./recover -run TestDesignHasTheTables -update-design prints them")
}

func printedUnits() string {
	var b strings.Builder
	for u := range numUnits {
		c := DecideUnit(u)
		fmt.Fprintf(&b, "%-24s %-50s %s\n", c.Name, unitMeanings[u], c.Outcome)
	}
	return b.String()
}

func printedFiles() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %-17s %-26s %s\n", "`state`", "under the name", "case", "action")
	for m := range numMemories {
		for s := range numStandings {
			c := DecideFile(m, s, false)
			fmt.Fprintf(&b, "%-12s %-17s %-26s %s\n", memoryNames[m], standingNames[s], c.Name, c.Action)
		}
	}
	c := DecideFile(Forgotten, StandsBroken, true)
	fmt.Fprintf(&b, "%-12s %-17s %-26s %s\n", "level none", standingNames[StandsBroken], c.Name, c.Action)
	return b.String()
}
